//! Forwarded ports: a local listener that leads to a factory of the peer, and a factory that leads to a target. Imports the streams.
//!
//! ```text
//!   socket       what a local socket can do
//!   counters     what a forward or a target has done
//!   descriptors  how many sockets there may be in this process
//!   dial         connects to a host and a port
//!   local        a local socket that is counted, and reset unless its transfer completes
//!   client       a client's socket whose stream is being opened
//!   proxy        copies between a local socket and a stream
//!   listen       the listener of a forward
//!   target       the factory that leads to an address
//! ```

mod client;
mod counters;
mod descriptors;
mod dial;
mod listen;
mod local;
mod proxy;
mod socket;
mod target;
#[cfg(unix)]
mod unix_socket;

pub use counters::Counts;
pub use listen::Forward;
pub use target::Target;
