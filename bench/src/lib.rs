//! What the benchmark's programs share: the load, the scenarios and the contestants.

pub mod codec;
pub mod contestants;
pub mod load;
pub mod place;
pub mod streams;

/// Whatever went wrong; it ends the run.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
