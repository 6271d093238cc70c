//! Responders: how one ask gets its answer. Imports `packet` and `command`, and writes to the connection.

use std::any::{Any, TypeId};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::boxes::BoxSender;
use crate::call_error::{CallError, Reply};
use crate::codes;
use crate::command::{Command, Context, ErrorCodes, Exposable, take_checked, violations};
use crate::connection::{CloseReason, Connection, Peer, Shared, Strictness};
use crate::locator::Locator;
use crate::packet::{AskPacket, AskTag, put_answer, put_declared, put_error};
use crate::python::PythonBytes;
use crate::value::{BoxReader, EncodeError, EncodeErrorKind};

/// An ask that came from the peer and has no answer yet.
///
/// Dropping it answers with [`codes::UNKNOWN`]: a bug here is never silence there.
#[derive(Debug)]
pub struct Ask {
    packet: AskPacket,
    asker: Asker,
}

/// What became of an ask at a [`Locator`](crate::Locator).
pub enum Located {
    /// A responder was found. The future is polled at once, and it runs on as a task if it is not ready.
    Responding(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// The ask was answered on the spot.
    Answered,
    /// The command is not known here.
    Unknown(Ask),
}

impl Located {
    /// Asks the next locator when this one did not know the command.
    #[must_use]
    pub fn or_else(self, next: impl FnOnce(Ask) -> Self) -> Self {
        match self {
            Self::Unknown(ask) => next(ask),
            found => found,
        }
    }
}

impl fmt::Debug for Located {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Responding(_) => "Responding",
            Self::Answered => "Answered",
            Self::Unknown(_) => "Unknown",
        })
    }
}

impl Ask {
    pub(crate) fn new(mut packet: AskPacket, shared: &Arc<Shared>) -> Self {
        let asker = Asker { shared: Arc::clone(shared), tag: packet.tag.take(), answered: false };
        Self { packet, asker }
    }

    /// The command's name as it came, which need not be UTF-8.
    #[must_use]
    pub fn command(&self) -> &[u8] {
        self.packet.command()
    }

    /// Whether the ask is for the command `C`.
    #[must_use]
    pub fn is<C: Command>(&self) -> bool {
        self.command() == C::NAME.as_bytes()
    }

    /// Whether the peer wants an answer.
    #[must_use]
    pub fn wants_answer(&self) -> bool {
        self.asker.tag.is_some()
    }

    /// Answers with what `run` makes of the command's arguments; with an error if they do not decode, break a
    /// constraint, or want something exposed that is not there.
    pub fn respond<C, R>(self, run: impl FnOnce(C) -> R) -> Located
    where
        C: Command,
        R: Future<Output = Reply<C>> + Send + 'static,
    {
        self.respond_exposed(|command, ()| run(command))
    }

    /// As [`respond`](Self::respond), with exposed context beside the arguments.
    pub fn respond_exposed<C, X, R>(self, run: impl FnOnce(C, X) -> R) -> Located
    where
        C: Command,
        X: Exposable,
        R: Future<Output = Reply<C>> + Send + 'static,
    {
        let Self { packet, asker } = self;
        let command = take_checked::<C>(&mut BoxReader::new(&packet.raw, asker.shared.settings.boxes.nesting));
        drop(packet);
        let mut command = match command {
            Ok(command) => command,
            Err(error) => {
                asker.refuse_argument::<C>(&error);
                return Located::Answered;
            }
        };
        match command.expose(&asker).and_then(|()| X::expose(&asker)) {
            Ok(exposed) => {
                let reply = run(command, exposed);
                Located::Responding(Box::pin(async move { asker.reply::<C>(reply.await) }))
            }
            Err(error) => {
                asker.fail(C::NAME, &error);
                Located::Answered
            }
        }
    }

    /// Answers that there is no responder, in Twisted's words.
    pub(crate) fn refuse_unhandled(self) {
        let description = format!("Unhandled Command: {}", PythonBytes(self.command()));
        let Self { asker, .. } = self;
        if asker.tag.is_none() {
            tracing::warn!(peer = %asker.shared.peer, "{description}; no answer was wanted");
        }
        asker.error(codes::UNHANDLED, &description);
    }

    /// Answers that too much is going on here.
    pub(crate) fn refuse_busy(self) {
        let Self { asker, .. } = self;
        let most = asker.shared.settings.most_responders;
        tracing::warn!(peer = %asker.shared.peer, "over {most} commands are running; see `Settings::most_responders`");
        asker.error(codes::BUSY, "Too many commands are running; try again later");
    }
}

/// Where an answer goes. Dropped without one, it answers with [`codes::UNKNOWN`].
#[derive(Debug)]
struct Asker {
    shared: Arc<Shared>,
    tag: Option<AskTag>,
    answered: bool,
}

