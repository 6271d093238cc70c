//! What is exposed to responders and values, and the boxes beneath the dispatcher: switching the receiver, sending, routing.

mod boxes;
mod builtins;
#[allow(dead_code, reason = "the checklist uses all of it")]
#[path = "../checklist/commands.rs"]
mod commands;
mod early;
mod fallback;
mod fields;
mod inlets;
#[path = "../shared/logged.rs"]
mod logged;
mod login;
mod own_answers;
#[allow(dead_code, reason = "the checklist uses all of it")]
#[path = "../checklist/raw_peer.rs"]
mod raw_peer;
#[path = "../../examples/shared/router.rs"]
mod router;
mod routes;
mod sending;
mod sessions;
mod states;
mod values;
