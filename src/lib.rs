//! Typed RPC over any byte stream, in the wire format of Twisted's AMP.

pub use amp_core::*;

#[doc(hidden)]
pub use amp_core::private as __private;
