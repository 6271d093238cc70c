use crate::call_error::CallError;
use crate::reason::CloseReason;
use crate::value::EncodeError;

/// Failure of an exchange without an answer.
#[derive(Debug)]
pub(super) enum Failure {
    Invalid(EncodeError),
    /// `sent` says whether the ask may have reached the peer.
    Connection {
        reason: CloseReason,
        sent: bool,
    },
    Timeout {
        sent: bool,
    },
}

impl Failure {
    pub(super) fn into_call_error<E>(self) -> CallError<E> {
        match self {
            Self::Invalid(error) => CallError::Invalid(error),
            Self::Connection { reason, sent } => CallError::Connection { reason, sent },
            Self::Timeout { sent } => CallError::Timeout { sent },
        }
    }
}
