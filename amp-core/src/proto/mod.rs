//! The state of one connection, without a runtime. Imports `dispatcher`, `packet` and `reason`.
//!
//! It is pure: a waiter is any [`Waiter`], time comes in as a value, and what is to be woken is handed out. Each file
//! is the owner of one invariant; [`State`] holds one of each, and the connection guards it with its one lock.

mod admission;
mod announcements;
mod attachments;
mod credit;
mod goodbye;
mod lifecycle;
mod outbound;
mod outgoing;
mod queue;
mod sender;
mod state;
#[cfg(test)]
mod tests;
mod timers;
mod upgrade;
mod waiter;
mod wake_up;

pub(crate) use admission::Lane;
pub use attachments::Attachment;
pub(crate) use attachments::{Attachments, Carries};
pub(crate) use credit::{NOTIFICATION_OVERHEAD, most_held};
pub(crate) use lifecycle::EndListener;
pub(crate) use outbound::MOST_BULK;
pub(crate) use outgoing::{Borrowed, Outgoing, Untyped};
pub(crate) use sender::{Limits, Request};
pub(crate) use state::{Appended, State};
pub(crate) use timers::TimerKey;
pub(crate) use upgrade::Upgrade;
pub(crate) use waiter::Waiter;
