//! Locators, which find the responder of a command, and exposed context: for locators written by hand, and for values that are
//! exposed to responders.
//!
//! `#[responder]` generates a [`Locator`]. A locator written by hand receives each [`Ask`] and answers it, at once or later by
//! its [`Answer`], or returns it. A type that implements [`Exposable`] can be a parameter of a responder, or an exposed field of
//! a command.

// Imports `responder`.
#[cfg(feature = "tokio")]
mod fallback;
#[cfg(feature = "tokio")]
mod locate;

pub use crate::exposed::{Context, Exposable};
#[cfg(feature = "tokio")]
pub use crate::responder::{Answer, Ask, EarlyAnswer, Located};
#[cfg(feature = "tokio")]
pub use fallback::{Fallback, fallback};
#[cfg(feature = "tokio")]
pub use locate::Locator;
