//! Boxes beneath the dispatcher: sending and receiving them without types, as routers and gateways do.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use crate::call_error::{CallError, LiftFrom};
use crate::command::ErrorCodes;
use crate::exposed::{Context, Exposable, ExposeError, provided};
use crate::reason::CloseReason;
use crate::wire::{AmpBox, InsertError};

/// A destination for boxes. A [`Connection`](crate::Connection) is one; Twisted's `IBoxSender`.
///
/// It need not be the connection itself: a sender of your own may add a key to each box and pass it on.
#[doc(alias("IBoxSender", "EXPOSED_BOX_SENDER"))]
pub trait BoxSender: Send + Sync + 'static {
    /// Queues a box to be written.
    ///
    /// # Errors
    /// If the box is empty or too long, or the connection has ended.
    #[doc(alias("sendBox"))]
    fn send_box(&self, sent: AmpBox) -> Result<(), SendBoxError>;

    /// Whether the sender has room for more. It accepts boxes even without room, until its connection's
    /// [`max_outbound`](crate::Settings::max_outbound) ends it; a caller that can wait should.
    fn poll_room(&self, cx: &mut TaskContext<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }
}

/// Why a box was not sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SendBoxError {
    /// A box without pairs is meaningless, and a Twisted peer ends the connection over it.
    #[doc(alias("NoEmptyBoxes"))]
    Empty,
    /// More than [`BoxLimits::bytes`](crate::wire::BoxLimits::bytes).
    TooLong {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// A pair that the sender adds does not fit the format.
    Invalid(InsertError),
    /// The connection has ended.
    Closed(CloseReason),
}

impl fmt::Display for SendBoxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the box is empty"),
            Self::TooLong { limit } => write!(f, "the box has more than {limit} bytes; see `BoxLimits::bytes`"),
            Self::Invalid(error) => write!(f, "a pair does not fit into the box: {error}"),
            Self::Closed(reason) => write!(f, "the connection ended: {reason}"),
        }
    }
}

impl Error for SendBoxError {
    /// The inner error is a part of the text, so its own source comes next.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Invalid(error) => error.source(),
            Self::Closed(reason) => reason.source(),
            Self::Empty | Self::TooLong { .. } => None,
        }
    }
}

impl From<InsertError> for SendBoxError {
    fn from(error: InsertError) -> Self {
        Self::Invalid(error)
    }
}

#[diagnostic::do_not_recommend]
impl<E: ErrorCodes> LiftFrom<SendBoxError> for CallError<E> {
    fn lift_from(error: SendBoxError) -> Self {
        Self::failed(error)
    }
}

/// Receives the boxes of a connection instead of its dispatcher and locator; see
/// [`Connection::switch_receiver`](crate::Connection::switch_receiver). Twisted's `IBoxReceiver`.
#[doc(alias("IBoxReceiver", "ampBoxReceived", "startReceivingBoxes"))]
pub trait BoxReceiver: Send + 'static {
    /// Receives one box. It runs on the connection's reader: it must not block. A panic is logged and costs this box.
    fn receive_box(&mut self, received: AmpBox);

    /// Called when no more boxes come, because the connection has ended and nothing more is received: after an orderly end of
    /// this end that is later than [`on_end`](crate::Connection::on_end). It is called once, as the last call; it is not called
    /// on a receiver that was switched away before.
    #[doc(alias("stopReceivingBoxes"))]
    fn stop(&mut self, reason: &CloseReason) {
        let _ = reason;
    }
}

impl Exposable for Arc<dyn BoxSender> {
    fn expose(context: &dyn Context) -> Result<Self, ExposeError> {
        provided::<Self>(context).map(|sender| Self::clone(&sender))
    }
}
