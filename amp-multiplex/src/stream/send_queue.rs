use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Poll, Waker, ready};
use std::time::Instant;

use amp_core::extension::{Delivery, ReplySink, Sender, SentTag};
use amp_core::{CallError, Connection};

use crate::commands::{Id, StreamGone, Transmit};
use crate::error::StreamError;

/// Maximum bytes of one Transmit: streams take turns after this many. Programs most often write this many at once, or half.
pub(crate) const MAX_TRANSMIT: usize = 32 * 1024;

/// The unacknowledged Transmits of one stream, and its place among the waiters for room.
pub(super) struct SendQueue {
    /// Waits for room in the connection's outbound buffer.
    sender: Sender,
    /// Oldest first, and so in the order of the tags.
    in_flight: VecDeque<InFlight>,
    /// The peer has failed to accept bytes. Its error is kept once: not for each Transmit behind one that is unanswered.
    has_failure: bool,
}

struct InFlight {
    tag: SentTag,
    length: usize,
    sent_at: Instant,
    /// Its reply, until it is taken.
    reply: Option<Result<(), StreamError>>,
}

/// A Transmit that was answered.
pub(super) struct Answered {
    pub(super) length: usize,
    pub(super) sent_at: Instant,
    pub(super) result: Result<(), StreamError>,
}

impl SendQueue {
    #[inline]
    pub(super) fn new(connection: &Connection) -> Self {
        // It keeps the connection open no longer than the stream does.
        Self { sender: Sender::new(connection), in_flight: VecDeque::new(), has_failure: false }
    }

    /// Whether all sent bytes are acknowledged.
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Sends a Transmit whose reply goes to `sink`, or has `waker` woken when there may be room for it.
    pub(super) fn poll_send(
        &mut self,
        waker: &Waker,
        sink: &Arc<dyn ReplySink>,
        id: &Id,
        data: &[u8],
        now: Instant,
    ) -> Poll<Result<(), CallError<StreamGone>>> {
        let tag = ready!(self.sender.poll_send::<Transmit>(waker, sink, |out| Transmit::put(id, data, out)))?;
        self.in_flight.push_back(InFlight { tag, length: data.len(), sent_at: now, reply: None });
        Poll::Ready(Ok(()))
    }

    /// The reply to a Transmit was received.
    pub(super) fn recv_reply(&mut self, reply: Delivery) {
        if let Ok(at) = self.in_flight.binary_search_by_key(&reply.tag(), |sent| sent.tag)
            && let Some(sent) = self.in_flight.get_mut(at)
        {
            let mut reply = reply.into_reply::<Transmit>().map_err(StreamError::from);
            if let Err(StreamError::PeerFailed(words)) = &mut reply
                && std::mem::replace(&mut self.has_failure, true)
            {
                *words = String::new();
            }
            sent.reply = Some(reply);
        }
    }

    /// Whether every reply that the connection has received is here, and none on its way from another thread.
    pub(super) fn has_all_replies(&self) -> bool {
        self.in_flight.iter().all(|sent| sent.reply.is_some() || self.sender.is_awaited(sent.tag))
    }

    /// Takes the oldest Transmit, if it is answered.
    pub(super) fn pop_answered(&mut self) -> Option<Answered> {
        let sent = self.in_flight.front_mut()?;
        let answered = Answered { result: sent.reply.take()?, length: sent.length, sent_at: sent.sent_at };
        self.in_flight.pop_front();
        if self.in_flight.is_empty() {
            // An idle stream holds no memory for bytes that have passed.
            self.in_flight = VecDeque::new();
        }
        Some(answered)
    }

    /// Gives up the missing replies, and passes every Transmit to `each`.
    pub(super) fn abandon(&mut self, mut each: impl FnMut(Answered)) {
        for InFlight { tag, length, sent_at, .. } in std::mem::take(&mut self.in_flight) {
            self.sender.abandon(tag);
            each(Answered { length, sent_at, result: Ok(()) });
        }
    }

    /// Passes every answered Transmit to `each`, also those behind an unanswered one.
    pub(super) fn drain_answered(&mut self, mut each: impl FnMut(Answered)) {
        self.in_flight.retain_mut(|sent| {
            let reply = sent.reply.take();
            let is_answered = reply.is_some();
            if let Some(result) = reply {
                each(Answered { length: sent.length, sent_at: sent.sent_at, result });
            }
            !is_answered
        });
    }
}
