//! Byte streams and forwarded ports over one AMP connection.
//!
//! Any number of streams ride along with the commands of a connection, opened from either end. On the wire they are txampext's
//! `Connect`, `Transmit` and `Disconnect` (`wire.md` section 3); the answer to a `Transmit` is the credit: it is sent when the
//! reader has taken the bytes, and a writer has at most one window of unacknowledged bytes in flight.
//!
//! ```
//! use amp::Connection;
//! use amp::connection::pair;
//! use amp::multiplex::{Factories, Multiplexer, Multiplexing};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // One end has a factory, which accepts every stream and answers in capital letters.
//! let factories = Factories::new();
//! factories.serve("shout", async |mut stream| {
//!     let mut words = String::new();
//!     if stream.read_to_string(&mut words).await.is_ok() {
//!         let _ = stream.write_all(words.to_uppercase().as_bytes()).await;
//!     }
//! });
//! let serving = Connection::builder().extension(Multiplexing::new(&factories));
//! let (connection, _peer) = pair(Connection::builder().extension(Multiplexing::default()), serving);
//!
//! // The other opens a stream to it. Shutting down ends the writing direction only.
//! let multiplexer = Multiplexer::of(&connection).ok_or("it has the extension")?;
//! let mut stream = multiplexer.connect("shout").await?;
//! stream.write_all(b"hello").await?;
//! stream.shutdown().await?;
//! let mut answer = String::new();
//! stream.read_to_string(&mut answer).await?;
//! assert_eq!(answer, "HELLO");
//!
//! let error = multiplexer.connect("whisper").await.unwrap_err();
//! assert_eq!(error.to_string(), "the peer has no factory \"whisper\"");
//! # Ok(())
//! # }
//! ```
//!
//! [`Multiplexer::forward_port`] listens on a local port and opens a stream to a factory of the peer for each connection; a
//! [`Target`] is a factory that connects to an address at this end; [`StreamSettings`] has the limits.
//!
//! # Limits
//! Limits count the memory that is held: bytes, the tags of their receipts, the buffers that slices pin. At a server it counts
//! towards [`max_memory`](amp_core::server::ServerBuilder::max_memory), too: a connection that holds more than its share opens no
//! streams while memory is short, and its peer receives no credit. [`Factories::max_streams`], [`Target::max_streams`] and
//! [`Target::max_connects`] apply over all connections, of which one alone can have half. The sockets of targets and forwards
//! have at most half of the descriptors of the process, and eight names are looked up at once.
//!
//! An idle stream costs about 600 bytes at the end that opened it and 1,200 at the one that serves it, beside the memory that its
//! user keeps for it: 10,000 of them on one connection cost 6 MB and 12 MB. [`StreamSettings`] limits how much streams may buffer
//! for readers that do not read.
//!
//! In a program that depends on `amp-rpc`, all of this is `amp::multiplex`, and `amp_core` is `amp`.

mod acknowledge;
mod commands;
mod error;
mod extension;
mod factory;
mod forward;
mod kept;
mod limit;
mod machine;
mod meter;
mod multiplexer;
mod open;
mod peer_commands;
mod peer_features;
mod serving;
mod settings;
mod stream;
mod streams;
mod withheld;

pub use error::{ConnectError, StreamError};
pub use extension::Multiplexing;
pub use factory::{Factories, Factory, Opening, StreamListener};
pub use forward::{Counts, Forward, Target};
pub use multiplexer::Multiplexer;
pub use settings::StreamSettings;
pub use stream::Stream;
