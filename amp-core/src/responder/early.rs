use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::asker::{Asker, ReplyPlace};
use crate::call_error::{CallError, Reply};
use crate::command::{Arguments, Command, ErrorCodes};
use crate::exposed::{Context, Exposable, ExposeError};

/// The answer to a command, exposed to its responder, which sends it and goes on working.
///
/// What the responder returns after that is not sent, and its error is logged. It is still a responder: it counts as one, closing
/// waits for it, and its calls are callbacks. When the peer leaves it is dropped, unless its command is `#[amp(detached)]` or the peer
/// wanted no answer.
///
/// It is a field of the command, `#[exposed] answer: Exposed<EarlyAnswer<Self>>` with the name of the struct for `Self`, or a
/// further parameter of a method in an `impl` block with `#[responder]`. A command that was taken with
/// [`Ask::accept`](super::Ask::accept) has an [`Answer`](super::Answer) already, and exposes none.
///
/// Only a connection makes one. A test of its responder asks over a connection in memory: one of
/// [`pair`](crate::connection::pair), or that of a `ScriptedPeer` of `amp::testing`, which stays open behind the answer.
///
/// # Cancel safety
/// Dropping it sends nothing: the responder's result is the answer.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::locator::EarlyAnswer;
/// use amp::{Command, Reply};
///
/// /// Accepts a command at once, and carries it out.
/// async fn carry_out<C: Command<Response = ()>>(command: C, answer: EarlyAnswer<C>) -> Reply<C> {
///     answer.send(Ok(()));
///     if let Err(error) = make_report(command).await {
///         // The peer has its answer: this is logged.
///         return Err(amp::CallError::failed(error));
///     }
///     Ok(())
/// }
/// # async fn make_report<C>(_: C) -> std::io::Result<()> { Ok(()) }
/// ```
pub struct EarlyAnswer<C> {
    /// The responder's: the ask ends with it.
    asker: Weak<Mutex<Asker>>,
    command: PhantomData<fn(C)>,
}

impl<C: Command> EarlyAnswer<C> {
    /// Queues the answer to be written. Returns whether it is the answer that counts: `false` if one was sent before, or the
    /// responder has ended.
    pub fn send(&self, reply: Reply<C>) -> bool {
        let Some(asker) = self.asker.upgrade() else { return false };
        let mut asker = lock(&asker);
        let is_first = !asker.is_answered();
        if is_first {
            // The peer may use the tag again as soon as it has the answer: to cancel that ask must not drop this responder.
            asker.forget();
            asker.reply(reply);
            asker.answered_early();
        }
        is_first
    }

    /// Whether the peer wants an answer and has none.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.asker.upgrade().is_some_and(|asker| {
            let asker = lock(&asker);
            asker.wants_answer() && !asker.is_answered()
        })
    }
}

impl<C: Command> Exposable for EarlyAnswer<C> {
    const EARLY_ANSWER: Option<&'static str> = Some(C::NAME);

    fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
        // Looked up by its own type: another command of the same name has another response.
        let shared = context.provide(TypeId::of::<Self>()).and_then(|shared| shared.downcast::<Mutex<Asker>>().ok());
        let shared = shared.ok_or(ExposeError::new::<Self>(
            "use the answer that `Ask::accept` returns; an `Exposable` of your own passes on `EARLY_ANSWER` of what it contains",
        ))?;
        Ok(Self { asker: Arc::downgrade(&shared), command: PhantomData })
    }
}

impl<C> Clone for EarlyAnswer<C> {
    fn clone(&self) -> Self {
        Self { asker: Weak::clone(&self.asker), command: PhantomData }
    }
}

impl<C> fmt::Debug for EarlyAnswer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EarlyAnswer").finish_non_exhaustive()
    }
}

/// The place of answering of a responder that may answer early.
pub(super) struct SharedAsker {
    asker: Arc<Mutex<Asker>>,
    /// The type of its early answer.
    answer: TypeId,
}

impl SharedAsker {
    pub(super) fn new<C: Command>(asker: Asker) -> Self {
        Self { asker: Arc::new(Mutex::new(asker)), answer: TypeId::of::<EarlyAnswer<C>>() }
    }
}

impl ReplyPlace for SharedAsker {
    fn finish<R: Arguments, E: ErrorCodes>(&mut self, reply: Result<R, CallError<E>>) {
        let mut asker = lock(&self.asker);
        match reply {
            reply if !asker.is_answered() => asker.reply(reply),
            Ok(_) => {}
            Err(error) => asker.failed_late(&error),
        }
    }
}

impl Context for SharedAsker {
    fn provide(&self, wanted: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        if wanted == self.answer { Some(Arc::clone(&self.asker) as _) } else { lock(&self.asker).provide(wanted) }
    }
}

/// A panic, of a user's `encode` say, leaves the ask without an answer, and its drop sends one.
fn lock(asker: &Mutex<Asker>) -> MutexGuard<'_, Asker> {
    asker.lock().unwrap_or_else(PoisonError::into_inner)
}
