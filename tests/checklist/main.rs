//! The statements of the wire reference about connections, each as a test that is named after it.
//!
//! A scripted peer writes and reads bytes by hand. Time is paused where nothing but this process is involved, so a
//! silence is told from a delay without waiting for it.

mod aborting;
mod announcing;
mod asks;
mod brittle;
mod calculator;
mod cancelling;
mod children;
mod closing;
mod commands;
mod congestion;
mod constraints;
mod credit;
mod crowds;
mod decoders;
mod decoding;
mod descriptors;
mod end_listeners;
mod ends_of_asks;
mod errors;
mod extensions;
mod failures;
mod flood;
mod forwarding;
mod framing;
mod full_server;
mod fuzz;
#[path = "../shared/guarded.rs"]
mod guarded;
mod handles;
mod keys;
mod limits;
mod listeners;
#[path = "../shared/logged.rs"]
mod logged;
mod loss;
mod memory;
mod raw_peer;
mod refusals;
mod replies;
mod runtimes;
mod sent;
mod server;
mod silence;
mod sinks;
mod timeouts;
mod transports;
mod values;
mod waiting;
