//! The connection: the only async code. Imports everything below it.
//!
//! One future, the driver, reads and writes; handles append what they send to one outbound buffer under one short
//! lock. The reader never waits: not for the writer, not for a responder, not for a full queue.

mod alarms;
mod announcing;
mod answering;
mod builder;
mod call;
mod callback;
mod credit;
mod descriptors;
mod driver;
mod ending;
mod exchange;
pub mod extension;
mod outbound;
mod outgoing;
mod over_boxes;
mod pace;
mod queue;
mod queued;
mod reading;
mod receiver;
mod responders;
mod shared;
mod state;
mod states;
mod timer;
pub(crate) mod transport;
mod waiting;
mod weak;

use std::any::TypeId;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

pub use builder::Builder;
pub use call::Call;
pub use driver::Driver;
pub use over_boxes::BoxInlet;
pub use timer::Timer;
pub use transport::pair;
pub use weak::WeakConnection;

use crate::boxes::{BoxReceiver, BoxSender, SendBoxError};
use crate::call_error::{CallError, NotifyError};
use crate::command::{Command, Context, Exposable, ExposeError, NoErrors, State, provided};
use crate::peer::Peer;
use crate::reason::CloseReason;
use crate::settings::Settings;
use crate::wire::AmpBox;
use callback::is_responding;
use exchange::{Exchange, Failure};
use outgoing::Untyped;
use shared::Shared;

/// A connection to a peer: both ends call, both ends answer. Cheap to clone.
///
/// It lives as long as one of its handles; dropping the last one closes it as [`close`](Self::close) does. An end that only
/// answers keeps its handle, too, as long as it should go on answering: until [`closed`](Self::closed), say.
#[must_use = "the connection closes when its last handle is dropped, which `let _ =` does at once: keep one"]
pub struct Connection {
    shared: Arc<Shared>,
    /// It counts as a handle: only what a weak call holds does not.
    counted: bool,
    /// The number of the ask that it came from, or 0. As long as that has no answer somebody at the other end may wait for what
    /// is called through it.
    ask: u32,
}

impl Connection {
    /// Begins to set a connection up.
    pub fn builder() -> Builder {
        Builder::new()
    }

    fn of(shared: &Arc<Shared>) -> Self {
        Self::with(shared, 0)
    }

    /// A handle that belongs to the ask with the number as long as that has no answer.
    fn with(shared: &Arc<Shared>, ask: u32) -> Self {
        shared.add_handle();
        Self { shared: Arc::clone(shared), counted: true, ask }
    }

    /// Whether what is called through it is a callback.
    #[inline]
    fn is_callback(&self) -> bool {
        self.ask != 0 && self.shared.unanswered.contains(self.ask)
    }

