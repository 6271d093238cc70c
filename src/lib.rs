// The pages link each other by names, which they define as files at their end. In rustdoc the names lead to modules: the first
// definition of a name counts. Their examples need a runtime, and one page streams: `cargo test --workspace` compiles them all.
#![cfg_attr(
    any(not(doctest), feature = "tokio"),
    doc = concat!(include_str!("../docs/links.in"), include_str!("../README.md"))
)]

pub use amp_core::value::Value;
pub use amp_core::*;
// Named, so that the compiler knows the feature where it is off.
#[cfg(feature = "testing")]
pub use amp_core::testing;
#[cfg(feature = "tokio")]
pub use amp_derive::responder;
/// Without the feature `tokio` nothing can respond, and this macro reports so.
#[cfg(not(feature = "tokio"))]
pub use amp_derive::responder_without_tokio as responder;
pub use amp_derive::{Arguments, Command, ErrorCodes, Value};
#[cfg(feature = "multiplex")]
#[doc(inline)]
pub use amp_multiplex as multiplex;

// These shadow items that the glob above would re-export. Authors of protocols depend on `amp-core` itself, with an exact
// version: items that are only for them are no part of this crate's interface.
#[cfg(feature = "tokio")]
#[expect(hidden_glob_reexports, reason = "that is what it is for")]
mod accept {}
#[cfg(feature = "tokio")]
#[expect(hidden_glob_reexports, reason = "that is what it is for")]
mod extension {}

/// The documentation beside the items, page by page; the same as the files of `docs/`.
#[cfg(any(doc, doctest))]
pub mod guide {
    #[cfg_attr(
        any(not(doctest), feature = "tokio"),
        doc = concat!(include_str!("../docs/links.in"), include_str!("../docs/commands.md"))
    )]
    pub mod commands {}
    #[cfg_attr(
        any(not(doctest), feature = "tokio"),
        doc = concat!(include_str!("../docs/links.in"), include_str!("../docs/values.md"))
    )]
    pub mod values {}
    #[cfg_attr(
        any(not(doctest), feature = "tokio"),
        doc = concat!(include_str!("../docs/links.in"), include_str!("../docs/errors.md"))
    )]
    pub mod errors {}
    #[cfg_attr(
        any(not(doctest), feature = "tokio"),
        doc = concat!(include_str!("../docs/links.in"), include_str!("../docs/ending.md"))
    )]
    pub mod ending {}
    #[cfg_attr(
        any(not(doctest), feature = "tokio"),
        doc = concat!(include_str!("../docs/links.in"), include_str!("../docs/limits.md"))
    )]
    pub mod limits {}
    #[cfg_attr(
        any(not(doctest), feature = "tokio"),
        doc = concat!(include_str!("../docs/links.in"), include_str!("../docs/hostile-peers.md"))
    )]
    pub mod hostile_peers {}
    #[cfg_attr(
        any(not(doctest), feature = "multiplex"),
        doc = concat!(include_str!("../docs/links.in"), include_str!("../docs/streams.md"))
    )]
    pub mod streams {}
    #[cfg_attr(
        any(not(doctest), feature = "testing"),
        doc = concat!(include_str!("../docs/links.in"), include_str!("../docs/testing.md"))
    )]
    pub mod testing {}
    #[cfg_attr(
        any(not(doctest), feature = "tokio"),
        doc = concat!(include_str!("../docs/links.in"), include_str!("../docs/twisted.md"))
    )]
    pub mod twisted {}
    #[cfg_attr(
        any(not(doctest), feature = "tokio"),
        doc = concat!(include_str!("../docs/links.in"), include_str!("../docs/wire.md"))
    )]
    pub mod wire {}
    /// For contributors, no part of the guide: which test proves which rule.
    ///
    #[cfg_attr(
        any(not(doctest), feature = "tokio"),
        doc = concat!(include_str!("../docs/links.in"), include_str!("../docs/rules.md"))
    )]
    pub mod rules {}
}
