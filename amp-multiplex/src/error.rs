use std::error::Error;
use std::{fmt, io};

use amp_core::error::{Escaped, LiftFrom, codes};
use amp_core::value::EncodeError;
use amp_core::{CallError, CloseReason, ErrorCodes};

use crate::commands::{ConnectRefusal, StreamGone};

/// Why no stream was opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The peer has no factory of that name. In a name that is not UTF-8, U+FFFD replaces the invalid parts.
    NoSuchFactory(String),
    /// The peer has the factory, and it refused. The text is its reason as received, or empty if there is none. Displayed, it is
    /// one line: control characters are escaped, and the text is cut after 512 characters.
    Refused(String),
    /// This end has as many streams as [`StreamSettings::max_streams`](crate::StreamSettings::max_streams) allows.
    TooManyStreams {
        /// The limit that was reached.
        limit: usize,
    },
    /// The factory's name cannot be sent.
    Invalid(EncodeError),
    /// The peer does not multiplex streams, or its answer is invalid.
    Unsupported(String),
    /// The connection has ended.
    Connection(CloseReason),
    /// The peer did not answer within the connection's [`call_timeout`](amp_core::Settings::call_timeout).
    Timeout,
}

impl ConnectError {
    /// The error that answered a Connect to `factory`.
    pub(crate) fn of(error: CallError<ConnectRefusal>, factory: &[u8]) -> Self {
        match error {
            CallError::Declared(ConnectRefusal::NoSuchFactory(_)) => {
                Self::NoSuchFactory(String::from_utf8_lossy(factory).into_owned())
            }
            CallError::Declared(ConnectRefusal::ConnectionRefused(reason)) => Self::Refused(reason),
            CallError::Connection { reason, .. } => Self::Connection(reason),
            CallError::Timeout { .. } => Self::Timeout,
            CallError::Invalid(error) => Self::Invalid(error),
            CallError::Remote { code, description } if code == codes::BUSY || code == codes::DRAINING => {
                Self::Refused(description)
            }
            other => Self::Unsupported(other.to_string()),
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchFactory(name) => write!(f, "the peer has no factory {name:?}"),
            Self::Refused(reason) if reason.is_empty() => f.write_str("the peer refused the stream and gave no reason"),
            Self::Refused(reason) => write!(f, "the peer refused the stream: {}", Escaped(reason)),
            Self::TooManyStreams { limit } => {
                write!(f, "this end has {limit} streams already; see `StreamSettings::max_streams`")
            }
            Self::Invalid(error) => write!(f, "the name of the factory cannot be sent: {error}"),
            Self::Unsupported(why) => write!(f, "the peer does not multiplex streams: {}", Escaped(why)),
            Self::Connection(reason) => write!(f, "the connection ended: {reason}"),
            Self::Timeout => f.write_str("the peer did not answer in time"),
        }
    }
}

impl Error for ConnectError {
    /// The inner error is a part of the text, so its own source comes next.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Invalid(error) => error.source(),
            Self::Connection(reason) => reason.source(),
            _ => None,
        }
    }
}

impl From<ConnectError> for io::Error {
    fn from(error: ConnectError) -> Self {
        let kind = match error {
            ConnectError::NoSuchFactory(_) => io::ErrorKind::NotFound,
            ConnectError::Invalid(_) => io::ErrorKind::InvalidInput,
            ConnectError::Refused(_) => io::ErrorKind::ConnectionRefused,
            ConnectError::Timeout => io::ErrorKind::TimedOut,
            ConnectError::Connection(_) => io::ErrorKind::ConnectionAborted,
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

/// Why a stream did not end gracefully. It is the inner error of the [`io::Error`]s of a [`Stream`](crate::Stream).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StreamError {
    /// The peer has closed the stream and reads no more. Bytes that it wrote before can be read.
    PeerDisconnected,
    /// The peer ended the stream before it was whole: it was aborted, its task panicked, or bytes were lost. Or the peer has
    /// refused bytes and has not sent its Disconnect within [`disconnect_timeout`](crate::StreamSettings::disconnect_timeout).
    Cut,
    /// The peer sent more ahead of the reader than [`max_buffered`](crate::StreamSettings::max_buffered),
    /// [`max_received`](crate::StreamSettings::max_received) or [`max_early`](crate::StreamSettings::max_early) allow.
    Overrun,
    /// The peer has not answered the Disconnect within [`disconnect_timeout`](crate::StreamSettings::disconnect_timeout). It is
    /// unknown whether the peer has received everything that was written.
    Timeout,
    /// This end has closed the stream, or its direction.
    Closed,
    /// The peer answered bytes with an error.
    PeerFailed(String),
    /// The connection that carries the stream has ended.
    Connection(CloseReason),
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerDisconnected => f.write_str("the peer has closed the stream"),
            Self::Cut => f.write_str("the peer ended the stream before it was whole"),
            Self::Overrun => f.write_str(
                "the peer sent too much ahead of the reader; see `StreamSettings::max_buffered` and `max_received`",
            ),
            Self::Timeout => f.write_str(
                "the peer has not answered the end of the stream in time; see `StreamSettings::disconnect_timeout`",
            ),
            Self::Closed => f.write_str("this end has closed the stream"),
            Self::PeerFailed(why) => write!(f, "the peer failed to take the bytes: {}", Escaped(why)),
            Self::Connection(reason) => write!(f, "the connection ended: {reason}"),
        }
    }
}

impl Error for StreamError {
    /// The reason is a part of the text, so its own source comes next.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connection(reason) => reason.source(),
            _ => None,
        }
    }
}

impl From<CallError<StreamGone>> for StreamError {
    fn from(error: CallError<StreamGone>) -> Self {
        match error {
            CallError::Declared(StreamGone::NoSuchConnection(_)) => Self::PeerDisconnected,
            CallError::Connection { reason, .. } => Self::Connection(reason),
            other => Self::PeerFailed(other.to_string()),
        }
    }
}

impl From<CloseReason> for StreamError {
    fn from(reason: CloseReason) -> Self {
        Self::Connection(reason)
    }
}

impl From<StreamError> for io::Error {
    fn from(error: StreamError) -> Self {
        let kind = match error {
            StreamError::PeerDisconnected | StreamError::Closed => io::ErrorKind::BrokenPipe,
            StreamError::Cut | StreamError::Overrun | StreamError::PeerFailed(_) => io::ErrorKind::ConnectionReset,
            StreamError::Timeout => io::ErrorKind::TimedOut,
            StreamError::Connection(_) => io::ErrorKind::ConnectionAborted,
        };
        Self::new(kind, error)
    }
}

#[diagnostic::do_not_recommend]
impl<E: ErrorCodes> LiftFrom<ConnectError> for CallError<E> {
    fn lift_from(error: ConnectError) -> Self {
        Self::failed(error)
    }
}

#[diagnostic::do_not_recommend]
impl<E: ErrorCodes> LiftFrom<StreamError> for CallError<E> {
    fn lift_from(error: StreamError) -> Self {
        Self::failed(error)
    }
}