    /// What keeps nothing open.
    fn uncounted(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), counted: false, ask: self.ask }
    }

    /// No longer keeps the connection open.
    fn let_go(&mut self) {
        if std::mem::take(&mut self.counted) {
            self.shared.remove_handle();
        }
    }

    /// Calls the peer.
    ///
    /// A call waits for a place among [`most_calls`](crate::Settings::most_calls), unless it is a callback: one that is made while
    /// a responder is polled, of whichever connection, or through a handle that came from an ask, or a clone of it, as long as
    /// that ask has no answer. Callbacks take no place, or responders of two ends could wait for each other; the peer's
    /// [`most_responders`](crate::Settings::most_responders) bounds them with [`codes::BUSY`](crate::codes::BUSY).
    ///
    /// # Errors
    /// The call gives the errors of [`CallError`]; none of them but `Connection` touches other calls.
    ///
    /// # Cancel safety
    /// See [`Call`].
    pub fn call<C: Command>(&self, command: C) -> Call<C> {
        Call::new(self.clone(), command)
    }

    /// Sends a command and wants no answer. Done when the command is queued to be written: it runs at the peer, or the
    /// connection ends with a reason, and what has arrived there runs to its end also when this end closes or goes.
    ///
    /// To a peer of this library it waits while more notifications are unstarted there than the peer gives credit for, about
    /// 128 of them or 128 KiB. One that a responder makes does not wait, as a callback does not (see [`call`](Self::call)): a
    /// responder that sends very many, or to many connections, should be answered first and go on in a task of its own, or a slow
    /// peer ends its connection with [`CloseReason::TooManyNotifications`]. Other peers give no credit, and what they do with more
    /// than they can hold is theirs.
    ///
    /// What is queued is lost when the program or its runtime ends: await [`closed`](Self::closed) before.
    ///
    /// The peer tells nothing back, not even that it does not know the command; a Twisted peer ends the connection then.
    ///
    /// # Errors
    /// When an argument cannot be sent or the connection has ended.
    ///
    /// # Cancel safety
    /// When dropped before it is done, nothing is sent.
    pub async fn notify<C: Command>(&self, command: C) -> Result<(), NotifyError> {
        match Exchange::new(self.clone(), command, false).await {
            Ok(_) => Ok(()),
            Err(Failure::Invalid(error)) => Err(NotifyError::Invalid(error)),
            Err(Failure::Connection { reason, .. }) => Err(NotifyError::Connection(reason)),
            Err(Failure::Timeout { .. }) => Err(NotifyError::Timeout),
        }
    }

    /// Calls a command whose arguments have no type, for tools and proxies. Gives the answer's pairs, without `_answer`.
    ///
    /// # Errors
    /// Every error answer is [`CallError::Remote`].
    ///
    /// # Cancel safety
    /// As [`Call`].
    pub async fn call_box(&self, command: &str, arguments: AmpBox) -> Result<AmpBox, CallError<NoErrors>> {
        let reply = Exchange::new(self.clone(), Untyped(command, arguments), true).await;
        let Some(reply) = reply.map_err(Failure::into_call_error)? else { return Ok(AmpBox::new()) };
        if reply.is_error {
            return Err(call::error(&reply, self.shared.settings.boxes.nesting));
        }
        let mut answer = AmpBox::from(&reply.raw);
        // What the box says beside its fields is for this end, and not to be passed on.
        for key in ["_answer", "_amp"] {
            answer.remove(key);
        }
        Ok(answer)
    }

    /// Who is at the other end.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.shared.peer
    }

    /// What the connection allows.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Sets a value of the user's own that responders of this connection see from now on as [`State<T>`]: who logged
    /// in, say. Gives back the value of that type that was there before.
    ///
    /// A value that holds a handle of its own connection keeps that open; a [weak](Self::downgrade) one does not.
    pub fn set_state<T: Send + Sync + 'static>(&self, value: T) -> Option<State<T>> {
        self.shared.states().set(Arc::new(value)).map(State::from)
    }

    /// Takes a value of the user's own away from the later calls of this connection.
    pub fn remove_state<T: Send + Sync + 'static>(&self) -> Option<State<T>> {
        self.shared.states().remove().map(State::from)
    }

    /// A value of the user's own, given to the builder or set on this connection.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<State<T>> {
        let value = self.shared.states().value(TypeId::of::<State<T>>());
        value?.downcast().ok().map(State::from)
    }

    /// Gives all further boxes to `receiver`, raw, instead of to the dispatcher and the locator: calls that are out get
    /// no answers meanwhile. Called from a responder's first poll, it takes effect with the next box.
    ///
    /// A receiver that holds a handle of its own connection keeps that open; a [weak](Self::downgrade) one does not.
    pub fn switch_receiver(&self, receiver: impl BoxReceiver) {
        self.shared.switch.set(Some(Box::new(receiver)));
    }

    /// Gives all further boxes to the dispatcher and the locator again. What the receiver got meanwhile is not told here: calls whose
    /// answers it got wait on, and a peer of this library whose marked notifications it got (see `docs/wire.md`) waits for their
    /// answers before it sends more.
    pub fn restore_receiver(&self) {
        // Answers to marked notifications may have gone to the receiver.
        let mut state = self.shared.lock();
        state.credit.forgive();
        let next = state.next_notification(&self.shared.settings);
        drop(state);
        next.into_iter().for_each(Waker::wake);
        self.shared.switch.set(None);
    }

    /// Begins to close: no new calls go out, the answers to old ones and the peer's running commands get
    /// [`close_timeout`](crate::Settings::close_timeout) to finish. [`closed`](Self::closed) tells when it is done.
    ///
    /// A responder that calls it has its own answer still sent: Twisted's `QuitBox`.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Ends the connection now, with [`CloseReason::Aborted`]: outstanding calls fail, running responders are dropped, also
    /// those that go on when the peer has left. What
    /// is already queued to be written still goes out, for as long as [`linger`](crate::Settings::linger).
    pub fn abort(&self) {
        self.shared.abort();
    }

    /// Waits until the connection has ended, its transport is closed, and the responders have finished that go on when the
    /// peer has left: those of commands that wanted no answer, and of detached ones, for up to
    /// [`close_timeout`](crate::Settings::close_timeout) after the end. Gives the reason. Called by a responder, or through
    /// a handle that came from an ask, it does not wait for responders. To learn of the end earlier, use
    /// [`on_end`](Self::on_end). The future holds no handle: it does not keep the connection open.
    ///
    /// # Cancel safety
    /// Safe to drop and to call again, also after the end.
    pub fn closed(&self) -> impl Future<Output = CloseReason> + Send + use<> {
        let mut ended = self.shared.ended.subscribe();
        // A responder that waited for responders would wait for itself.
        let by_responder = self.is_callback() || is_responding();
        async move {
            // The sender says the reason before it goes.
            let ended = ended.wait_for(|ended| ended.reason.is_some() && (ended.finished || by_responder)).await;
            ended.ok().and_then(|ended| ended.reason.clone()).unwrap_or(CloseReason::DriverDropped)
        }
    }

    /// Runs `listener` once, with the reason, when nothing more is received and all waiting calls have failed: before the last
    /// bytes are written and [`closed`](Self::closed) returns. It also runs when the driver is dropped with its runtime, and at
    /// once when the connection has ended before. It must not block; a panic of it is logged and costs nothing else.
    ///
    /// It cannot be taken back: one for each connection, not for each call or stream.
    ///
    /// For protocols that ride beside the commands, as that of streams: their waiters must be woken however the connection ends.
    /// A listener that holds a handle of its own connection keeps that open; a [weak](Self::downgrade) one does not.
    pub fn on_end(&self, listener: impl FnOnce(&CloseReason) + Send + 'static) {
        self.shared.on_end(Box::new(listener));
    }

    /// A handle that does not keep the connection open.
    #[must_use]
    pub fn downgrade(&self) -> WeakConnection {
        WeakConnection::of(&self.shared, self.ask)
    }

    /// The runtime that drives the connection, once its driver has been polled: for tasks that belong to the connection and are
    /// begun where there may be another runtime, or none.
    #[must_use]
    pub fn runtime(&self) -> Option<&Handle> {
        self.shared.runtime.get()
    }

    /// Whether both are handles of the same connection.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Whether no more calls can be made.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.lock().refusal().is_some()
    }
}

impl Clone for Connection {
    fn clone(&self) -> Self {
        Self::with(&self.shared, self.ask)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.let_go();
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
    fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
        provided::<Self>(context).map(Arc::unwrap_or_clone)
    }
}

/// Panics outside a runtime with time enabled, in tokio's words for it: else the first time limit would, long after the
/// mistake.
#[track_caller]
pub(crate) fn require_time() {
    drop(tokio::time::sleep(Duration::ZERO));
}

/// The runtime's time, which a test may have paused.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The instant after `duration`; for one that the clock does not hold, an instant that nobody lives to see.
fn after(duration: Duration) -> Instant {
    const DECADES: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    now().checked_add(duration).unwrap_or_else(|| now() + DECADES)
}
