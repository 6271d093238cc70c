//! Sending of a stream, whether or not its writer is polled: written bytes are sent, and answers make room for more, while the
//! writer sleeps.

use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::time::Instant;

use amp_core::extension::{Delivery, ReplySink};

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
        // Streams take turns, not their writers: each sends one Transmit in the order of arrival, also when one task writes to
        // all of them.
        let waker = Waker::from(Arc::clone(self));
        let sink: Arc<dyn ReplySink> = Arc::clone(self) as _;
        match inner.send_queue.poll_send(&waker, &sink, self.id(), &bytes[..length], now) {
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

    /// Takes the answers that are here, also those behind bytes that wait for the peer's reader.
    pub(super) fn take_all_answers(self: &Arc<Self>) {
        let (mut guard, mut failed) = (self.lock(), None);
        let Inner { send_queue, machine, .. } = &mut *guard;
        send_queue.drain_answered(|answered| {
            self.acknowledged(machine, &answered);
            failed = failed.take().or(answered.result.err());
        });
        drop(guard);
        if let Some(error) = failed {
            self.send_failed(error);
        }
    }

    /// Gives up the outstanding answers: the peer does not even tell that it knows of the end.
    pub(super) fn abandon_in_flight(&self) {
        let mut inner = self.lock();
        let Inner { send_queue, machine, .. } = &mut *inner;
        send_queue.abandon(|abandoned| self.acknowledged(machine, &abandoned));
    }

    /// A Transmit was answered, or its answer was given up: its bytes are no longer in flight.
    fn acknowledged(&self, machine: &mut StreamMachine<Ack>, answered: &Answered) {
        let before = machine.in_flight();
        machine.acknowledged(answered.length, answered.sent_at, now());
        self.streams().in_flight().change(before, machine.in_flight());
    }

    /// The peer has not accepted bytes that were sent.
    fn send_failed(self: &Arc<Self>, error: StreamError) -> StreamError {
        match &error {
            StreamError::PeerDisconnected => self.recv_refusal(),
            StreamError::PeerFailed(_) => {
                let was_closed = self.change(|inner| {
                    let was_closed = inner.machine.state().is_closed();
                    inner.recv_failure(error.clone());
                    was_closed
                });
                // Later bytes may have been accepted.
                if was_closed {
                    self.remove();
                } else {
                    self.close(true);
                    self.keep(self.lock());
                }
            }
            error => {
                self.change(|inner| inner.recv_failure(error.clone()));
                self.remove();
            }
        }
        error
    }
}

/// The connection delivers the answers to Transmits. They are taken in order: an answer that arrives before an earlier one waits.
impl ReplySink for Shared {
    fn deliver(self: Arc<Self>, replies: &mut dyn Iterator<Item = Delivery>) {
        let mut inner = self.lock();
        replies.for_each(|reply| inner.send_queue.recv_reply(reply));
        let mut failed = Vec::new();
        while let Some(answered) = inner.send_queue.pop_answered() {
            self.acknowledged(&mut inner.machine, &answered);
            failed.extend(answered.result.err());
        }
        let writer = inner.writer.take();
        drop(inner);
        for error in failed {
            self.send_failed(error);
        }
        writer.into_iter().for_each(Waker::wake);
    }
}

/// The connection wakes the stream when it is its turn to send.
impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        let writer = self.lock().writer.take();
        writer.into_iter().for_each(Waker::wake);
    }
}

/// The runtime's time, which a test may have paused.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
