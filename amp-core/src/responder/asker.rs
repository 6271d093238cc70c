use std::any::{Any, TypeId};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Answering;
use super::decoded::Decoded;
use crate::call_error::CallError;
use crate::command::{Arguments, Command, ErrorCodes, violations};
use crate::escaped::Escaped;
use crate::events::{Chain, EventKind, Events, Omitted};
use crate::exposed::{Context, ContextRef};
use crate::memory::ask;
use crate::packet::{AskTag, put_answer, put_error};
use crate::panics::note_command;
use crate::peer::Peer;
use crate::reason::CloseReason;
use crate::schema::CommandDeclaration;
use crate::settings::{Settings, Strictness};
use crate::value::{EncodeError, EncodeErrorKind, QUICK_ITEMS};
use crate::wire::BoxLimits;

mod answers;
mod refusals;
mod untyped;

/// Where an answer goes. Dropped without an answer, it answers with [`codes::UNKNOWN`].
#[derive(Debug)]
pub(super) struct Asker {
    answering: Arc<dyn Answering>,
    /// It stays until the answer is whole: when a user's `encode` panics half way, the drop still answers to this tag.
    tag: Option<AskTag>,
    answered: bool,
    kind: Kind,
    /// Whether it is noted by its tag and its number.
    is_noted: bool,
    /// Whether it is decoded with a quick budget.
    is_quick: bool,
    /// Distinguishes it from other asks of its connection, once that is asked for; 0 before.
    number: AtomicU32,
    /// Counted bytes of the ask: those of its box, and the memory that it has decoded to beyond them.
    held: usize,
    /// The command, once it is known. A pointer to the whole declaration, because that is shorter than its name.
    command: Option<&'static CommandDeclaration>,
}

/// The kind of answer that the sender of the tag wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The command's answer.
    Plain,
    /// Only an answer when the responder starts.
    Marked,
    /// Another transport. The peer waits for the answer, and reads it in front of a barrier of this end's own.
    Upgrade,
}

impl Asker {
    pub(super) fn new(tag: Option<AskTag>, bytes: usize, answering: Arc<dyn Answering>) -> Self {
        let held = bytes + ask::FIXED;
        answering.hold(held);
        Self {
            answering,
            tag,
            answered: false,
            kind: Kind::Plain,
            is_noted: false,
            is_quick: false,
            number: AtomicU32::new(0),
            held,
            command: None,
        }
    }

    /// For a marked notification.
    pub(super) fn marked(tag: AskTag, bytes: usize, answering: Arc<dyn Answering>) -> Self {
        let mut asker = Self::new(None, bytes, answering);
        (asker.tag, asker.kind) = (Some(tag), Kind::Marked);
        asker
    }

    pub(super) fn begin(&mut self, command: &'static CommandDeclaration) {
        self.command = Some(command);
    }

