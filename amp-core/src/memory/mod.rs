//! Memory that connections hold on behalf of their peers. Imports nothing.
//!
//! ```text
//!   account   what one connection holds: a meter for each kind of it
//!   pool      what the connections of a server hold together, and which of them hold too much
//! ```
//!
//! Bytes are counted by [`Meter`]s and [`Reservation`]s where they are held. These ask the pool in steps, so that a connection
//! which holds little never touches state shared with other connections.

mod account;
mod pool;
#[cfg(test)]
mod tests;

pub(crate) use account::{Account, Reservation};
pub use account::{Held, Meter};
pub(crate) use pool::{Excess, Holder, Pool};
