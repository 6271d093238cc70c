#![doc = include_str!("../README.md")]

pub use amp_core::*;
// Authors of protocols depend on `amp-core` itself, with an exact version: its module for them has no place here.
#[cfg(feature = "tokio")]
#[doc(hidden)]
pub use amp_core::extension;
pub use amp_derive::{Arguments, Command, ErrorCodes, responder};
#[cfg(feature = "multiplex")]
#[doc(inline)]
pub use amp_multiplex as multiplex;
