//! Typed RPC over any byte stream, in the wire format of Twisted's AMP.

#[doc(hidden)]
pub use amp_core::private as __private;
pub use amp_core::*;
pub use amp_derive::{Arguments, Command, ErrorCodes, responder};

/// README's example is part of the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
