//! Two copies of the machine against each other, without a runtime and without a clock.

mod budget;
mod registry;
mod state;
mod stream;
mod two_ends;
mod window;
