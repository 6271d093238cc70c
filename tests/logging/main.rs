//! What a peer writes forges no line of a log, raises no `ERROR` and does not fill the log.

mod commands;
mod floods;
mod log;
#[path = "../shared/logged.rs"]
mod logged;
mod panics;
#[path = "../checklist/raw_peer.rs"]
#[allow(dead_code, reason = "scripts elsewhere use all of it")]
mod raw_peer;
mod slow;
mod texts;
