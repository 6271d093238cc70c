use std::fmt;
use std::sync::Arc;

use super::handle::Connection;
use super::shared::Shared;
use crate::responder::Answering;

/// Something that a closing connection waits for; see [`Connection::busy`].
pub struct Busy {
    shared: Arc<Shared>,
}

impl Connection {
    /// As long as the guard lives, a connection that closes waits for it as for a responder that runs: for up to
    /// [`close_timeout`](crate::Settings::close_timeout). It does not keep the connection from closing.
    #[must_use]
    pub fn busy(&self) -> Busy {
        self.shared.hold(0);
        Busy { shared: Arc::clone(&self.shared) }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.shared.settle();
    }
}

impl fmt::Debug for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Busy").finish_non_exhaustive()
    }
}
