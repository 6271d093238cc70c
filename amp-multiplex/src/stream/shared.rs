use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;

use amp_core::extension::CloseGuard;
use amp_core::{CloseReason, Connection};
use tokio::task::AbortHandle;

use super::send_queue::SendQueue;
use crate::acknowledge::{Ack, discard};
use crate::commands::Id;
use crate::error::StreamError;
use crate::kept::Kept;
use crate::limit::Place;
use crate::machine::{RemoteClose, StreamMachine};
use crate::peer_features::PeerFeatures;
use crate::streams::{self, Permit};

/// The streams of one connection.
pub(crate) type Streams = streams::Streams<Arc<Shared>>;

/// The state of a stream that a [`Stream`](super::Stream), the registry and the connection share.
///
/// It lives, and counts as a stream, until the stream was dropped, its written bytes are answered and the peer knows that it is
/// closed. Locks are taken in this order: registry, stream, kept streams, connection. No reader or writer is woken under any of
/// them.
pub(crate) struct Shared {
    id: Id,
    permit: Permit<Arc<Self>>,
    inner: Mutex<Inner>,
}

/// The machine of a stream, and its waiters.
pub(crate) struct Inner {
    pub(crate) machine: StreamMachine<Ack>,
    pub(super) send_queue: SendQueue,
    pub(crate) reader: Option<Waker>,
    pub(crate) writer: Option<Waker>,
    /// Fails the stream unless the peer's Disconnect is received in time.
    pub(super) disconnect_timeout: Option<Timeout>,
    /// A closing connection waits for the stream until the peer knows that it is closed: the user may keep the stream for longer.
    guard: Option<CloseGuard>,
    /// Its place among the [kept streams](crate::kept::KeptStreams).
    pub(super) kept_at: Option<usize>,
    /// Its place in the limit of its factory, if there is one, until the user drops the stream.
    pub(super) place: Option<Box<Place>>,
}

impl Shared {
    pub(crate) fn new(id: Id, streams: &Arc<Streams>, connection: &Connection, peer: &PeerFeatures) -> Arc<Self> {
        let permit = Permit::new(streams, &id);
        let (send_queue, guard) = (SendQueue::new(connection), Some(CloseGuard::new(connection)));
        // Built in place, from parts that cannot panic: it is large, and would be copied by each step.
        Arc::new(Self {
            id,
            permit,
            inner: Mutex::new(Inner {
                machine: streams.machine(peer),
                send_queue,
                reader: None,
                writer: None,
                disconnect_timeout: None,
                guard,
                kept_at: None,
                place: None,
            }),
        })
    }

    pub(crate) fn id(&self) -> &Id {
        &self.id
    }

    pub(crate) fn streams(&self) -> &Arc<Streams> {
        self.permit.streams()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the stream and wakes both directions.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        let result = change(&mut inner);
        let wakers = [inner.reader.take(), inner.writer.take()];
        drop(inner);
        wakers.into_iter().flatten().for_each(Waker::wake);
        result
    }

    /// Fails the stream, unless it is closed. A direction that has closed gracefully stays as it is.
    pub(crate) fn fail(&self, error: StreamError) {
        self.change(|inner| inner.fail(error));
    }

    /// Takes the stream out of the registry: the peer knows that it is closed.
    pub(crate) fn remove(self: &Arc<Self>) {
        let entry = self.streams().registry().remove(&self.id, |other| Arc::ptr_eq(self, other));
        drop(entry);
        self.leave();
    }

    /// The peer knows that the stream is closed, or will not be told: a closing connection does not wait for it.
    pub(crate) fn leave(self: &Arc<Self>) {
        let mut inner = self.lock();
        let guard = inner.guard.take();
        self.keep(inner);
        drop(guard);
    }

    /// The stream may have left the registry. Its bytes must be found when the memory is used up.
    #[inline]
    pub(super) fn keep(self: &Arc<Self>, inner: MutexGuard<'_, Inner>) {
        if inner.holds_more() && inner.kept_at.is_none() {
            self.add_kept(inner);
        }
    }

    fn add_kept(self: &Arc<Self>, mut inner: MutexGuard<'_, Inner>) {
        let kept: Weak<dyn Kept> = Arc::<Self>::downgrade(self);
        match self.streams().kept().add(kept) {
            Ok(place) => inner.kept_at = Some(place),
            Err(reason) => {
                drop(inner);
                self.lose(&reason);
            }
        }
    }

    /// The connection has ended. The stream's bytes are discarded if the reason is that the memory is used up, and otherwise when
    /// that happens.
    pub(crate) fn end(self: &Arc<Self>, reason: &CloseReason) {
        if let CloseReason::OutOfMemory { .. } = reason {
            self.lose(reason);
        } else {
            self.fail(StreamError::Connection(reason.clone()));
        }
        self.leave();
    }
}

impl Kept for Shared {
    fn lose(&self, reason: &CloseReason) {
        let (acks, half_close) = self.change(|inner| {
            inner.disconnect_timeout = None;
            let held = inner.machine.buffered();
            let acks = inner.machine.lose(StreamError::Connection(reason.clone()));
            self.streams().received().change(held, inner.machine.buffered());
            (acks, inner.machine.state().half_close())
        });
        discard(half_close, acks);
    }
}

impl Inner {
    pub(crate) fn fail(&mut self, error: StreamError) {
        self.disconnect_timeout = None;
        self.machine.fail(error);
    }

    /// The peer's Disconnect was received.
    pub(crate) fn recv_close(&mut self, close: RemoteClose) {
        self.disconnect_timeout = None;
        self.machine.recv_close(close);
    }

    /// The peer has failed to accept bytes.
    pub(super) fn recv_failure(&mut self, error: StreamError) {
        self.disconnect_timeout = None;
        self.machine.recv_failure(error);
    }

    /// Whether the stream is no longer in the registry, and no Disconnect of it is being sent.
    pub(super) fn has_left(&self) -> bool {
        self.guard.is_none()
    }

    /// Whether the stream is closed and holds bytes for its reader.
    #[inline]
    fn holds_more(&self) -> bool {
        self.machine.state().is_closed() && self.machine.buffered() > 0
    }

    /// Why the stream has failed, if it has.
    pub(crate) fn result(&self) -> Result<(), StreamError> {
        self.machine.state().error().map_or(Ok(()), |error| Err(error.clone()))
    }
}

/// A waiting task; dropping this aborts it.
pub(super) struct Timeout(pub(super) AbortHandle);

impl Drop for Timeout {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("id", &self.id).finish_non_exhaustive()
    }
}
