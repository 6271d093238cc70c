//! Which responder answers a command, and what it sees: for locators that are written by hand, and for values that responders have exposed.
//!
//! `#[responder]` generates a [`Locator`]. One that is written by hand gets each [`Ask`] and answers it, at once or later by its
//! [`Answer`], or gives it back. What implements [`Exposable`] can be a parameter of a responder, or an exposed field of a command.

// Imports `responder`.
#[cfg(feature = "tokio")]
mod fallback;
#[cfg(feature = "tokio")]
mod locate;

pub use crate::exposed::{Context, Exposable};
#[cfg(feature = "tokio")]
pub use crate::responder::{Answer, Ask, Located};
#[cfg(feature = "tokio")]
pub use fallback::{Fallback, fallback};
#[cfg(feature = "tokio")]
pub use locate::Locator;
