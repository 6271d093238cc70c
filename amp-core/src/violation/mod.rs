//! Violations: values that decode but break their constraints, and their places. Imports nothing of ours.

mod place;
mod violations;

pub use place::Place;
pub use violations::{Violation, Violations};
