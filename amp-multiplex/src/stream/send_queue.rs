use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use amp_core::extension::{PendingReply, Sender};
use amp_core::{CallError, Connection};

use crate::commands::{Id, StreamGone, Transmit};

/// The most bytes of one Transmit: streams take turns after as many. What programs write is most often as long, or half of it.
pub(crate) const MAX_TRANSMIT: usize = 32 * 1024;

/// The Transmits of one stream that are not acknowledged, and its place among those that wait to send.
pub(super) struct SendQueue {
    /// Waits for room in the connection's outbound buffer.
    sender: Sender,
    /// Oldest first.
    in_flight: VecDeque<InFlight>,
}

struct InFlight {
    answer: PendingReply<Transmit>,
    length: usize,
    sent_at: Instant,
}

/// A Transmit that was answered.
pub(super) struct Answered {
    pub(super) length: usize,
    pub(super) sent_at: Instant,
    pub(super) result: Result<(), CallError<StreamGone>>,
}

impl SendQueue {
    pub(super) fn new(connection: &Connection) -> Self {
        // It keeps the connection open no longer than the stream does.
        Self { sender: Sender::new(connection), in_flight: VecDeque::new() }
    }

    /// Whether everything that was sent is acknowledged.
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// Whether nothing was sent since sending was last pending.
    pub(super) fn is_waiting(&self) -> bool {
        self.sender.is_waiting()
    }

    /// Sends a Transmit, or has `waker` woken when there may be room for it. The waker is woken by the answer, too.
    pub(super) fn poll_send(
        &mut self,
        waker: &Waker,
        id: &Id,
        data: &[u8],
        now: Instant,
    ) -> Poll<Result<(), CallError<StreamGone>>> {
        let answer = ready!(self.sender.poll_send(waker, |out| Transmit::put(id, data, out)))?;
        self.in_flight.push_back(InFlight { answer, length: data.len(), sent_at: now });
        Poll::Ready(Ok(()))
    }

    /// Takes the oldest Transmit, if it is answered.
    pub(super) fn pop_answered(&mut self, cx: &mut Context<'_>) -> Option<Answered> {
        let result = match Pin::new(&mut self.in_flight.front_mut()?.answer).poll(cx) {
            Poll::Ready(result) => result,
            Poll::Pending => return None,
        };
        let InFlight { length, sent_at, .. } = self.in_flight.pop_front()?;
        if self.in_flight.is_empty() {
            // An idle stream holds no memory for what has passed.
            self.in_flight = VecDeque::new();
        }
        Some(Answered { length, sent_at, result })
    }

    /// Passes every Transmit that is answered to `each`, also those behind one that is not.
    pub(super) fn drain_answered(&mut self, cx: &mut Context<'_>, mut each: impl FnMut(Answered)) {
        for mut sent in std::mem::take(&mut self.in_flight) {
            match Pin::new(&mut sent.answer).poll(cx) {
                Poll::Ready(result) => each(Answered { length: sent.length, sent_at: sent.sent_at, result }),
                Poll::Pending => self.in_flight.push_back(sent),
            }
        }
    }
}
