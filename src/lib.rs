// One of README's examples opens streams and one tests, and they are compiled only where both can be: `cargo test --workspace` compiles
// them all.
#![cfg_attr(any(not(doctest), all(feature = "multiplex", feature = "testing")), doc = include_str!("../README.md"))]

pub use amp_core::*;
#[cfg(feature = "tokio")]
pub use amp_derive::responder;
/// Without the feature `tokio` there is nothing to respond over, and this says so.
#[cfg(not(feature = "tokio"))]
pub use amp_derive::responder_without_tokio as responder;
pub use amp_derive::{Arguments, Command, ErrorCodes};
#[cfg(feature = "multiplex")]
#[doc(inline)]
pub use amp_multiplex as multiplex;

// These shadow what the glob above would re-export. Authors of protocols depend on `amp-core` itself, with an exact version: what it has
// for them alone is no part of this crate's interface.
#[cfg(feature = "tokio")]
#[expect(hidden_glob_reexports, reason = "that is what it is for")]
mod accept {}
#[cfg(feature = "tokio")]
#[expect(hidden_glob_reexports, reason = "that is what it is for")]
mod extension {}