    /// Empty until it is known.
    fn command(&self) -> &'static str {
        self.command.map_or("", |command| command.name)
    }

    /// Reports an event of the connection, with the command's name, or counts it.
    pub(super) fn tell(&self, kind: EventKind, write: impl FnOnce(&Peer, &str, Omitted)) {
        self.answering.events().tell(kind, |peer, omitted| write(peer, self.command(), omitted));
    }

    /// Notes the ask by its tag, if it wants an answer.
    #[cold]
    pub(super) fn note(&mut self) {
        if let Some(tag) = self.tag.as_ref().filter(|_| self.kind != Kind::Marked && !self.is_noted) {
            self.is_noted = self.answering.note(tag.as_bytes(), &self.number);
        }
    }

    /// The tag and the number of a noted ask.
    #[inline]
    pub(super) fn noted(&self) -> Option<(&[u8], u32)> {
        if !self.is_noted {
            return None;
        }
        self.tag.as_ref().map(|tag| (tag.as_bytes(), self.number.load(Ordering::Relaxed)))
    }

    /// No longer notes the ask. Returns whether it was cancelled.
    #[inline]
    pub(super) fn forget(&mut self) -> bool {
        self.is_noted && self.forget_noted()
    }

    #[cold]
    fn forget_noted(&mut self) -> bool {
        let is_cancelled = self.noted().is_some_and(|(tag, number)| self.answering.forget(tag, number));
        self.is_noted = false;
        is_cancelled
    }

    pub(super) fn wants_answer(&self) -> bool {
        self.tag.is_some() && self.kind != Kind::Marked
    }

    pub(super) fn tag(&self) -> Option<&[u8]> {
        self.tag.as_ref().filter(|_| !self.is_marked()).map(AskTag::as_bytes)
    }

    /// Returns how many bytes the tag holds beside this.
    pub(super) fn held_by_tag(&self) -> usize {
        self.tag.as_ref().map_or(0, AskTag::held)
    }

    pub(super) fn is_marked(&self) -> bool {
        self.kind == Kind::Marked
    }

    /// Answers a marked notification whose responder starts; the responder's result is not sent.
    #[cold]
    pub(super) fn give_credit(&mut self) {
        self.kind = Kind::Plain;
        self.put_nothing();
        self.tag = None;
    }

    /// Answers without fields, if an answer is wanted.
    pub(super) fn answer_nothing(&mut self) {
        self.put_nothing();
        self.settle();
    }

    fn put_nothing(&self) {
        // The tag came in a box that kept to the limits.
        let _ = self.put(|buffer, tag, limits, _| put_answer(buffer, tag, &(), limits, None));
    }

    pub(super) fn settings(&self) -> &Settings {
        self.answering.settings()
    }

    pub(super) fn peer(&self) -> &Peer {
        self.answering.peer()
    }

    pub(super) fn events(&self) -> &Events {
        self.answering.events()
    }

    /// How many bytes of its box are counted.
    #[inline]
    pub(super) fn counted(&self) -> usize {
        self.held - ask::FIXED
    }

    /// From now on this many bytes of its box are counted, if they are more than before.
    pub(super) fn hold_all(&mut self, bytes: usize) {
        let more = bytes.saturating_sub(self.counted());
        if more > 0 {
            self.answering.hold_more(more);
            self.held += more;
        }
    }

    /// Counts bytes beyond those of the ask, if there is room for them.
    pub(super) fn reserve(&self, bytes: usize) -> bool {
        self.answering.reserve(bytes, self.wants_answer())
    }

    /// No longer counts bytes that were [reserved](Self::reserve).
    #[cold]
    pub(super) fn release_reserved(&self, bytes: usize) {
        self.answering.release(bytes);
    }

    /// Sets whether it is decoded with a quick budget.
    #[inline]
    pub(super) fn set_quick(&mut self, is_quick: bool) {
        self.is_quick = is_quick;
    }

    #[inline]
    pub(super) fn is_quick(&self) -> bool {
        self.is_quick
    }

    /// A quick budget was too small for it, and has been spent.
    #[cold]
    pub(super) fn set_heavy(&mut self) {
        self.is_quick = false;
        self.answering.decoded(QUICK_ITEMS);
    }

    /// It is decoded. Bytes reserved for it count as its own from now on, except those that were not spent.
    #[inline]
    pub(super) fn decoded(&mut self, decoded: Decoded) {
        if !decoded.is_little() {
            self.decoded_much(decoded);
        }
    }

    #[cold]
    fn decoded_much(&mut self, decoded: Decoded) {
        let unneeded = decoded.unneeded();
        self.answering.decoded(decoded.work());
        self.answering.release(unneeded);
        self.held += decoded.reserved - unneeded;
    }

    /// No longer counts the bytes of the ask.
    pub(super) fn release(&mut self) {
        self.answering.release(std::mem::take(&mut self.held));
    }

    /// Marks it as an ask for another transport.
    pub(super) fn begin_upgrade(&mut self) {
        if self.kind == Kind::Plain {
            self.kind = Kind::Upgrade;
        }
    }

    /// Whether the ask came over the connection with the address.
    pub(super) fn is_of(&self, connection: *const ()) -> bool {
        Arc::as_ptr(&self.answering).cast() == connection
    }

    /// Answers an ask for another transport with the response, and holds what is queued behind that; answers with an error if the
    /// response cannot be sent. Returns whether the peer receives the response: an ask that wants no answer does not know when
    /// its transport ends (`wire.md`, 2.7).
    pub(super) fn accept_upgrade<C: Command>(mut self, response: &C::Response) -> bool {
        let Some(tag) = self.tag.as_ref() else {
            self.tell(EventKind::UNANSWERED_UPGRADE, |peer, command, omitted| {
                tracing::warn!(%peer, command, omitted, "an ask for another transport wants no answer; the transport stays");
            });
            self.settle();
            return false;
        };
        if let Some(found) = violations(response) {
            self.fail(&EncodeError::from(EncodeErrorKind::Constraints(found)));
            return false;
        }
        let mut result = Ok(());
        let is_put = self.answering.accept_upgrade(&mut |buffer, limits, context| {
            result = put_answer(buffer, tag, response, limits, Some(context));
        });
        match result {
            Err(error) => self.fail_to_send(&error),
            Ok(()) if is_put => self.settle(),
            // Nothing is replaced any more, or the ask belongs to another connection. Dropped, it answers with `UNKNOWN`, unless
            // the connection is over.
            Ok(()) => {}
        }
        is_put
    }

    /// Puts an answer, if one is wanted.
    fn put(
        &self,
        put: impl Fn(&mut Vec<u8>, &AskTag, BoxLimits, ContextRef<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        let Some(tag) = self.tag.as_ref() else { return Ok(()) };
        let mut result = Ok(());
        let mut put = |buffer: &mut Vec<u8>, limits: BoxLimits, context: ContextRef<'_>| {
            result = put(buffer, tag, limits, context);
        };
        match self.kind {
            Kind::Plain => self.answering.append(&mut put),
            Kind::Upgrade => self.answering.refuse_upgrade(&mut put),
            Kind::Marked => {}
        }
        result
    }

    /// Puts an error that has only a code and a description.
    fn put_error(&self, code: &str, description: &str) {
        // It is cut to the size of a box.
        let _ = self.put(|buffer, tag, limits, _| {
            put_error(buffer, tag.as_bytes(), code, description, limits);
            Ok(())
        });
    }

    /// Whether it has its answer, or wants none.
    pub(super) fn is_answered(&self) -> bool {
        self.answered
    }

    /// It has its answer, and its responder goes on. Handles of the connection that the responder has moved to other tasks make
    /// ordinary calls.
    pub(super) fn answered_early(&mut self) {
        let number = std::mem::take(self.number.get_mut());
        if number != 0 {
            self.answering.answered(number);
        }
    }

    /// The responder has failed after its answer.
    pub(super) fn failed_late(&self, error: &(dyn Error + 'static)) {
        self.tell(EventKind::FAILURE, |peer, command, omitted| {
            tracing::warn!(%peer, command, omitted, error = %Escaped(Chain(error)), "a responder failed after its answer");
        });
    }

    /// The ask has its answer, or wants none.
    pub(super) fn settle(&mut self) {
        self.answered = true;
    }

    /// Ends the connection where Twisted does.
    fn strictly_end(&self) {
        if self.settings().strictness == Strictness::Twisted {
            self.answering.end(CloseReason::Failure);
        }
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        let is_cancelled = self.forget();
        if !self.answered {
            self.answer_dropped(is_cancelled);
        } else if std::thread::panicking() {
            // A responder that has answered early.
            note_command(self.command());
        }
        let number = *self.number.get_mut();
        if number != 0 {
            self.answering.answered(number);
        }
        self.answering.settle(self.held);
    }
}

/// Where a responder is answered, and what is exposed to it.
pub(super) trait ReplyPlace: Context + Send + 'static {
    /// Sends the reply of the responder, which has returned.
    fn finish<R: Arguments, E: ErrorCodes>(&mut self, reply: Result<R, CallError<E>>);
}

impl ReplyPlace for Asker {
    fn finish<R: Arguments, E: ErrorCodes>(&mut self, reply: Result<R, CallError<E>>) {
        self.reply(reply);
    }
}

impl Context for Asker {
    fn provide(&self, wanted: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        Arc::clone(&self.answering).provide(wanted, Some(&self.number))
    }
}
