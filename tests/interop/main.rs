//! Interop: this implementation against a real, unmodified Twisted, in both roles.
//!
//! Nothing has to be installed by hand: the tests make a virtual environment under `target/` from `requirements.txt`.
//! Without Python 3 they say on standard error that they were skipped; with `AMP_REQUIRE_INTEROP=1` that is a failure.
//! Names begin with the line of the protocol's checklist that they prove, where there is one.

#![expect(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod big;
mod callbacks;
mod commands;
mod constraints;
mod core_scene;
mod custom;
mod endings;
mod errors;

mod generated;
#[path = "../shared/guarded.rs"]
mod guarded;
mod harness;
mod limits;
mod machines;
mod names;
mod numbers;
mod raw_bytes;
mod streams;
#[path = "../shared/together.rs"]
mod together;
mod transcripts;
mod twisted_types;
mod values;
mod values_table;
mod workers;
