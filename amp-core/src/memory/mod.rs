//! Memory that connections hold on behalf of their peers. Imports nothing.
//!
//! ```text
//!   ask       the fixed count of an ask, and its parts
//!   account   what one connection holds: a meter for each kind of it
//!   counts    what an account counts, and what the pool has read of it
//!   pool      what the connections of a server hold together, and which of them hold too much
//! ```
//!
//! Bytes are counted by [`Meter`]s and [`Reservation`]s where they are held. These report to the account in steps, and the account to the
//! pool when it holds more than the pool knows, or much less: a connection that holds little, or the same again and again, does
//! not touch state shared with other connections. When memory gets short the pool reads all accounts, and from then on they report
//! each change.

mod account;
pub(crate) mod ask;
mod counts;
mod pool;
#[cfg(test)]
mod tests;

pub(crate) use account::{Account, Reservation};
pub use account::{Held, Meter};
pub(crate) use pool::{Excess, Holder, Pool};
