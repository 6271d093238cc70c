//! How a call ends when it does not end well. Imports `command` and `value`, and the reason a connection ended.

use std::error::Error;

use crate::codes;
use crate::command::Command;
use crate::reason::CloseReason;
use crate::value::{DecodeError, EncodeError};

/// What a call gives, at the caller and at the responder alike: the response, or why there is none.
///
/// In a responder `?` lifts a declared error into it.
pub type Reply<C> = Result<<C as Command>::Response, CallError<<C as Command>::Errors>>;

/// Why a call did not give a response. Variants say whose fault it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError<E> {
    /// The responder answered with an error that the command declares.
    #[error(transparent)]
    Declared(E),
    /// The responder answered with a code that the command does not declare; see [`codes`].
    ///
    /// A responder that returns it passes code and description on as they are, which is what a proxy wants.
    #[error("the peer answered {code}: {description}")]
    Remote {
        /// The code on the wire.
        code: String,
        /// The words that came with it.
        description: String,
    },
    /// The responder failed in a way that the command does not declare.
    ///
    /// It travels as [`codes::UNKNOWN`]: the source goes to the log of the end that answers, not to the peer.
    #[error("the responder failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
    /// An argument cannot be sent. Nothing was sent, and the connection is as it was.
    #[error("the arguments cannot be sent")]
    Invalid(#[source] EncodeError),
    /// The answer does not fit the command's declaration. Only this call fails.
    #[error("the peer's answer does not fit the command")]
    Response(#[source] DecodeError),
    /// The connection ended before the answer came. The command may have run if it was [sent](Self::was_sent).
    #[error("the connection ended")]
    Connection {
        /// Why it ended.
        #[source]
        reason: CloseReason,
        /// As [`was_sent`](Self::was_sent).
        sent: bool,
    },
    /// No answer came in time. The command may have run if it was [sent](Self::was_sent); its answer is discarded when it
    /// comes.
    #[error("no answer within the call's time limit")]
    Timeout {
        /// As [`was_sent`](Self::was_sent).
        sent: bool,
    },
}

impl<E> CallError<E> {
    /// An undeclared failure of a responder: `.map_err(CallError::failed)?`.
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

    /// Whether the peer has no responder for the command.
    pub fn is_unhandled(&self) -> bool {
        self.remote_code() == Some(codes::UNHANDLED)
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
}

impl<E> From<E> for CallError<E> {
    fn from(error: E) -> Self {
        Self::Declared(error)
    }
}

/// Why a command without an answer was not sent. Nothing of it was, whatever the variant.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotifyError {
    /// An argument cannot be sent. Nothing was sent, and the connection is as it was.
    #[error("the arguments cannot be sent")]
    Invalid(#[source] EncodeError),
    /// The connection has ended.
    #[error("the connection ended")]
    Connection(#[source] CloseReason),
    /// There was no room to queue it within the connection's [`call_timeout`](crate::Settings::call_timeout).
    #[error("no room to send it within the connection's time limit")]
    Timeout,
}
