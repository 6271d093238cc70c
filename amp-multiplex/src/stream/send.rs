//! How a stream sends, whether or not its writer is polled: what was written is sent, and answers make room for more, while the
//! writer sleeps.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use super::send_queue::{Answered, MAX_TRANSMIT};
use super::shared::{Inner, Shared};
use crate::acknowledge::Ack;
use crate::error::StreamError;
use crate::machine::{PROBE_TIMEOUT, StreamMachine};

impl Shared {
    /// Sends bytes if there is capacity, and returns how many. `None` while there is none: `writer` is woken then.
    pub(super) fn send(self: &Arc<Self>, bytes: &[u8], writer: &Waker) -> Result<Option<usize>, StreamError> {
        let (mut guard, now) = (self.lock(), now());
        let inner = &mut *guard;
        let (before, was_draining) = (inner.machine.in_flight(), inner.machine.is_draining());
        let Some(capacity) = inner.machine.capacity(self.streams().in_flight().fair_share(before), now) else {
            inner.result()?;
            return Err(if inner.machine.state().is_finished() {
                StreamError::Closed
            } else {
                StreamError::PeerDisconnected
            });
        };
        if capacity == 0 {
            inner.writer = Some(writer.clone());
            if inner.machine.is_draining() && !was_draining {
                self.start_probe_timeout();
            }
            return Ok(None);
        }
        let length = bytes.len().min(capacity).min(MAX_TRANSMIT);
        if length == 0 {
            return Ok(Some(0));
        }
        // Streams take turns, not their writers: each sends one Transmit in the order in which they came, also when one task
        // writes to all of them.
        let waker = Waker::from(Arc::clone(self));
        match inner.send_queue.poll_send(&waker, self.id(), &bytes[..length], now) {
            Poll::Ready(Ok(())) => {
                inner.machine.sent(length);
                self.streams().in_flight().change(before, inner.machine.in_flight());
                Ok(Some(length))
            }
            Poll::Ready(Err(error)) => {
                drop(guard);
                Err(self.send_failed(error.into()))
            }
            Poll::Pending => {
                inner.writer = Some(writer.clone());
                Ok(None)
            }
        }
    }

    /// Wakes the writer when the measurement of the round trip has taken long enough, whether or not the peer's reader has read.
    fn start_probe_timeout(self: &Arc<Self>) {
        let stream = Arc::downgrade(self);
        self.streams().spawn(async move {
            tokio::time::sleep(PROBE_TIMEOUT).await;
            if let Some(stream) = stream.upgrade() {
                let writer = stream.lock().writer.take();
                writer.into_iter().for_each(Waker::wake);
            }
        });
    }

    /// Takes the answers that are here, in order. Returns whether there were any; the connection wakes the stream when there are
    /// more.
    fn take_answers(self: &Arc<Self>, inner: &mut Inner) -> Result<bool, StreamError> {
        let waker = Waker::from(Arc::clone(self));
        let cx = &mut Context::from_waker(&waker);
        let mut any = false;
        while let Some(answered) = inner.send_queue.pop_answered(cx) {
            any = true;
            self.acknowledged(&mut inner.machine, &answered);
            answered.result?;
        }
        Ok(any)
    }

    /// Takes the answers that are here, also those behind bytes that wait for the peer's reader.
    pub(super) fn take_all_answers(self: &Arc<Self>) {
        let waker = Waker::from(Arc::clone(self));
        let cx = &mut Context::from_waker(&waker);
        let (mut guard, mut failed) = (self.lock(), None);
        let Inner { send_queue, machine, .. } = &mut *guard;
        send_queue.drain_answered(cx, |answered| {
            self.acknowledged(machine, &answered);
            failed = failed.take().or(answered.result.err());
        });
        drop(guard);
        if let Some(error) = failed {
            self.send_failed(error.into());
        }
    }

    /// A Transmit was answered: its bytes are no longer in flight.
    fn acknowledged(&self, machine: &mut StreamMachine<Ack>, answered: &Answered) {
        let before = machine.in_flight();
        machine.acknowledged(answered.length, answered.sent_at, now());
        self.streams().in_flight().change(before, machine.in_flight());
    }

    /// The peer has not taken bytes that were sent.
    fn send_failed(self: &Arc<Self>, error: StreamError) -> StreamError {
        match &error {
            StreamError::PeerDisconnected => self.recv_refusal(),
            StreamError::PeerFailed(_) => {
                let was_closed = self.change(|inner| {
                    let was_closed = inner.machine.state().is_closed();
                    inner.recv_failure(error.clone());
                    was_closed
                });
                // Bytes behind these may have been taken.
                if was_closed { self.remove() } else { drop(self.close(true)) }
            }
            error => {
                self.change(|inner| inner.recv_failure(error.clone()));
                self.remove();
            }
        }
        error
    }
}

/// The connection wakes the stream when an answer is received and when it is its turn to send.
impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        let mut inner = self.lock();
        let was_waiting = inner.send_queue.is_waiting();
        let answered = self.take_answers(&mut inner);
        let writer = if was_waiting || !matches!(answered, Ok(false)) { inner.writer.take() } else { None };
        drop(inner);
        if let Err(error) = answered {
            self.send_failed(error);
        }
        writer.into_iter().for_each(Waker::wake);
    }
}

/// The runtime's time, which a test may have paused.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
