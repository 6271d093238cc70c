//! The state of one connection, without a runtime. Imports `tags`, `packet`, `exposed`, `memory` and `reason`.
//!
//! It is pure: a waiter is any [`Waiter`], time comes in as a value, and waiters to wake are handed out. Each file owns one
//! invariant; [`ConnectionState`] holds one of each, and the connection guards it with its one lock.
//!
//! ```text
//!   admission      which lane may send, and in which order      queue       the places of those that wait
//!   credit         how many notifications the peer still takes  outbound    boxes to be written, and room for more
//!   announcements  what both ends have announced                goodbye     why the connection ends, as its last box
//!   outgoing       what can be asked                            request     how it is asked, and what becomes of the answer
//!   attachments    what goes with the first byte of a box       send_half   all of these, and the tags: what appends a box
//!   lifecycle      open, closing, over                          wake_up     when the driver has a turn, by event or alarm
//!   upgrade        the replacement of the transport             waiter      what can be woken
//!   timers         what waits for an instant, but for the calls that are out: their deadlines are with their tags
//!   limits         what it keeps to
//!   state          send_half, lifecycle, upgrade and wake_up together
//! ```

mod admission;
mod announcements;
mod attachments;
mod credit;
mod goodbye;
mod lifecycle;
mod limits;
mod outbound;
mod outgoing;
mod queue;
mod request;
mod send_half;
mod state;
#[cfg(test)]
mod tests;
mod timers;
mod upgrade;
mod waiter;
mod wake_up;

pub(crate) use admission::Lane;
pub use attachments::Attachment;
pub(crate) use attachments::{Attachments, Carrier, Carries};
pub(crate) use credit::max_held;
pub(crate) use lifecycle::{EndListener, Intake};
pub(crate) use limits::Limits;
pub(crate) use outbound::{BULK_CAPACITY, LastBytes, MAX_BULK};
pub(crate) use outgoing::{AddKeys, Borrowed, Outgoing, Untyped};
pub(crate) use request::{Lost, ReplyTo, Request, SinkReply};
pub(crate) use send_half::SendHalf;
pub(crate) use state::{Appended, ConnectionState, MAX_OVERDUE};
pub(crate) use timers::TimerKey;
pub(crate) use upgrade::Upgrade;
pub(crate) use waiter::Waiter;
