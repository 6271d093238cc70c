#![doc = include_str!("../README.md")]

pub use amp_core::*;
pub use amp_derive::{Arguments, Command, ErrorCodes, responder};
#[cfg(feature = "multiplex")]
#[doc(inline)]
pub use amp_multiplex as multiplex;

// These shadow what the glob above would re-export. Authors of protocols depend on `amp-core` itself, with an exact version: what it has
// for them alone is no part of this crate's interface.
#[expect(hidden_glob_reexports, reason = "that is what it is for")]
mod accept {}
#[expect(hidden_glob_reexports, reason = "that is what it is for")]
mod extension {}
