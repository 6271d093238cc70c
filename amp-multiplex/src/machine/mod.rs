//! The protocol of streams, pure: no wakers, no tasks, no clock. The time comes in as a value.
//!
//! ```text
//!   registry      which ids there are, and which streams are being opened and closed
//!   early         what was received for ids that are not known yet
//!   stream        one end of one stream, made of:
//!     state         which directions are open, and how they have closed
//!     recv_buffer   what was received and not read
//!     flow_control  what was sent and not acknowledged, and how much more may be
//!       window        how large that may get on this path
//!   budget        what all streams together may hold, and when received bytes are copied
//!   cost          how buffered bytes are counted
//! ```

mod budget;
mod cost;
mod early;
mod flow_control;
mod recv_buffer;
mod registry;
mod state;
mod stream;
mod window;

pub(crate) use budget::Budget;
pub(crate) use cost::Receipt;
pub(crate) use early::ConnectId;
pub(crate) use registry::{Lookup, Registry};
pub(crate) use state::{RemoteClose, Shutdown};
pub(crate) use stream::{Read, Received, StreamMachine};
pub(crate) use window::{PROBE_TIMEOUT, WindowBounds};

#[cfg(test)]
mod tests;
