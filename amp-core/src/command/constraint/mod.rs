//! Constraints: conditions on declared values beyond being well-formed.
//!
//! The same check runs at both ends: before a byte is written, and before the responder or the caller sees the value. It
//! allocates nothing while all constraints hold.

mod bounds;
mod length;
mod rules;
mod set;

#[cfg(feature = "regex")]
mod pattern;

pub use super::arguments::Constrained;
pub use crate::violation::{Place, Violation, Violations};
pub use bounds::{Bounds, Lengths};
pub use length::HasLength;
#[cfg(feature = "regex")]
pub use pattern::Pattern;
pub use rules::{Constraint, InSet, Length, LengthInBytes, NonEmpty, NotInSet, Range};
pub use set::{Encoded, Set};
