//! What the seam of extensions carries, each part proved by a protocol that needs it.

#![allow(clippy::cast_possible_truncation, reason = "what is rolled, and what is masked, is small")]

mod attachments;
mod handshake_timeout;
#[path = "../shared/logged.rs"]
mod logged;
mod masks;
#[path = "../checklist/raw_peer.rs"]
#[allow(dead_code, reason = "scripts elsewhere use all of it")]
mod raw_peer;
mod unix;
mod upgrade_edges;
mod upgrades;
mod upgrades_under_load;
