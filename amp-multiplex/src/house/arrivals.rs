use std::sync::Arc;
use std::task::Waker;

use amp_core::Answer;
use bytes::Bytes;

use super::{House, refuse};
use crate::commands::{Disconnect, Transmit};
use crate::link::{Link, Receipt, acknowledge, give_back};
use crate::machine::{Ended, Known, Received};

/// Received data of fewer bytes is always copied out.
const COPIED: usize = 16 * 1024;

/// What comes for streams that are there.
impl House {
    /// Bytes came.
    pub(crate) fn transmitted(self: &Arc<Self>, ask: Transmit, receipt: Receipt) {
        let Transmit { connection: id, data } = ask;
        // A slice keeps all of the buffer that it was read into.
        let data = if data.len() < COPIED || !self.received.is_light() { Bytes::copy_from_slice(&data) } else { data };
        let mut registry = self.registry();
        let link = match registry.find(&id) {
            Known::Stream(link) => Arc::clone(link),
            Known::Early => {
                let kept = registry.keep_early(&id, data, receipt);
                drop(registry);
                // An error would end an old peer's connection. A stream that is not whole ends when its id is known.
                return acknowledge(kept.err());
            }
            Known::Unknown => {
                drop(registry);
                return self.settle([receipt]);
            }
        };
        drop(registry);
        let mut inner = link.lock();
        let (before, peer_ended) = (inner.state.buffered(), inner.peer_ended);
        let received = inner.state.receive(data, receipt, self.received.tolerated(before));
        self.received.change(before, inner.state.buffered());
        let (over, half_close) = (matches!(received, Received::Overrun(_)), inner.state.half_close());
        // Asked now: whoever learns of it may drop the stream before the peer is told.
        let cut = !inner.state.is_finished();
        if over {
            inner.overrun();
        }
        let wakers = [inner.reader.take(), if over { inner.writer.take() } else { None }];
        drop(inner);
        wakers.into_iter().flatten().for_each(Waker::wake);
        match received {
            Received::Kept => {}
            // Behind the peer's own end the id is as one that is not known. What crosses an end of this side is honest.
            Received::Refused(receipt) => self.settle([receipt]),
            Received::Dropped(receipt) if peer_ended => self.settle([receipt]),
            Received::Dropped(receipt) => acknowledge([receipt]),
            Received::Overrun(receipt) => give_back(half_close, [receipt]),
        }
        if over {
            Self::tell_overrun(&link, cut);
        }
    }

    /// The peer sent more than is kept: it is told that the stream is over, and whether what was written here is not all.
    pub(super) fn tell_overrun(link: &Arc<Link>, cut: bool) {
        tracing::warn!(id = ?link.id, "a stream sent too much ahead of its reader and was ended");
        link.part(cut);
    }

    /// The peer has ended a stream or its direction of it. The end of one direction is to be known to have come with all before
    /// it: only a peer of ours asks for that, and gets an error if it has not.
    pub(crate) fn disconnected(&self, ask: &Disconnect, answer: Answer<Disconnect>) {
        let id = &ask.connection;
        let ended = match (ask.half.0, ask.cut.0) {
            (Some(true), _) => Ended::Half,
            (_, Some(true)) => Ended::Cut,
            _ => Ended::Full,
        };
        let mut registry = self.registry();
        let (link, came) = match registry.find(id) {
            Known::Stream(link) => (Some(Arc::clone(link)), true),
            Known::Early => (None, registry.end_early(id, ended)),
            Known::Unknown => {
                drop(registry);
                return self.settle([answer]);
            }
        };
        let mut wakers = [None, None];
        if let Some(link) = link {
            let mut inner = link.lock();
            inner.end(ended);
            wakers = [inner.reader.take(), inner.writer.take()];
            if inner.state.is_over() {
                registry.remove(id, |_| true);
            }
        }
        drop(registry);
        wakers.into_iter().flatten().for_each(Waker::wake);
        if came || ended != Ended::Half {
            answer.send(Ok(()));
        } else {
            refuse([answer]);
        }
    }
}
