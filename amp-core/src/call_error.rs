//! How a call ends when it does not end well, and what a responder fails with. Imports `command`, `value` and `escaped`, the reason a
//! connection ended, and the errors that a responder meets.

mod lift;

use std::error::Error;
use std::fmt;

use crate::command::{Command, ErrorCodes};
use crate::error::codes;
use crate::escaped::Escaped;
use crate::reason::CloseReason;
use crate::value::{DecodeError, EncodeError};

pub use self::lift::{LiftFrom, OrFail};

/// How Twisted describes a failure that is not declared (`wire.md` 2.2).
pub(crate) const UNKNOWN_ERROR: &str = "Unknown Error";

/// What a call gives, at the caller and at the responder alike: the response, or why there is none.
///
/// In a responder `?` lifts a declared error into it, and the errors of io, parsing, tasks and time limits as failures that are not
/// declared; [`LiftFrom`] lists them. Any other error is a failure by `.or_fail()?` ([`OrFail`]), and the error of another call is passed
/// on by `.map_err(CallError::forward)?`.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::error::OrFail;
/// use amp::{Command, Reply};
///
/// fn read<C: Command>(path: &str, parse: fn(&str) -> Result<C::Response, String>) -> Reply<C> {
///     let text = std::fs::read_to_string(path)?;
///     let response = parse(&text).or_fail()?;
///     Ok(response)
/// }
/// ```
pub type Reply<C> = Result<<C as Command>::Response, CallError<<C as Command>::Errors>>;

/// Why a call did not give a response. Variants say whose fault it is.
///
/// `Display` says all of it in one sentence: which argument breaks which rule, or why the connection ended. It never shows a value, and
/// a peer's text only escaped and cut after 512 characters. The error of a variant is a part of the sentence, so
/// [`source`](Error::source) is what *that* error was caused by: a chain of sources repeats nothing.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::{CallError, Command, Connection, Reply};
///
/// /// Calls once more where that is safe.
/// async fn call_twice<C: Command + Clone>(connection: &Connection, command: C) -> Reply<C> {
///     match connection.call(command.clone()).await {
///         Err(error) if !error.was_sent() && !matches!(error, CallError::Invalid(_)) => connection.call(command).await,
///         reply => reply,
///     }
/// }
/// ```
#[doc(alias("RemoteAmpError", "UnknownRemoteError", "UnhandledCommand"))]
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError<E> {
    /// The responder answered with an error that the command declares.
    Declared(E),
    /// The responder answered with a code that the command does not declare; see [`codes`].
    ///
    /// A responder that returns it passes code and description on as they are, which is what a proxy wants;
    /// [`forward`](Self::forward) makes it of whatever a call of another command ended with.
    ///
    /// Displayed, it is one line: control characters are escaped, and what is over 512 characters of each is left out.
    Remote {
        /// The code on the wire, as it came.
        code: String,
        /// The words that came with it, as they came.
        description: String,
    },
    /// The responder failed in a way that the command does not declare.
    ///
    /// It travels as [`codes::UNKNOWN`]: the error and its sources go to the log of the end that answers, not to the peer.
    Failed(Box<dyn Error + Send + Sync>),
    /// An argument cannot be sent. Nothing was sent, and the connection is as it was.
    Invalid(EncodeError),
    /// The answer does not fit the command's declaration. Only this call fails.
    Response(DecodeError),
    /// The connection ended before the answer came. The command may have run if it was [sent](Self::was_sent).
    Connection {
        /// Why it ended.
        reason: CloseReason,
        /// As [`was_sent`](Self::was_sent).
        sent: bool,
    },
    /// No answer came in time. The command may have run if it was [sent](Self::was_sent); its answer is discarded when it
    /// comes.
    Timeout {
        /// As [`was_sent`](Self::was_sent).
        sent: bool,
    },
}

impl<E> CallError<E> {
    /// An undeclared failure of a responder: `.map_err(CallError::failed)?`, or [`.or_fail()?`](OrFail::or_fail).
    pub fn failed(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed(source.into())
    }

    /// The code of an error answer that the command does not declare.
    pub fn remote_code(&self) -> Option<&str> {
        match self {
            Self::Remote { code, .. } => Some(code),
            _ => None,
        }
    }

    /// Whether the peer says that it has no responder for the command: [`codes::UNHANDLED`], in whatever words or none.
    ///
    /// Some peers say so of a responder that failed, too. MAAS does, and describes it as Twisted describes a failure,
    /// `Unknown Error [..]`: that is no missing responder. An error that the peer has [forwarded](Self::forward) speaks of the
    /// command that it called itself.
    pub fn is_unhandled(&self) -> bool {
        match self {
            Self::Remote { code, description } => code == codes::UNHANDLED && !description.starts_with(UNKNOWN_ERROR),
            _ => false,
        }
    }

