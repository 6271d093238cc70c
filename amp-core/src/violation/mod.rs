//! Violations: values that decode and are not what was declared, and where. Imports nothing of ours.

mod place;
mod violations;

pub use place::Place;
pub use violations::{Violation, Violations};
