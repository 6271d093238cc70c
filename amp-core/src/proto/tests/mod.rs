//! Two states against each other, without a runtime and without a clock.

mod admission;
mod announcements;
mod barrier;
mod end;
mod ending;
mod sending;
mod two_ends;

use super::Waiter;

impl Waiter for u64 {
    type Identity = Self;
    type Sink = Self;

    fn identity(&self) -> Self {
        *self
    }
}
