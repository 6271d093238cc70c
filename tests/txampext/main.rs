//! What txampext's documentation promises, paragraph by paragraph, each as a test that is named after it. They use the crate as its users
//! do, and both ends are this library's; `tests/interop` speaks with Twisted.
//! Its JSON dialect of AMP, which it calls a hack for old browsers, has no counterpart here.

mod constraints;
mod declarations;
mod exposed;
mod forwarding;
mod streams;
