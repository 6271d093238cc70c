#![doc = include_str!("../README.md")]

#[doc(hidden)]
pub use amp_core::private as __private;
pub use amp_core::*;
pub use amp_derive::{Arguments, Command, ErrorCodes, responder};
