//! The engine of [`amp-rpc`](https://docs.rs/amp-rpc): AMP's wire format, values, commands and connections.
//!
//! Use the crate `amp-rpc` (library `amp`), which re-exports everything here together with the macros.
//!
//! Imports go one way only: `memory`, `wire`, `violation`, `schema`, `exposed`, `value`, `command`, `json`, `packet`, `tags`, `reason` and `proto` are
//! pure and build without tokio; `events`, `responder`, `locator`, `connection` and `server` need the feature `tokio`, and `testing` a
//! feature of its own.

#[doc(hidden)]
pub mod __private;
mod command;
pub mod error;
mod escaped;
mod exposed;
#[cfg(test)]
mod sample_commands;
pub mod schema;
pub mod value;
mod violation;
pub mod wire;

#[cfg_attr(
    not(feature = "tokio"),
    expect(dead_code, unreachable_pub, unused_imports, reason = "the connection counts with it")
)]
mod memory;
#[cfg_attr(not(feature = "tokio"), expect(dead_code, unreachable_pub, reason = "the connection reads and writes it"))]
mod packet;
#[cfg_attr(
    not(feature = "tokio"),
    expect(dead_code, unreachable_pub, unused_imports, reason = "the connection guards it")
)]
mod proto;
mod python;
#[cfg_attr(not(feature = "tokio"), expect(dead_code, unreachable_pub, reason = "the connection ends with it"))]
mod reason;
mod tags;

#[cfg(feature = "tokio")]
mod boxes;
#[cfg(feature = "tokio")]
mod call_error;
#[cfg(feature = "tokio")]
pub mod connection;
#[cfg(feature = "tokio")]
mod events;
#[cfg(feature = "serde")]
pub mod json;
pub mod locator;
mod panics;
#[cfg(feature = "tokio")]
mod peer;
#[cfg(feature = "tokio")]
mod responder;
#[cfg(feature = "tokio")]
pub mod server;
#[cfg(feature = "tokio")]
mod settings;
#[cfg(feature = "testing")]
pub mod testing;

#[doc(inline)]
pub use command::{Arguments, Command, ErrorCodes, constraint};
#[doc(inline)]
pub use exposed::{Exposed, State};
#[doc(inline)]
pub use wire::amp_box::AmpBox;

#[cfg(feature = "tokio")]
#[doc(inline)]
pub use {
    call_error::{CallError, Reply},
    connection::{extension, handle::Connection},
    peer::Peer,
    reason::CloseReason,
    server::handle::Server,
    settings::Settings,
};

/// For `amp-multiplex` only: it promises nothing to other users.
#[cfg(feature = "tokio")]
#[doc(hidden)]
pub mod accept {
    pub use crate::server::accept::{AcceptLoop, Lifecycle, Room, Stage};
    pub use crate::server::listener::bind_tcp;
}
