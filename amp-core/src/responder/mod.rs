//! Responders: how one ask gets its answer. Imports `packet` and `command`; the path of the answer is behind [`Answering`].

mod answer;
mod ask;
mod asker;
mod decoded;
mod early;
mod reservation;

use std::any::{Any, TypeId};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;

pub use answer::Answer;
pub use ask::Ask;
pub use early::EarlyAnswer;

use crate::events::Events;
use crate::exposed::ContextRef;
use crate::peer::Peer;
use crate::reason::CloseReason;
use crate::settings::Settings;
use crate::wire::BoxLimits;

/// Result of passing an ask to a [`Locator`](crate::locator::Locator).
#[non_exhaustive]
pub enum Located {
    /// A responder was found. The future is polled at once, and it runs on as a task if it is not ready.
    Responding(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// As [`Responding`](Self::Responding), but it goes on when the peer has left: of a command that is declared `detached`.
    /// [`Ask::respond`] returns it; a locator that wraps the futures of others handles both.
    Detached(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// The ask was answered at once, or will be answered later.
    Answered,
    /// This locator does not know the command.
    Unknown(Ask),
    /// The command is known, and decoding its arguments is more work than other connections should wait for. The connection passes the ask to
    /// its locator once more, on another thread. [`Ask::respond`] returns it, and a locator passes it on.
    Heavy(Ask),
}

impl Located {
    /// The responder of a command runs.
    #[inline]
    fn running(responding: Pin<Box<dyn Future<Output = ()> + Send>>, is_detached: bool) -> Self {
        if is_detached { Self::Detached(responding) } else { Self::Responding(responding) }
    }

    /// Passes the ask to the next locator when this one did not know the command.
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
            Self::Detached(_) => "Detached",
            Self::Answered => "Answered",
            Self::Unknown(_) => "Unknown",
            Self::Heavy(_) => "Heavy",
        })
    }
}

/// The connection, as far as answers see it.
pub(crate) trait Answering: fmt::Debug + Send + Sync {
    fn settings(&self) -> &Settings;

    fn peer(&self) -> &Peer;

    /// Appends a box to the outbound buffer. The box keeps to the limits, and its values see the context.
    fn append(&self, put: &mut dyn FnMut(&mut Vec<u8>, BoxLimits, ContextRef<'_>));

    /// Appends the answer to an ask for another transport, and holds what is queued behind it. Returns whether it was appended.
    fn accept_upgrade(&self, put: &mut dyn FnMut(&mut Vec<u8>, BoxLimits, ContextRef<'_>)) -> bool;

    /// Puts the refusal of another transport where the peer can read it.
    fn refuse_upgrade(&self, put: &mut dyn FnMut(&mut Vec<u8>, BoxLimits, ContextRef<'_>));

    /// Ends the connection.
    fn end(&self, reason: CloseReason);

    /// Whether no ask can be answered any more.
    fn is_over(&self) -> bool;

    /// Counts one more ask that has no answer, and its bytes.
    fn hold(&self, bytes: usize);

    /// Counts more bytes of an ask that is counted, regardless of the room: they are held already.
    fn hold_more(&self, bytes: usize);

    /// Counts more bytes of an ask that is counted. Refuses more than all asks together may hold, unless it is a notification:
    /// that was promised to run.
    fn reserve(&self, bytes: usize, wants_answer: bool) -> bool;

    /// Whether the server's memory is short, and the connection holds more than its share of it.
    fn is_memory_short(&self) -> bool;

    /// Reports that decoding an ask was as much work as this many list items.
    fn decoded(&self, items: usize);

    /// No longer counts the bytes.
    fn release(&self, bytes: usize);

    /// No longer counts the ask, which has its answer, and its bytes.
    fn settle(&self, bytes: usize);

    /// Notes the ask by its tag and its `number`, which is 0 until it has one. Returns whether an extension wants that.
    fn note(&self, tag: &[u8], number: &AtomicU32) -> bool;

    /// The noted ask has its answer. Returns whether an extension has cancelled it.
    fn forget(&self, tag: &[u8], number: u32) -> bool;

    /// The events of the connection, for logging.
    fn events(&self) -> &Events;

    /// Returns the value of the wanted type, if there is one. A handle of the connection belongs to the ask whose number is in
    /// `ask`, which is 0 until it has one.
    fn provide(self: Arc<Self>, wanted: TypeId, ask: Option<&AtomicU32>) -> Option<Arc<dyn Any + Send + Sync>>;

    /// The ask with the number has its answer: handles that came from it become ordinary ones.
    fn answered(&self, ask: u32);
}
