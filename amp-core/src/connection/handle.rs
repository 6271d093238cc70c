use std::any::TypeId;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use tokio::runtime::Handle;

use super::callback::is_responding;
use super::shared::{Shared, wake};
use crate::boxes::{BoxReceiver, BoxSender, SendBoxError};
use crate::exposed::{Context, Exposable, ExposeError, State, provided};
#[cfg(feature = "testing")]
use crate::packet::AskPacket;
use crate::peer::Peer;
use crate::reason::CloseReason;
#[cfg(feature = "testing")]
use crate::responder::Ask;
use crate::settings::Settings;
use crate::wire::AmpBox;

/// A connection to a peer: both ends call, both ends answer. Cheap to clone.
///
/// It lives as long as one of its handles; dropping the last one closes it as [`close`](Self::close) does. An end that only
/// answers keeps its handle, too, as long as it should go on answering: until [`closed`](Self::closed), say.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::connection::pair;
/// use amp::locator::fallback;
/// use amp::{AmpBox, CloseReason, Connection};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let echo = fallback(|_, arguments| async { Ok(arguments) });
/// let (connection, peer) = pair(Connection::builder(), Connection::builder().locator(echo));
/// let text = AmpBox::new().with("text", "hello")?;
/// assert_eq!(connection.call_box("Echo", text.clone()).await?, text);
///
/// connection.close();
/// assert!(matches!(peer.closed().await, CloseReason::ClosedByPeer));
/// # Ok(())
/// # }
/// ```
#[doc(alias("AMP", "BoxDispatcher", "BinaryBoxProtocol"))]
#[must_use = "the connection closes when its last handle is dropped, which `let _ =` does at once: keep one"]
pub struct Connection {
    pub(super) shared: Arc<Shared>,
    /// Whether it counts among the handles: those held by a weak call or an extension do not.
    keeps_open: bool,
    /// The number of the ask that it came from, or 0. Until that ask has an answer, a caller at the other end may wait for calls
    /// made through this handle.
    ask: u32,
}

