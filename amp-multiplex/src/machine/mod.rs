//! The state of streams, pure: no wakers, no tasks, no clock. What time it is comes in as a value.
//!
//! ```text
//!   registry   which ids there are, what came for ids that are not known yet, what is still on its way out
//!   stream     one stream: what was received and not read, what was sent and not answered, which ends are closed
//!   window     how much may be unanswered
//!   tally      what all streams together hold, and what is left of it for one
//! ```

mod registry;
mod stream;
mod tally;
mod window;

pub(crate) use registry::{Connecting, Ended, Known, Registry};
pub(crate) use stream::{Farewell, Read, Received, StreamState};
pub(crate) use tally::Tally;
pub(crate) use window::{Bounds, PATIENCE};

/// What a chunk costs beyond its bytes, at either end: single bytes must not hold more memory than they count for.
const OVERHEAD: usize = 256;

/// What every stream may have on its way and unread, whatever the others have.
const LEAST: usize = 2048;

/// What a chunk of so many bytes counts for.
fn cost(bytes: usize) -> usize {
    bytes + OVERHEAD
}

#[cfg(test)]
mod tests;
