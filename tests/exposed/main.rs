//! What is exposed to responders, and the boxes beneath the dispatcher: switching the receiver, sending, routing.

mod builtins;
#[allow(dead_code, reason = "the checklist uses all of it")]
#[path = "../checklist/commands.rs"]
mod commands;
mod fields;
mod log;
mod login;
#[allow(dead_code, reason = "the checklist uses all of it")]
#[path = "../checklist/raw_peer.rs"]
mod raw_peer;
mod states;
