//! The way of a stream's bytes out. It goes on whether or not the writer is polled: what was written is sent, and answers
//! give their credit back, while the writer sleeps.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use amp_core::{Call, Connection};
use bytes::Bytes;

use crate::commands::Transmit;
use crate::error::StreamError;
use crate::link::{Inner, Link};
use crate::machine::PATIENCE;

/// The most bytes of one Transmit: streams take turns after as many. Two go into one segment of a loopback interface.
pub(crate) const CHUNK: usize = 32_000;

/// Bytes on their way.
pub(crate) struct Chunk {
    pub(crate) call: Call<Transmit>,
    length: usize,
    sent: Instant,
}

impl Link {
    /// Begins to send bytes, if there is room; they count as sent. `None` while there is no room: `writer` is woken then.
    pub(crate) fn send(
        self: &Arc<Self>,
        connection: &Connection,
        bytes: &[u8],
        writer: &Waker,
    ) -> Result<Option<usize>, StreamError> {
        let (mut inner, now) = (self.lock(), now());
        let (before, was_draining) = (inner.state.in_flight(), inner.state.is_draining());
        let Some(room) = inner.state.room(self.house.in_flight.fair_share(before), now) else {
            let ended = if inner.state.is_finished() { StreamError::Closed } else { StreamError::PeerDisconnected };
            return Err(inner.error.as_deref().cloned().unwrap_or(ended));
        };
        if inner.unsent.is_some() || room == 0 {
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
        inner.state.sent(length);
        self.house.in_flight.change(before, inner.state.in_flight());
        // The stream keeps the connection open; what it leaves on its way does not.
        let waker = Waker::from(Arc::clone(self));
        let sent = Call::<Transmit>::at_once(connection, &waker, |out| Transmit::put(self.id, &bytes[..length], out));
        match sent {
            Some(Ok(call)) => {
                inner.sent.push_back(Chunk { call, length, sent: now });
                return Ok(Some(length));
            }
            Some(Err(error)) => {
                let held = inner.state.in_flight();
                inner.state.taken_back(length);
                self.house.in_flight.change(held, before);
                drop(inner);
                return Err(self.give_up(error.into()));
            }
            None => {}
        }
        let data = Bytes::copy_from_slice(&bytes[..length]);
        let call = connection.call(Transmit { connection: self.id, data }).no_timeout().uncounted().weak();
        inner.unsent = Some(Chunk { call, length, sent: now });
        let failed = self.advance_locked(&mut inner).err();
        drop(inner);
        failed.map_or(Ok(Some(length)), |error| Err(self.give_up(error)))
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

    /// What waits for room does not go out.
    pub(crate) fn take_back(&self, inner: &mut Inner) -> Option<Chunk> {
        let (before, unsent) = (inner.state.in_flight(), inner.unsent.take()?);
        inner.state.taken_back(unsent.length);
        self.house.in_flight.change(before, inner.state.in_flight());
        Some(unsent)
    }

    /// Sends what waits for room and takes the answers that are here.
    fn advance(self: &Arc<Self>) {
        let mut inner = self.lock();
        let moved = self.advance_locked(&mut inner);
        let writer = if matches!(moved, Ok(false)) { None } else { inner.writer.take() };
        drop(inner);
        if let Err(error) = moved {
            self.give_up(error);
        }
        writer.into_iter().for_each(Waker::wake);
    }

    /// Whether anything has moved. The connection wakes the link itself when there is more to do.
    fn advance_locked(self: &Arc<Self>, inner: &mut Inner) -> Result<bool, StreamError> {
        let waker = Waker::from(Arc::clone(self));
        let cx = &mut Context::from_waker(&waker);
        let mut moved = false;
        if let Some(chunk) = &mut inner.unsent
            && let Poll::Ready(sent) = chunk.call.poll_sent(cx)
        {
            moved = true;
            let chunk = inner.unsent.take();
            sent?;
            inner.sent.extend(chunk);
        }
        while let Some(oldest) = inner.sent.front_mut()
            && let Poll::Ready(answer) = Pin::new(&mut oldest.call).poll(cx)
        {
            moved = true;
            let Some(Chunk { length, sent, .. }) = inner.sent.pop_front() else { break };
            let before = inner.state.in_flight();
            inner.state.answered(length, sent, now());
            self.house.in_flight.change(before, inner.state.in_flight());
            answer?;
        }
        if inner.sent.is_empty() {
            inner.sent = VecDeque::new();
        }
        Ok(moved)
    }

    /// The peer does not take the bytes: the stream is over.
    fn give_up(self: &Arc<Self>, error: StreamError) -> StreamError {
        let over = self.change(|inner| {
            let over = inner.state.is_peer_gone();
            match &error {
                // As if it had said so before: what it has sent can be read, to the end.
                StreamError::PeerDisconnected => {
                    inner.refused = true;
                    inner.state.peer_gone();
                }
                error => inner.fail(error.clone()),
            }
            over
        });
        match error {
            // What is behind these bytes may have been taken.
            StreamError::PeerFailed(_) if !over => drop(self.part(false, true)),
            _ => self.forget(),
        }
        error
    }
}

/// The connection wakes the link where it stands. So bytes go out in the order in which streams came for room, each one
/// chunk, however their tasks are scheduled.
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
