//! The engine of [`amp-rpc`](https://docs.rs/amp-rpc): AMP's wire format, values, commands and connections.
//!
//! Use the crate `amp-rpc` (library `amp`), which re-exports everything here together with the macros.
//!
//! Imports go one way only: `wire`, `violation`, `schema`, `exposed`, `value`, `command`, `memory`, `packet`, `tags`, `reason` and `proto` are
//! pure and build without tokio; `events`, `responder`, `locator`, `connection` and `server` need the feature `tokio`.

#[doc(hidden)]
pub mod __private;
pub mod codes;
mod command;
mod escaped;
mod exposed;
pub mod schema;
#[cfg(test)]
mod testing;
mod value;
mod violation;
mod wire;

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
mod connection;
#[cfg(feature = "tokio")]
mod events;
#[cfg(feature = "tokio")]
mod locator;
mod panics;
#[cfg(feature = "tokio")]
mod peer;
#[cfg(feature = "tokio")]
mod responder;
#[cfg(feature = "tokio")]
mod server;
#[cfg(feature = "tokio")]
mod settings;

pub use command::{Argument, Arguments, Command, Constrained, Constraint, ErrorCodes, NoErrors, constraint};
pub use escaped::Escaped;
pub use exposed::{Context, Exposable, ExposeError, Exposed, State};
pub use packet::PacketError;
pub use value::{
    BoxReader, BoxWriter, DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind, Key, RawValue, Value, ValueWriter,
};
pub use violation::{Place, Violation, Violations};
pub use wire::{AmpBox, BoxDecoder, BoxLimits, Excerpt, InsertError, MAX_KEY, MAX_VALUE, Pairs, RawBox, WireError};

#[cfg(feature = "tokio")]
#[doc(hidden)]
pub use server::accept;
#[cfg(feature = "tokio")]
pub use {
    boxes::{BoxReceiver, BoxSender, SendBoxError},
    call_error::{CallError, NotifyError, Reply},
    connection::{BoxInlet, Call, Connection, ConnectionBuilder, Driver, Timer, WeakConnection, extension, pair},
    locator::Locator,
    memory::Meter,
    peer::{Credentials, Peer},
    reason::CloseReason,
    responder::{Answer, Ask, Located},
    server::{IntoSession, Listener, MakeSession, Refused, Server, ServerBuilder, Session, UnixSocket},
    settings::{Settings, Strictness},
};
