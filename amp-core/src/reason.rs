//! Why connections end. Imports `escaped`, `wire` and `packet`.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::error::codes;
use crate::escaped::Escaped;
use crate::packet::PacketError;
use crate::wire::WireError;

/// Why a connection ended. Everybody who waits on it learns the same reason.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::{CloseReason, Connection};
///
/// /// Whether a client should connect again.
/// async fn is_worth_another_try(connection: &Connection) -> bool {
///     let reason = connection.closed().await;
///     println!("the connection ended: {reason}");
///     !matches!(reason, CloseReason::Closed | CloseReason::Aborted | CloseReason::Wire(_) | CloseReason::Packet(_))
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CloseReason {
    /// This end closed it, by [`Connection::close`](crate::Connection::close) or by dropping its last handle. When both ends
    /// close at once, either may have [`ClosedByPeer`](Self::ClosedByPeer) instead.
    Closed,
    /// This end closed it, and not all queued bytes were written within [`Settings::linger`](crate::Settings::linger) after
    /// [`Settings::close_timeout`](crate::Settings::close_timeout): notifications that were accepted are lost. Only
    /// [`Connection::closed`](crate::Connection::closed) and the driver return it, because it is known last; waiters that are
    /// told earlier receive [`Closed`](Self::Closed). The same holds for [`Io`](Self::Io) when the last bytes fail to be written
    /// or read, and for [`EndedByPeer`](Self::EndedByPeer) when the peer has discarded them and says why. A connection over boxes
    /// also has this reason when the connection that carries it was closed first.
    Unwritten,
    /// The peer closed it between two boxes, or aborted it; over TLS, with or without `close_notify`. An end that has closed its
    /// connection may have this reason when both ends close at once.
    ClosedByPeer,
    /// The byte stream ended within a box.
    ClosedMidBox {
        /// Bytes of the box that had been received.
        received: usize,
    },
    /// Reading or writing failed. A read that fails as [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) is the peer's end instead.
    Io(Arc<io::Error>),
    /// The bytes are not boxes, or a box is over a limit.
    Wire(WireError),
    /// A box is not an ask, an answer or an error.
    Packet(PacketError),
    /// An answer to a call that was never made or was answered before. See
    /// [`Settings::ignore_unknown_answers`](crate::Settings::ignore_unknown_answers).
    UnknownAnswer,
    /// A responder answered with an error that is declared fatal.
    Fatal {
        /// The code on the wire.
        code: &'static str,
    },
    /// An undeclared failure under [`Strictness::Twisted`](crate::connection::Strictness::Twisted).
    Failure,
    /// The peer does not read: more than [`Settings::max_outbound`](crate::Settings::max_outbound) bytes wait to be written.
    NotReading {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// No byte of a box that the peer had begun arrived for [`Settings::box_timeout`](crate::Settings::box_timeout).
    BoxTimeout {
        /// The limit that was exceeded.
        timeout: Duration,
    },
    /// The peer does not read: the transport accepted none of the bytes that wait to be written for
    /// [`Settings::write_timeout`](crate::Settings::write_timeout).
    WriteTimeout {
        /// The limit that was exceeded.
        timeout: Duration,
    },
    /// A replacement of the transport took longer than [`Settings::handshake_timeout`](crate::Settings::handshake_timeout).
    HandshakeTimeout {
        /// The limit that was exceeded.
        timeout: Duration,
    },
    /// More notifications of the peer wait here than [`Settings::max_inbound`](crate::Settings::max_inbound) allows. The peer was
    /// told that each of them was sent.
    TooManyNotifications {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// The peer does not answer: so many commands of extensions, such as the ends of streams, are unanswered beyond their time
    /// limit (`StreamSettings::disconnect_timeout`).
    NotAnswering {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// The connections of the server together held more than
    /// [`ServerBuilder::max_memory`](crate::server::ServerBuilder::max_memory), and this one held the most. All that it held is
    /// released: running responders are cancelled, and unwritten bytes are lost.
    OutOfMemory {
        /// Bytes that it held.
        held: usize,
        /// The limit that was exceeded.
        limit: usize,
    },
    /// This server had reached [`ServerBuilder::max_connections`](crate::server::ServerBuilder::max_connections), and one more
    /// connection arrived: of the connections that had never sent a whole box, this was the earliest.
    MadeRoom,
    /// The peer ended it and said why.
    EndedByPeer {
        /// One of [`codes`](crate::error::codes), or that of a fatal error. Control characters are escaped.
        code: String,
        /// The peer's words, cut after 512 characters. Control characters are escaped.
        text: String,
    },
    /// Extensions passed to [`ConnectionBuilder::extension`](crate::connection::ConnectionBuilder::extension) claim the same
    /// command twice. Nothing was handled or written.
    ClaimedTwice {
        /// The command.
        command: &'static str,
    },
    /// A command of the locator declares a [`Big`](crate::value::Big) whose maximum is over
    /// [`BoxLimits::bytes`](crate::wire::BoxLimits::bytes): no box could have such a value. Nothing was handled or written.
    BoxLimitTooLow {
        /// The command.
        command: &'static str,
        /// The field of its arguments, its response or one of its errors.
        field: &'static str,
        /// The field's maximum.
        maximum: usize,
        /// The limit.
        limit: usize,
    },
    /// This end ended it at once, by [`Connection::abort`](crate::Connection::abort).
    Aborted,
    /// The task that drives the connection was dropped, for example because its runtime shuts down.
    DriverDropped,
}

impl CloseReason {
    /// Whether bytes that are queued when the connection ends are still written.
    pub(crate) fn lets_write(&self) -> bool {
        !matches!(self, Self::Io(_) | Self::DriverDropped | Self::MadeRoom)
    }

    /// Whether the end is logged: one side is at fault, and no other log line has reported it.
    pub(crate) fn is_told(&self) -> bool {
        use CloseReason::{Aborted, Closed, ClosedByPeer, DriverDropped, Failure, Fatal, MadeRoom};
        !matches!(self, Closed | ClosedByPeer | Aborted | DriverDropped | MadeRoom | Failure | Fatal { .. })
    }

    /// The code that tells the peer of an end that it caused, or of a fatal error.
    pub(crate) fn goodbye(&self) -> Option<&'static str> {
        match self {
            Self::Wire(_) | Self::Packet(_) | Self::UnknownAnswer => Some(codes::PROTOCOL),
            Self::Fatal { code } => Some(code),
            Self::NotReading { .. } | Self::WriteTimeout { .. } => Some(codes::NOT_READING),
            Self::BoxTimeout { .. } | Self::HandshakeTimeout { .. } => Some(codes::TIMEOUT),
            Self::TooManyNotifications { .. } => Some(codes::TOO_MANY_NOTIFICATIONS),
            Self::OutOfMemory { .. } => Some(codes::OUT_OF_MEMORY),
            _ => None,
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by this end"),
            Self::Unwritten => f.write_str(
                "closed by this end, and what was queued was not all written: the peer did not take it in time",
            ),
            Self::ClosedByPeer => f.write_str("closed by the peer"),
            Self::ClosedMidBox { received } => {
                write!(f, "closed by the peer in the middle of a box, after {received} of its bytes")
            }
            Self::Io(error) => write!(f, "the transport failed: {}", Escaped(error)),
            Self::Wire(error) => write!(f, "the peer's bytes are not AMP: {error}"),
            Self::Packet(error) => write!(f, "the peer's box is not AMP: {error}"),
            Self::UnknownAnswer => f.write_str("the peer answered a tag that is not out"),
            Self::Fatal { code } => write!(f, "a responder answered with the fatal error {code}"),
            Self::Failure => f.write_str("a responder failed, and the connection is strict"),
            Self::NotReading { limit } => write!(f, "the peer does not read: over {limit} bytes wait to be written"),
            Self::BoxTimeout { timeout } => write!(
                f,
                "the peer began a box and sent nothing more of it for {timeout:?}; see `Settings::box_timeout`"
            ),
            Self::WriteTimeout { timeout } => write!(
                f,
                "the peer does not read: it took nothing of what waits to be written for {timeout:?}; see `Settings::write_timeout`"
            ),
            Self::HandshakeTimeout { timeout } => {
                write!(f, "the transport was not replaced within {timeout:?}; see `Settings::handshake_timeout`")
            }
            Self::TooManyNotifications { limit } => write!(
                f,
                "the peer sent too many notifications: over {limit} bytes of them wait; see `Settings::max_inbound`"
            ),
            Self::NotAnswering { limit } => write!(
                f,
                "the peer does not answer: over {limit} commands of extensions, such as the ends of streams, wait beyond their time"
            ),
            Self::OutOfMemory { held, limit } => write!(
                f,
                "the server's memory is used up: of {limit} bytes this connection held {held}, the most of all"
            ),
            Self::MadeRoom => {
                f.write_str("the server was full, and this connection had never sent a box: another one took its place")
            }
            Self::EndedByPeer { code, text } => {
                write!(f, "the peer ended the connection with {}: {}", Escaped(code), Escaped(text))
            }
            Self::ClaimedTwice { command } => {
                write!(f, "the command {command} is claimed twice by extensions of this end")
            }
            Self::BoxLimitTooLow { command, field, maximum, limit } => write!(
                f,
                "`{field}` of the command {command} may have {maximum} bytes, and a box has at most {limit}; raise `BoxLimits::bytes`, or lower the maximum"
            ),
            Self::Aborted => f.write_str("ended by this end"),
            Self::DriverDropped => f.write_str("the connection's task was dropped"),
        }
    }
}

impl Error for CloseReason {
    /// The inner error is a part of the text, so its own source comes next.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => error.source(),
            Self::Wire(error) => error.source(),
            Self::Packet(error) => error.source(),
            _ => None,
        }
    }
}

impl From<WireError> for CloseReason {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl From<PacketError> for CloseReason {
    fn from(error: PacketError) -> Self {
        Self::Packet(error)
    }
}

impl From<io::Error> for CloseReason {
    /// An error of a transport that holds a reason, as [`io::Error::other`] makes it, is that reason.
    fn from(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(|error| Self::Io(Arc::new(error)))
    }
}
