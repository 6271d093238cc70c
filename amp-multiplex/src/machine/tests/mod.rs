//! Two copies of the machine against each other, without a runtime and without a clock.

use super::Receipt;

mod budget;
mod held;
mod registry;
mod state;
mod stream;
mod two_ends;
mod window;

/// A receipt with a short tag.
impl Receipt for u32 {
    fn held(&self) -> usize {
        0
    }
}
