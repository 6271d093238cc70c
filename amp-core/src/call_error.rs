//! Errors of a call, and the failures that a responder returns. Imports `command`, `value` and `escaped`, the reason a connection
//! ended, and the errors that a responder meets.

mod lift;

use std::error::Error;
use std::fmt;

use crate::command::{Command, ErrorCodes};
use crate::error::codes;
use crate::escaped::Escaped;
use crate::reason::CloseReason;
use crate::value::{DecodeError, EncodeError};

pub use self::lift::{LiftFrom, OrFail};

/// Twisted's description of a failure that is not declared (`wire.md` 2.2).
pub(crate) const UNKNOWN_ERROR: &str = "Unknown Error";

/// Result of a call, at the caller and at the responder alike: the response, or the reason why there is none.
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

/// Why a call returned no response. The variants say whose fault it is.
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
#[doc(alias("AmpError", "RemoteAmpError", "UnknownRemoteError", "UnhandledCommand"))]
#[derive(Debug)]
#[non_exhaustive]
pub enum CallError<E> {
    /// The responder answered with an error that the command declares.
    Declared(E),
    /// The responder answered with a code that the command does not declare; see [`codes`].
    ///
    /// A responder that returns it passes code and description on unchanged, as a proxy needs; [`forward`](Self::forward) makes
    /// it from the failure of a call of another command.
    ///
    /// Displayed, it is one line: control characters are escaped, and code and description are each cut after 512 characters.
    Remote {
        /// The code as received.
        code: String,
        /// The description as received.
        description: String,
    },
    /// The responder failed in a way that the command does not declare.
    ///
    /// It travels as [`codes::UNKNOWN`]: the error and its sources go to the log of the end that answers, not to the peer.
    Failed(Box<dyn Error + Send + Sync>),
    /// An argument cannot be sent. Nothing was sent, and the connection is as it was.
    Invalid(EncodeError),
    /// The answer does not match the command's declaration. Only this call fails.
    Response(DecodeError),
    /// The connection ended before the answer came. The command may have run if it was [sent](Self::was_sent).
    Connection {
        /// Why it ended.
        reason: CloseReason,
        /// As [`was_sent`](Self::was_sent).
        sent: bool,
    },
    /// No answer arrived in time. The command may have run if it was [sent](Self::was_sent); a late answer is discarded.
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

    /// Whether the peer says that it has no responder for the command: [`codes::UNHANDLED`], with any description or none.
    ///
    /// Some peers use this code for a responder that failed, too. MAAS does, and describes it as Twisted describes a failure,
    /// `Unknown Error [..]`: that does not count as a missing responder. An error that the peer has [forwarded](Self::forward)
    /// refers to the command that the peer called itself.
    pub fn is_unhandled(&self) -> bool {
        match self {
            Self::Remote { code, description } => code == codes::UNHANDLED && !description.starts_with(UNKNOWN_ERROR),
            _ => false,
        }
    }

    /// Whether the peer may have received the command, so that a repeated call may run it twice. `false` is certain: no byte of
    /// it has left this end, nor will. `true` means "perhaps" for [`Connection`](Self::Connection) and
    /// [`Timeout`](Self::Timeout), and is certain for errors that the peer answered.
    ///
    /// For a responder's own [`Failed`](Self::Failed) it is `true`: the responder was running when it failed.
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

    /// Converts the declared error; everything else stays as it is.
    ///
    /// `.map_err(|error| error.map_declared(Mine::from))` converts the errors of one command to those of another.
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

    /// The error with which a responder answers when a command that it called itself has failed. An error that a peer answered is
    /// passed on with its code and description, declared here or not. Every other error is an undeclared failure of this
    /// responder.
    ///
    /// Twisted does the same with its `RemoteAmpError`. The fields of a declared error and the fact that it is fatal are not
    /// passed on; its description is the text that it has here.
    ///
    /// A caller takes [`codes::BUSY`] and [`codes::DRAINING`] as a promise that nothing was done, and may call again. A responder
    /// that has done something before its call must not forward them: it answers with an error of its own instead, a declared one
    /// or [`CallError::failed`].
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
            // True of the call that was made here, but not of the call that is answered.
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
            // Text of arguments and answers may be a part of the messages of these two.
            Self::Failed(error) => write!(f, "the responder failed: {}", Escaped(error)),
            Self::Response(error) => write!(f, "the peer's answer does not fit the command: {}", Escaped(error)),
            Self::Invalid(error) => write!(f, "the arguments cannot be sent: {error}"),
            Self::Connection { reason, .. } => write!(f, "the connection ended: {reason}"),
            Self::Timeout { .. } => f.write_str("no answer within the call's time limit"),
        }
    }
}

impl<E: Error> Error for CallError<E> {
    /// The inner error is a part of the text, so its own source comes next.
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

/// Why a command without an answer was not sent. Nothing of it was sent, whatever the variant.
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
    /// As for [`CallError`].
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Invalid(error) => error.source(),
            Self::Connection(reason) => reason.source(),
            Self::Timeout => None,
        }
    }
}
