//! A real HTTP server behind streams, and real HTTP clients at the forwarded port.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod bodies;
mod concurrent;
mod large;
mod scene;
