//! Error codes that are not declared by a command.
//!
//! They are the library's own. If a command declares one of them as an error of its own, the code is decoded as that error: a
//! caller cannot tell the two apart. Declare other codes.
//!
//! The peer answers `BUSY` and `DRAINING` to a command that it has not begun. A responder that passes on the error of a call of
//! its own ([`CallError::forward`](crate::CallError::forward)) passes these on, too, and may have done something before. So
//! calling again after one of them is safe where the responders of the command do not forward them.

/// No responder for the command (`wire.md` 2.2); see `CallError::is_unhandled`.
#[doc(alias("UnhandledCommand", "UNHANDLED_ERROR_CODE"))]
pub const UNHANDLED: &str = "UNHANDLED";
/// A failure that the command does not declare; its details are in the responder's log only.
#[doc(alias("UnknownRemoteError", "UNKNOWN_ERROR_CODE"))]
pub const UNKNOWN: &str = "UNKNOWN";
/// An argument that does not decode or breaks a constraint; the description names it.
pub const INVALID_ARGUMENT: &str = "INVALID_ARGUMENT";
/// The response, or the fields of a declared error, exceed [`MAX_VALUE`](crate::wire::MAX_VALUE), a declared maximum (of a
/// [`Big`](crate::value::Big) or a `Zlib`) or [`BoxLimits::bytes`](crate::wire::BoxLimits::bytes); the description names the field and its length. The command was carried out.
pub const TOO_LONG: &str = "TOO_LONG";
/// The peer has no room: too many responders are running for this connection, its server's memory is short and this connection
/// holds more than its share, or the server has reached its limit of connections, in all or of this peer. The description says
/// which. The command was not begun, unless a responder has forwarded the error, and a later call may succeed.
pub const BUSY: &str = "BUSY";
/// The peer ended the connection: it received bytes that are not AMP, or answers to asks that it never sent.
pub const PROTOCOL: &str = "PROTOCOL";
/// The peer ended the connection: this end does not read what it sends.
pub const NOT_READING: &str = "NOT_READING";
/// The peer ended the connection: this end began a box, or a replacement of the transport, and did not continue it in time.
pub const TIMEOUT: &str = "TIMEOUT";
/// The peer ended the connection: more notifications waited there than it keeps.
pub const TOO_MANY_NOTIFICATIONS: &str = "TOO_MANY_NOTIFICATIONS";
/// The peer ended the connection: its memory was used up, and this connection made it hold the most.
pub const OUT_OF_MEMORY: &str = "OUT_OF_MEMORY";
/// The peer closes its end and begins no more commands. The command was not begun, unless a responder has forwarded the error,
/// and a call over another connection may succeed.
pub const DRAINING: &str = "DRAINING";
