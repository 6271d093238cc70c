#![doc = include_str!("../README.md")]

pub use amp_core::*;
pub use amp_derive::{Arguments, Command, ErrorCodes, responder};
#[cfg(feature = "multiplex")]
#[doc(inline)]
pub use amp_multiplex as multiplex;
