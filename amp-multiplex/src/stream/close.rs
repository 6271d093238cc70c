use std::sync::Arc;

use amp_core::Connection;
use amp_core::extension::{EventKind, Events};
use tokio::task::JoinHandle;
use tracing::Level;

use super::disconnect::send_disconnect;
use super::shared::{Inner, Shared, Streams, Timeout};
use crate::commands::{ExtraKey, Id};
use crate::error::StreamError;

const OVERRUN: EventKind = EventKind::new(Level::WARN, "streams ended that sent too much");

/// Sends a Disconnect; its result is that of the answer.
pub(super) type CloseTask = JoinHandle<Result<(), StreamError>>;

impl Shared {
    /// Closes the stream: takes it out of the registry and sends the Disconnect. With `cut`, the bytes that were sent are not all
    /// that was meant.
    pub(super) fn close(self: &Arc<Self>, cut: bool) -> Option<CloseTask> {
        let entry = self.streams().registry().close(self.id(), |other| Arc::ptr_eq(self, other));
        drop(entry);
        // It counts as a stream until the peer has answered, or its time is over.
        tell_closed(self.streams(), self.id().clone(), Arc::clone(self), cut, |stream, answered| {
            if !answered {
                stream.abandon_in_flight();
            }
            stream.leave();
        })
    }

    /// Closes a stream whose peer has sent more than is allowed.
    pub(crate) fn close_overrun(self: &Arc<Self>, cut: bool) {
        if let Ok(connection) = self.streams().connection() {
            Events::of(&connection).tell(OVERRUN, |peer, omitted| {
                tracing::warn!(%peer, omitted, id = ?self.id(), "a stream sent too much ahead of its reader and was ended");
            });
        }
        self.close(cut);
        self.keep(self.lock());
    }

    /// Sends the Disconnect for the writing direction.
    pub(super) fn close_write(&self, connection: &Connection) -> Option<CloseTask> {
        let (streams, connection) = (Arc::clone(self.streams()), connection.clone());
        let id = self.id().clone();
        self.streams().spawn(async move {
            send_disconnect(&streams, connection, &id, ExtraKey(Some(true)), ExtraKey(None)).await
        })
    }

    /// The peer has refused bytes: it reads no more.
    pub(super) fn recv_refusal(self: &Arc<Self>) {
        self.await_disconnect(|inner| inner.machine.recv_refusal());
    }

    /// The peer has refused the close of one direction, because it has not received all bytes that were sent before.
    pub(super) fn recv_close_refusal(self: &Arc<Self>) {
        self.await_disconnect(|_| ());
    }

    /// The peer has closed. Its Disconnect tells how its bytes end, unless it is a txampext peer: the reader waits.
    fn await_disconnect(self: &Arc<Self>, event: impl FnOnce(&mut Inner)) {
        let closed = self.change(|inner| {
            event(inner);
            let closed = inner.machine.state().is_closed();
            if !closed && inner.disconnect_timeout.is_none() {
                inner.disconnect_timeout = self.start_disconnect_timeout();
            }
            closed
        });
        if closed {
            self.remove();
        }
    }

    fn start_disconnect_timeout(self: &Arc<Self>) -> Option<Timeout> {
        let (stream, timeout) = (Arc::downgrade(self), self.streams().settings().disconnect_timeout);
        let expiry = self.streams().spawn(async move {
            tokio::time::sleep(timeout).await;
            if let Some(stream) = stream.upgrade() {
                stream.fail(StreamError::Cut);
                stream.remove();
            }
        });
        expiry.map(|expiry| Timeout(expiry.abort_handle()))
    }
}

/// A stream whose id is [closing](crate::machine::Registry::close) in the registry. When this is dropped, the peer knows that the
/// stream is closed, or will not be told.
struct Closing<T> {
    streams: Arc<Streams>,
    id: Id,
    kept: T,
    /// Whether the peer has not answered in time.
    is_overdue: bool,
    told: fn(&T, bool),
}

impl<T> Drop for Closing<T> {
    fn drop(&mut self) {
        (self.told)(&self.kept, !self.is_overdue);
        self.streams.registry().closed(&self.id);
    }
}

/// Sends the Disconnect of a stream whose id is [closing](crate::machine::Registry::close) in the registry. `kept` lives until
/// the peer has answered, or its time is over: then `told` is called with the outcome. The same happens if the peer cannot be
/// told.
pub(crate) fn tell_closed<T: Send + 'static>(
    streams: &Arc<Streams>,
    id: Id,
    kept: T,
    cut: bool,
    told: fn(&T, bool),
) -> Option<CloseTask> {
    let mut closing = Closing { streams: Arc::clone(streams), id, kept, is_overdue: false, told };
    let connection = streams.connection().ok()?;
    streams.spawn(async move {
        let cut = ExtraKey(cut.then_some(true));
        let result = send_disconnect(&closing.streams, connection, &closing.id, ExtraKey(None), cut).await;
        closing.is_overdue = matches!(result, Err(StreamError::Timeout));
        drop(closing);
        result
    })
}
