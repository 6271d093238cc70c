//! One stream: the state shared by its user, the connection and the peer's commands, and its sending and closing.
//!
//! ```text
//!   send_queue   what is on its way to the peer
//!   shared       the stream under one lock: machine, wakers, send queue
//!   disconnect   how a Disconnect is sent, and how long its answer may take
//!   close        how the peer is told that a stream is closed
//!   send         how bytes are sent and acknowledged
//!   monitor      whether a stream is closed, for those that do not own it
//!   io           the public type
//! ```

mod close;
mod disconnect;
mod io;
mod monitor;
mod send;
mod send_queue;
mod shared;

pub use io::Stream;

pub(crate) use close::tell_closed;
pub(crate) use monitor::Monitor;
pub(crate) use send_queue::MAX_TRANSMIT;
pub(crate) use shared::{Shared, Streams};
