use crate::connection::Connection;
use crate::reason::CloseReason;

/// How an extension ends a connection.
pub trait EndExt {
    /// Ends the connection as a fault of the peer's does: calls fail, nothing more is answered, and what is queued is still written, for
    /// as long as [`linger`](crate::Settings::linger). A connection that has ended keeps its reason. The end is logged.
    fn end_for_cause(&self, reason: CloseReason);
}

impl EndExt for Connection {
    fn end_for_cause(&self, reason: CloseReason) {
        self.shared.end_for_cause(reason);
    }
}
