//! Two copies of the machine against each other, without a runtime and without a clock.

mod registry;
mod stream;
mod tally;
mod two_ends;
mod window;
