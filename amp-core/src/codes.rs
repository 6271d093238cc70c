//! Error codes that are not declared by a command.

/// No responder for the command (`wire.md` 2.2).
pub const UNHANDLED: &str = "UNHANDLED";
/// A failure that the command does not declare; its details are in the responder's log only.
pub const UNKNOWN: &str = "UNKNOWN";
/// An argument that does not decode or breaks a constraint; the description names it.
pub const INVALID_ARGUMENT: &str = "INVALID_ARGUMENT";
/// Too many responders are running for this connection; nothing was done, and a later call may succeed.
pub const BUSY: &str = "BUSY";
/// The peer closes its end and begins no more commands; nothing was done, and a call over another connection may succeed.
pub const DRAINING: &str = "DRAINING";
