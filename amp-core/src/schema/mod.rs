//! Schemas: declarations of commands, as data.
//!
//! The macros write declarations as constants. A [`Schema`] is the same as one owned value, which can be compared with
//! another, stored as JSON (feature `serde`) and translated into a Python module for Twisted: the Rust declaration is the
//! one source for both languages.
//!
//! ```
//! # extern crate amp_core as amp;
//! use amp::locator::Locator;
//! use amp::schema::Schema;
//!
//! /// Describes the commands of a locator to Twisted's users.
//! fn describe(locator: &impl Locator) -> std::io::Result<()> {
//!     let schema = Schema::of(locator.commands());
//!     println!("{schema}");
//!     println!("fingerprint {}", schema.fingerprint());
//!     std::fs::write("commands.py", schema.to_twisted())
//! }
//! ```
// The declarations import nothing of ours.

mod canonical;
mod compare;
mod declared;
mod integer;
mod numbering;
mod owned;
mod reading;
mod rule;
mod same;
mod text;
mod text_type;
mod twisted;

#[cfg(feature = "serde")]
mod json;

pub use compare::{Change, Effect, Report};
pub use declared::{
    AmpType, BoxDeclaration, CommandDeclaration, ConstrainedDeclaration, ConstraintDeclaration, EnumDeclaration,
    ErrorDeclaration, FieldDeclaration, VariantDeclaration,
};
#[cfg(feature = "serde")]
pub(crate) use integer::Integers;
#[cfg(feature = "serde")]
pub use json::{from_json, to_json};
pub use numbering::Numbering;
pub use owned::{
    CommandSchema, ConstraintSchema, EnumSchema, ErrorSchema, FieldSchema, Schema, TypeSchema, VariantSchema,
};
pub use rule::{Rule, WireValue};
pub use text::Fingerprint;
pub(crate) use text_type::TextType;
