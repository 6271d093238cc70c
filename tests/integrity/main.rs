//! What a connection promises to those who call and notify over it, held against a model.
//!
//! Real ends over memory, in paused time, with limits of 1 to 3, do what a seeded script says: calls, callbacks, nesting,
//! notifications, panics, dropped callers, and the ends of connections. `promises` says what must hold afterwards.
//! `AMP_MODEL_SEEDS=100000` runs so many seeds. `AMP_MODEL_SEED=7 cargo test -p amp-tests --test integrity model -- --nocapture` runs one
//! and shows its script and what happened, when and about which number.

mod arriving;
mod cable;
mod callbacks;
mod commands;
mod ledger;
#[path = "../shared/logged.rs"]
mod logged;
mod model;
mod notifications;
mod promises;
mod random;
mod script;
mod seeds;
mod settings;
mod station;
mod world;
