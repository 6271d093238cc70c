//! Schemas: what commands declare, as data. Imports nothing of ours.
//!
//! The macros write the declarations as constants; [`Schema`] is the same as an owned value that can be compared,
//! stored and translated.

mod declared;

pub use declared::{
    AmpType, BoxDeclaration, CommandDeclaration, ConstraintDeclaration, ErrorDeclaration, FieldDeclaration, Rule,
};