impl Asker {
    fn reply<C: Command>(self, reply: Reply<C>) {
        match reply {
            Ok(response) => self.answer::<C>(&response),
            Err(CallError::Declared(error)) => self.declared::<C>(&error),
            // What a peer answered to us is passed on as it is: a proxy needs no types.
            Err(CallError::Remote { code, description }) => self.error(&code, &description),
            Err(CallError::Failed(error)) => self.fail(C::NAME, &*error),
            Err(error) => self.fail(C::NAME, &error),
        }
    }

    // The tag stays until the answer is whole: when a user's `encode` panics half way, the drop still answers to it.

    fn answer<C: Command>(mut self, response: &C::Response) {
        if let Some(found) = violations(response) {
            return self.fail(C::NAME, &EncodeError::from(EncodeErrorKind::Constraints(found)));
        }
        let Self { shared, tag, .. } = &self;
        let put =
            |tag: &AskTag| shared.write(|buffer| put_answer(buffer, tag.as_bytes(), response, shared.settings.boxes));
        match tag.as_ref().map_or(Ok(()), put) {
            Ok(()) => drop(self.settle()),
            Err(error) => self.fail(C::NAME, &error),
        }
    }

    fn declared<C: Command>(mut self, error: &C::Errors) {
        let Self { shared, tag, .. } = &self;
        let put =
            |tag: &AskTag| shared.write(|buffer| put_declared(buffer, tag.as_bytes(), error, shared.settings.boxes));
        if let Err(error) = tag.as_ref().map_or(Ok(()), put) {
            return self.fail(C::NAME, &error);
        }
        if self.settle().is_none() {
            tracing::warn!(peer = %self.shared.peer, command = C::NAME, %error, "failed; no answer was wanted");
            self.strictly_end();
        }
        if error.is_fatal() {
            self.shared.end(CloseReason::Fatal { code: error.code() });
        }
    }

    /// An argument that does not decode: it is named to the peer, because it is the peer's fault.
    fn refuse_argument<C: Command>(self, error: &crate::DecodeError) {
        tracing::debug!(peer = %self.shared.peer, command = C::NAME, %error, "refused an argument");
        if self.shared.settings.strictness == Strictness::Twisted {
            return self.fail(C::NAME, error);
        }
        let description = error.to_string();
        self.finish(|buffer, tag| put_error(buffer, tag, C::Errors::INVALID_ARGUMENT, &description));
    }

    /// A failure that the command does not declare: the log learns what it is, the peer that there is one.
    fn fail(mut self, command: &str, error: &(dyn std::error::Error + 'static)) {
        tracing::error!(peer = %self.shared.peer, command, error, "a responder failed");
        self.fail_silently();
    }

    fn fail_silently(&mut self) {
        self.answered = true;
        if let Some(tag) = self.tag.take() {
            self.shared.write(|buffer| put_error(buffer, tag.as_bytes(), codes::UNKNOWN, "Unknown Error"));
        }
        self.strictly_end();
    }

    fn error(self, code: &str, description: &str) {
        let wanted = self.tag.is_some();
        let shared = Arc::clone(&self.shared);
        self.finish(|buffer, tag| put_error(buffer, tag, code, description));
        if !wanted && shared.settings.strictness == Strictness::Twisted {
            shared.end(CloseReason::Failure);
        }
    }

    fn finish(mut self, put: impl FnOnce(&mut Vec<u8>, &[u8])) {
        if let Some(tag) = self.settle() {
            self.shared.write(|buffer| put(buffer, tag.as_bytes()));
        }
    }

    fn strictly_end(&self) {
        if self.shared.settings.strictness == Strictness::Twisted {
            self.shared.end(CloseReason::Failure);
        }
    }

    /// Takes the tag to answer to, which the drop will not answer any more.
    fn settle(&mut self) -> Option<AskTag> {
        self.answered = true;
        self.tag.take()
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        if !self.answered {
            self.fail_silently();
        }
    }
}

impl Context for Asker {
    fn provide(&self, wanted: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        let shared = &self.shared;
        if wanted == TypeId::of::<Connection>() {
            Some(Arc::new(Connection::of(shared)))
        } else if wanted == TypeId::of::<Peer>() {
            Some(Arc::new(shared.peer.clone()))
        } else if wanted == TypeId::of::<Arc<dyn Locator>>() {
            Some(Arc::new(Arc::clone(&shared.locator)))
        } else if wanted == TypeId::of::<Arc<dyn BoxSender>>() {
            let sender: Arc<dyn BoxSender> = Arc::new(Connection::of(shared));
            Some(Arc::new(sender))
        } else {
            shared.states().value(wanted)
        }
    }
}