    /// Whether the peer may have got the command, so that to call again may run it twice. `false` is certain: no byte of it
    /// has left this end, nor will. `true` is a "perhaps" of [`Connection`](Self::Connection) and [`Timeout`](Self::Timeout),
    /// and certain of the errors that the peer answered.
    ///
    /// Of a responder's own [`Failed`](Self::Failed) it says `true`: what has failed was running.
    pub fn was_sent(&self) -> bool {
        match self {
            Self::Invalid(_) => false,
            Self::Connection { sent, .. } | Self::Timeout { sent } => *sent,
            Self::Declared(_) | Self::Remote { .. } | Self::Failed(_) | Self::Response(_) => true,
        }
    }

    /// The declared error, if it is one.
    pub fn declared(&self) -> Option<&E> {
        match self {
            Self::Declared(error) => Some(error),
            _ => None,
        }
    }

    /// The same with the declared error made into another; everything else stays as it is.
    ///
    /// `.map_err(|error| error.map_declared(Mine::from))` takes the errors of one command over into those of another.
    pub fn map_declared<F>(self, map: impl FnOnce(E) -> F) -> CallError<F> {
        match self {
            Self::Declared(error) => CallError::Declared(map(error)),
            Self::Remote { code, description } => CallError::Remote { code, description },
            Self::Failed(source) => CallError::Failed(source),
            Self::Invalid(error) => CallError::Invalid(error),
            Self::Response(error) => CallError::Response(error),
            Self::Connection { reason, sent } => CallError::Connection { reason, sent },
            Self::Timeout { sent } => CallError::Timeout { sent },
        }
    }

    /// What a responder answers when a command that it called itself has failed: an error that a peer answered goes on with its
    /// code and description, declared here or not, and all else is an undeclared failure of this responder.
    ///
    /// So does Twisted with its `RemoteAmpError`. Not passed on are the fields of a declared error and that it is fatal; its
    /// description is the text that it has here.
    ///
    /// A caller takes [`codes::BUSY`] and [`codes::DRAINING`] for a promise that nothing was done, and may call again. A responder that
    /// has done something before its call does not forward them: it answers with an error of its own instead, a declared one or
    /// [`CallError::failed`].
    ///
    /// ```
    /// # extern crate amp_core as amp;
    /// use amp::{CallError, Command, Connection, Reply};
    ///
    /// /// Answers `Outer` with what another peer answers to `inner`.
    /// async fn relay<Outer, Inner>(other: &Connection, inner: Inner) -> Reply<Outer>
    /// where
    ///     Inner: Command,
    ///     Outer: Command<Response = Inner::Response>,
    /// {
    ///     let response = other.call(inner).await.map_err(CallError::forward)?;
    ///     Ok(response)
    /// }
    /// ```
    pub fn forward<F>(self) -> CallError<F>
    where
        E: ErrorCodes,
    {
        match self {
            Self::Declared(error) => CallError::Remote { code: error.code().to_owned(), description: error.describe() },
            Self::Remote { code, description } => CallError::Remote { code, description },
            Self::Failed(source) => CallError::Failed(source),
            // Said of the call that was made here, they are untrue of the call that is answered.
            error => CallError::failed(error),
        }
    }
}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared(error) => error.fmt(f),
            Self::Remote { code, description } => {
                write!(f, "the peer answered {}: {}", Escaped(code), Escaped(description))
            }
            // Arguments and answers may have a part in the words of these two.
            Self::Failed(error) => write!(f, "the responder failed: {}", Escaped(error)),
            Self::Response(error) => write!(f, "the peer's answer does not fit the command: {}", Escaped(error)),
            Self::Invalid(error) => write!(f, "the arguments cannot be sent: {error}"),
            Self::Connection { reason, .. } => write!(f, "the connection ended: {reason}"),
            Self::Timeout { .. } => f.write_str("no answer within the call's time limit"),
        }
    }
}

impl<E: Error> Error for CallError<E> {
    /// The error within is a part of the text, so its own source comes next.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Declared(error) => error.source(),
            Self::Failed(error) => error.source(),
            Self::Invalid(error) => error.source(),
            Self::Response(error) => error.source(),
            Self::Connection { reason, .. } => reason.source(),
            Self::Remote { .. } | Self::Timeout { .. } => None,
        }
    }
}

/// Why a command without an answer was not sent. Nothing of it was, whatever the variant.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotifyError {
    /// An argument cannot be sent. Nothing was sent, and the connection is as it was.
    Invalid(EncodeError),
    /// The connection has ended.
    Connection(CloseReason),
    /// There was no room to queue it within the connection's [`call_timeout`](crate::Settings::call_timeout).
    Timeout,
}

impl fmt::Display for NotifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => write!(f, "the arguments cannot be sent: {error}"),
            Self::Connection(reason) => write!(f, "the connection ended: {reason}"),
            Self::Timeout => f.write_str("no room to send it within the connection's time limit"),
        }
    }
}

impl Error for NotifyError {
    /// As that of [`CallError`].
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Invalid(error) => error.source(),
            Self::Connection(reason) => reason.source(),
            Self::Timeout => None,
        }
    }
}
