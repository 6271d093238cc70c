//! Error codes that are not declared by a command.

/// No responder for the command (`wire.md` 2.2); see `CallError::is_unhandled`.
pub const UNHANDLED: &str = "UNHANDLED";
/// A failure that the command does not declare; its details are in the responder's log only.
pub const UNKNOWN: &str = "UNKNOWN";
/// An argument that does not decode or breaks a constraint; the description names it.
pub const INVALID_ARGUMENT: &str = "INVALID_ARGUMENT";
/// Too many responders are running for this connection; nothing was done, and a later call may succeed.
pub const BUSY: &str = "BUSY";
/// The peer ended the connection: what it got is not AMP, or answers what it never asked.
pub const PROTOCOL: &str = "PROTOCOL";
/// The peer ended the connection: this end does not read what it sends.
pub const NOT_READING: &str = "NOT_READING";
/// The peer ended the connection: more notifications waited there than it keeps.
pub const TOO_MANY_NOTIFICATIONS: &str = "TOO_MANY_NOTIFICATIONS";
/// The peer closes its end and begins no more commands; nothing was done, and a call over another connection may succeed.
pub const DRAINING: &str = "DRAINING";
