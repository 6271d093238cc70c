use std::sync::Arc;
use std::task::Waker;

use amp_core::Answer;
use bytes::Bytes;

use super::{House, refuse};
use crate::commands::{Disconnect, Transmit};
use crate::link::{Link, Receipt, acknowledge};
use crate::machine::{Known, Received};

/// Of how many bytes received data is copied out: a slice keeps all of the buffer that it was read into.
const COPIED: usize = 16 * 1024;

/// What comes for streams that are there.
impl House {
    /// Bytes came.
    pub(crate) fn transmitted(self: &Arc<Self>, ask: Transmit, receipt: Receipt) {
        let Transmit { connection: id, data } = ask;
        let data = compact(data);
        let mut registry = self.registry();
        let link = match registry.find(id) {
            Known::Stream(link) => Arc::clone(link),
            Known::Left => {
                drop(registry);
                return acknowledge([receipt]);
            }
            Known::Early => {
                let kept = registry.keep_early(id, data, receipt);
                drop(registry);
                // An error would end an old peer's connection. A stream that is not whole ends when its id is known.
                return acknowledge(kept.err());
            }
            Known::Unknown => {
                drop(registry);
                return refuse([receipt]);
            }
        };
        drop(registry);
        let mut inner = link.lock();
        let before = inner.state.buffered();
        let received = inner.state.receive(data, receipt, self.received.tolerated(before));
        self.received.change(before, inner.state.buffered());
        let over = matches!(received, Received::Overrun(_));
        if over {
            inner.overrun();
        }
        let wakers = [inner.reader.take(), if over { inner.writer.take() } else { None }];
        drop(inner);
        wakers.into_iter().flatten().for_each(Waker::wake);
        match received {
            Received::Kept => {}
            Received::Dropped(receipt) | Received::Overrun(receipt) => acknowledge([receipt]),
        }
        if over {
            self.tell_overrun(&link);
        }
    }

    /// The peer sent more than is kept: it is told that the stream is over.
    pub(super) fn tell_overrun(self: &Arc<Self>, link: &Link) {
        tracing::warn!(peer = %link.connection.peer(), "a stream sent too much ahead of its reader and was ended");
        self.registry().leave(link.id);
        self.say_goodbye(&link.connection, link.id, None);
    }

    /// The peer has ended a stream or its direction of it. An id that is not known is as good as ended.
    pub(crate) fn disconnected(&self, ask: &Disconnect, answer: Answer<Disconnect>) {
        let id = ask.connection;
        let half = ask.half == Some(true);
        let mut registry = self.registry();
        let link = match registry.find(id) {
            Known::Stream(link) => Some(Arc::clone(link)),
            Known::Early => {
                registry.end_early(id, half);
                None
            }
            Known::Left | Known::Unknown => None,
        };
        let mut wakers = [None, None];
        if let Some(link) = link {
            let mut inner = link.lock();
            if half && inner.state.half_close() {
                inner.state.peer_finished();
            } else {
                inner.state.peer_gone();
            }
            wakers = [inner.reader.take(), inner.writer.take()];
            if inner.state.is_over() {
                registry.remove(id);
            }
        }
        drop(registry);
        wakers.into_iter().flatten().for_each(Waker::wake);
        answer.send(Ok(()));
    }
}

/// Received data, small if it is small.
fn compact(data: Bytes) -> Bytes {
    if data.len() < COPIED { Bytes::copy_from_slice(&data) } else { data }
}
