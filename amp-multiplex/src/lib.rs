//! Byte streams and forwarded ports over one AMP connection.
//!
//! Any number of streams ride along with the commands of a connection, opened from either end. On the wire they are
//! txampext's `Connect`, `Transmit` and `Disconnect` (`wire.md` section 3); the answer to a `Transmit` is the credit: it
//! comes when the reader has taken the bytes, and a writer keeps no more than a window of unanswered bytes on their way.
//!
//! A stream that nobody uses costs about 750 bytes at each end, beside what its user keeps for it; 10,000 idle streams on one
//! connection cost 8 MB. What streams may hold for readers that sleep is bounded by [`StreamSettings`].
//!
//! The state of streams is pure (`machine`); the [`Multiplexer`] and the [`Stream`] stand beside it. Imports `amp-core`.

mod commands;
mod error;
mod factory;
mod forward;
mod house;
mod link;
mod machine;
mod multiplexer;
mod outlet;
mod settings;
mod stream;

pub use error::{ConnectError, StreamError};
pub use factory::{Factories, Factory, Opening, StreamListener};
pub use forward::{Counts, Forward, Target};
pub use multiplexer::Multiplexer;
pub use settings::StreamSettings;
pub use stream::Stream;
