//! The engine of [`amp-rpc`](https://docs.rs/amp-rpc): AMP's wire format, values, commands and connections.
//!
//! Use the crate `amp-rpc` (library `amp`), which re-exports everything here together with the macros.

pub mod codes;
mod command;
#[allow(dead_code)]
mod packet;
#[doc(hidden)]
pub mod private;
mod value;
mod wire;

pub use command::{Argument, Arguments, Command, Context, ErrorCodes, Exposable, ExposeError, Exposed, NoErrors};
pub use value::{
    BoxReader, BoxWriter, DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind, Key, RawValue, Value, ValueWriter,
};
pub use wire::{AmpBox, BoxDecoder, BoxLimits, Excerpt, InsertError, MAX_KEY, MAX_VALUE, Pairs, RawBox, WireError};
