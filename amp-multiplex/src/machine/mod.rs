//! The state of streams, pure: no wakers, no tasks, no clock. What time it is comes in as a value.
//!
//! ```text
//!   registry   which ids there are, what came for ids that are not known yet, what is still on its way out
//!   stream     one stream: what was received and not read, what was sent and not answered, which ends are closed
//!   window     how much may be unanswered
//! ```

mod registry;
mod stream;
mod window;

pub(crate) use registry::{Connecting, Ended, Known, Registry};
pub(crate) use stream::{Farewell, Read, Received, StreamState};
pub(crate) use window::Bounds;

#[cfg(test)]
mod tests;