impl Connection {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self::with(shared, 0)
    }

    /// A handle that belongs to the ask with the number as long as that has no answer.
    pub(super) fn with(shared: &Arc<Shared>, ask: u32) -> Self {
        shared.add_handle();
        Self::counted(Arc::clone(shared), ask)
    }

    /// A handle that is counted already.
    pub(super) fn counted(shared: Arc<Shared>, ask: u32) -> Self {
        Self { shared, keeps_open: true, ask }
    }

    pub(super) fn ask(&self) -> u32 {
        self.ask
    }

    /// Whether calls made through it are callbacks.
    #[inline]
    pub(super) fn is_callback(&self) -> bool {
        self.ask != 0 && self.shared.unanswered.contains(self.ask)
    }

    /// A handle that does not keep the connection open.
    pub(super) fn passive(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), keeps_open: false, ask: self.ask }
    }

    /// No longer keeps the connection open.
    pub(super) fn release(&mut self) {
        if std::mem::take(&mut self.keeps_open) {
            self.shared.remove_handle();
        }
    }

    /// The ask as if the peer had sent it, for a locator under test. It wants no answer.
    #[cfg(feature = "testing")]
    pub(crate) fn received_ask(&self, packet: AskPacket) -> Ask {
        Ask::new(packet, None, Arc::clone(&self.shared) as _)
    }

    /// Ends the connection for a reason of its server.
    pub(crate) fn end(&self, reason: CloseReason) {
        self.shared.end(reason);
    }

    /// The peer at the other end.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.shared.peer
    }

    /// The settings of the connection.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Sets a value of the user's own that responders of this connection see from now on as [`State<T>`], such as the user that
    /// has logged in. Returns the previous value of that type.
    ///
    /// A value that holds a handle of its own connection keeps that open; a [weak](Self::downgrade) one does not.
    pub fn set_state<T: Send + Sync + 'static>(&self, value: T) -> Option<State<T>> {
        self.shared.set_state(Arc::new(value)).map(State::from)
    }

    /// Removes a value of the user's own for the later calls of this connection.
    pub fn remove_state<T: Send + Sync + 'static>(&self) -> Option<State<T>> {
        self.shared.remove_state().map(State::from)
    }

    /// Returns a value of the user's own, passed to the builder or set on this connection.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<State<T>> {
        let value = self.shared.states().value(TypeId::of::<State<T>>());
        value?.downcast().ok().map(State::from)
    }

    /// Passes all further boxes to `receiver`, raw, instead of to the dispatcher and the locator: outstanding calls receive no
    /// answers meanwhile. Called from a responder's first poll, it takes effect with the next box.
    ///
    /// Boxes arrive until [`stop`](BoxReceiver::stop), also while the connection closes and after its orderly end. Asks arrive
    /// unchanged: only the receiver answers them, and no limit of [`Settings`] counts them.
    ///
    /// A peer of this library waits in [`notify`](Self::notify) for the answers to boxes that have both `_ask` and `_notify`. A receiver
    /// that does not answer them, with `_answer` and the tag alone, holds up the peer's notifications.
    ///
    /// A receiver that holds a handle of its own connection keeps that open; a [weak](Self::downgrade) one does not.
    pub fn switch_receiver(&self, receiver: impl BoxReceiver) {
        self.shared.switch.set(Some(Box::new(receiver)), &self.shared.events);
    }

    /// Passes all further boxes to the dispatcher and the locator again. Boxes that the receiver got meanwhile are unknown here:
    /// calls whose answers it received continue to wait, and a peer of this library whose marked notifications it received (see
    /// `docs/wire.md`) waits for their answers before it sends more.
    pub fn restore_receiver(&self) {
        // Answers to marked notifications may have gone to the receiver.
        let next = self.shared.lock().sending().forgive_credit();
        wake(next);
        self.shared.switch.set(None, &self.shared.events);
    }

    /// Begins to close: no new calls go out. The answers to earlier calls and the peer's running commands have
    /// [`close_timeout`](crate::Settings::close_timeout) to finish. [`closed`](Self::closed) waits for the end.
    ///
    /// Notifications that the peer sent before it saw the end still run, if they arrive within
    /// [`linger`](crate::Settings::linger). Its calls are not begun.
    ///
    /// Before closing, await the calls whose responders call this end back: such a callback is answered with
    /// [`DRAINING`](crate::error::codes::DRAINING) once this end closes.
    ///
    /// When both ends close at once, the running responders finish at both ends, and are answered. A call that is still in
    /// transit is answered with `DRAINING` or fails with the connection. Each end returns [`Closed`](CloseReason::Closed) or
    /// [`ClosedByPeer`](CloseReason::ClosedByPeer), whichever it finds first.
    ///
    /// Streams of `amp-multiplex` have the same time: bytes that are unread here keep the connection open until they are read,
    /// the stream is dropped, or the time is over.
    ///
    /// If a responder calls it, the responder's own answer is still sent: Twisted's `QuitBox`.
    #[doc(alias("loseConnection"))]
    pub fn close(&self) {
        self.shared.close();
    }

    /// Ends the connection now, with [`CloseReason::Aborted`]: outstanding calls fail, and running responders are dropped, also
    /// those that would go on when the peer has left. Bytes that are already queued are still written, for as long as
    /// [`linger`](crate::Settings::linger).
    ///
    /// The peer is not told that the end was not orderly. It sees [`ClosedByPeer`](CloseReason::ClosedByPeer), and its
    /// outstanding calls fail with [`CallError::Connection`](crate::CallError::Connection), as sent.
    #[doc(alias("abortConnection"))]
    pub fn abort(&self) {
        self.shared.abort();
    }

    /// Waits until the connection has ended, its transport is closed, and the responders have finished that go on when the peer
    /// has left: those of commands that wanted no answer, and of detached ones, for up to
    /// [`close_timeout`](crate::Settings::close_timeout) after the end. Returns the reason. Called by a responder, or through a
    /// handle that came from an ask, it does not wait for responders. To learn of the end earlier, use [`on_end`](Self::on_end).
    /// The future holds no handle: it does not keep the connection open.
    ///
    /// # Cancel safety
    /// Safe to drop and to call again, also after the end.
    pub fn closed(&self) -> impl Future<Output = CloseReason> + Send + use<> {
        let mut ended = self.shared.ended.subscribe();
        // A responder that waited for responders would wait for itself.
        let by_responder = self.is_callback() || is_responding();
        async move {
            // The sender stores the reason before it is dropped.
            let ended = ended.wait_for(|ended| ended.reason.is_some() && (ended.finished || by_responder)).await;
            ended.ok().and_then(|ended| ended.reason.clone()).unwrap_or(CloseReason::DriverDropped)
        }
    }

    /// Runs `listener` once, with the reason, when the connection is over: nothing more is answered, and all waiting calls have
    /// failed. That is before the last bytes are written and [`closed`](Self::closed) returns. After an orderly end of this end,
    /// notifications that the peer had sent before still run, and a box receiver still receives boxes until its
    /// [`stop`](BoxReceiver::stop). The listener also runs when the driver is dropped with its runtime, and at once when the
    /// connection has already ended. It must not block; a panic of it is logged and costs nothing else.
    ///
    /// It cannot be removed: register one for each connection, not one for each call or stream.
    ///
    /// It is meant for protocols that ride beside the commands, such as streams: their waiters must be woken however the
    /// connection ends. A listener that holds a handle of its own connection keeps that open; a [weak](Self::downgrade) one does
    /// not.
    #[doc(alias("connectionLost"))]
    pub fn on_end(&self, listener: impl FnOnce(&CloseReason) + Send + 'static) {
        self.shared.on_end(Box::new(listener));
    }

    /// The runtime that drives the connection, once its driver has been polled: for tasks that belong to the connection and are
    /// started where there may be another runtime, or none.
    #[must_use]
    pub fn runtime(&self) -> Option<&Handle> {
        self.shared.holder.runtime.get()
    }

    /// Whether both are handles of the same connection.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Whether no more calls can be made.
    #[must_use]
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.shared.lock().refusal(false).is_some()
    }
}

impl Clone for Connection {
    fn clone(&self) -> Self {
        Self::with(&self.shared, self.ask)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.release();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("peer", &self.shared.peer).finish_non_exhaustive()
    }
}

impl BoxSender for Connection {
    fn send_box(&self, sent: AmpBox) -> Result<(), SendBoxError> {
        self.shared.send_box(&sent)
    }

    fn poll_room(&self, cx: &mut TaskContext<'_>) -> Poll<()> {
        self.shared.poll_room(cx)
    }
}

impl Exposable for Connection {
    #[inline]
    fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
        provided::<Self>(context).map(Arc::unwrap_or_clone)
    }
}
