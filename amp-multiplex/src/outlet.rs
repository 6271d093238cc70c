//! The way of a stream's bytes out. It goes on whether or not the writer is polled: what was written is sent, and answers
//! give their credit back, while the writer sleeps.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use amp_core::extension::PendingReply;

use crate::commands::Transmit;
use crate::error::StreamError;
use crate::link::{Inner, Link};
use crate::machine::PATIENCE;

/// The most bytes of one Transmit: streams take turns after as many. What programs write is most often this long or a half of it.
pub(crate) const CHUNK: usize = 32 * 1024;

/// Bytes on their way.
pub(crate) struct Chunk {
    answer: PendingReply<Transmit>,
    length: usize,
    sent: Instant,
}

impl Link {
    /// Begins to send bytes, if there is room; they count as sent. `None` while there is no room: `writer` is woken then.
    pub(crate) fn send(self: &Arc<Self>, bytes: &[u8], writer: &Waker) -> Result<Option<usize>, StreamError> {
        let (mut inner, now) = (self.lock(), now());
        let (before, was_draining) = (inner.state.in_flight(), inner.state.is_draining());
        let Some(room) = inner.state.room(self.house.in_flight.fair_share(before), now) else {
            let ended = if inner.state.is_finished() { StreamError::Closed } else { StreamError::PeerDisconnected };
            return Err(inner.error.as_deref().cloned().unwrap_or(ended));
        };
        if room == 0 {
            inner.writer = Some(writer.clone());
            if inner.state.is_draining() && !was_draining {
                self.call_again();
            }
            return Ok(None);
        }
        let length = bytes.len().min(room).min(CHUNK);
        if length == 0 {
            return Ok(Some(0));
        }
        // The stream keeps the connection open; what it leaves on its way does not.
        let waker = Waker::from(Arc::clone(self));
        let sent = inner.turn.poll_send(&waker, |out| Transmit::put(&self.id, &bytes[..length], out));
        match sent {
            Poll::Ready(Ok(answer)) => {
                inner.sent.push_back(Chunk { answer, length, sent: now });
                inner.state.sent(length);
                self.house.in_flight.change(before, inner.state.in_flight());
                Ok(Some(length))
            }
            Poll::Ready(Err(error)) => {
                drop(inner);
                Err(self.give_up(error.into()))
            }
            Poll::Pending => {
                inner.writer = Some(writer.clone());
                Ok(None)
            }
        }
    }

    /// Wakes the writer when it has been held up for long enough, whether or not the reader has read.
    fn call_again(self: &Arc<Self>) {
        let link = Arc::downgrade(self);
        self.house.spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            if let Some(link) = link.upgrade() {
                let writer = link.lock().writer.take();
                writer.into_iter().for_each(Waker::wake);
            }
        });
    }

    /// Takes the answers that are here, and wakes the writer if there may be room for more.
    fn advance(self: &Arc<Self>) {
        let mut inner = self.lock();
        let waiting = inner.turn.is_waiting();
        let answered = self.take_answers(&mut inner);
        let writer = if waiting || !matches!(answered, Ok(false)) { inner.writer.take() } else { None };
        drop(inner);
        if let Err(error) = answered {
            self.give_up(error);
        }
        writer.into_iter().for_each(Waker::wake);
    }

    /// Whether there were any. The connection wakes the link itself when there are more.
    fn take_answers(self: &Arc<Self>, inner: &mut Inner) -> Result<bool, StreamError> {
        let waker = Waker::from(Arc::clone(self));
        let cx = &mut Context::from_waker(&waker);
        let mut answered = false;
        while let Some(oldest) = inner.sent.front_mut()
            && let Poll::Ready(answer) = Pin::new(&mut oldest.answer).poll(cx)
        {
            answered = true;
            let Some(chunk) = inner.sent.pop_front() else { break };
            self.settle(inner, &chunk);
            answer?;
        }
        if inner.sent.is_empty() {
            inner.sent = VecDeque::new();
        }
        Ok(answered)
    }

    /// Takes the answers that are here, also those behind bytes that wait for the peer's reader.
    pub(crate) fn take_all_answers(self: &Arc<Self>) {
        let waker = Waker::from(Arc::clone(self));
        let cx = &mut Context::from_waker(&waker);
        let (mut inner, mut failed) = (self.lock(), None);
        for mut chunk in std::mem::take(&mut inner.sent) {
            match Pin::new(&mut chunk.answer).poll(cx) {
                Poll::Ready(answer) => {
                    self.settle(&mut inner, &chunk);
                    failed = failed.or(answer.err());
                }
                Poll::Pending => inner.sent.push_back(chunk),
            }
        }
        drop(inner);
        if let Some(error) = failed {
            self.give_up(error.into());
        }
    }

    /// A chunk was answered.
    fn settle(&self, inner: &mut Inner, chunk: &Chunk) {
        let before = inner.state.in_flight();
        inner.state.answered(chunk.length, chunk.sent, now());
        self.house.in_flight.change(before, inner.state.in_flight());
    }

    /// The peer does not take the bytes.
    fn give_up(self: &Arc<Self>, error: StreamError) -> StreamError {
        match &error {
            StreamError::PeerDisconnected => {
                self.lock().refused = true;
                self.peer_left();
            }
            StreamError::PeerFailed(_) => {
                let over = self.change(|inner| {
                    let over = inner.state.is_over();
                    inner.refused = true;
                    inner.fail(error.clone());
                    over
                });
                // What is behind these bytes may have been taken.
                if over { self.forget() } else { drop(self.part(true)) }
            }
            error => {
                self.fail(error.clone());
                self.forget();
            }
        }
        error
    }
}

/// The connection wakes the link when an answer comes and when it is its turn to send. Turns belong to links: so streams send
/// one chunk each in the order in which they came, also when one task writes to all of them.
impl Wake for Link {
    fn wake(self: Arc<Self>) {
        self.advance();
    }
}

impl fmt::Debug for Chunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chunk({})", self.length)
    }
}

/// The runtime's time, which a test may have paused.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
