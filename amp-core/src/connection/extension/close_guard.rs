use std::fmt;
use std::sync::Arc;

use crate::connection::handle::Connection;
use crate::connection::shared::Shared;
use crate::responder::Answering;

/// A closing connection waits for it as for a running responder: for up to [`close_timeout`](crate::Settings::close_timeout). It
/// does not keep the connection from beginning to close.
pub struct CloseGuard {
    shared: Arc<Shared>,
}

impl CloseGuard {
    /// From now on, until the guard is dropped, the connection waits for it when it closes.
    #[must_use = "a guard that is dropped holds nothing up"]
    pub fn new(connection: &Connection) -> Self {
        connection.shared.hold(0);
        Self { shared: Arc::clone(&connection.shared) }
    }
}

impl Drop for CloseGuard {
    fn drop(&mut self) {
        self.shared.settle(0);
    }
}

impl fmt::Debug for CloseGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloseGuard").finish_non_exhaustive()
    }
}
