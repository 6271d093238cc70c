use crate::connection::Connection;
use crate::memory::Meter;
use crate::reason::CloseReason;

/// What an extension holds on behalf of the peer.
pub trait MemoryExt {
    /// A meter for one kind of what is held for this connection. At a server it counts towards
    /// [`max_memory`](crate::ServerBuilder::max_memory), and so may end the connection; elsewhere it only counts.
    #[must_use]
    fn meter(&self) -> Meter;

    /// Runs `listener` when the connection holds the most of the server's memory and that is used up: what meters of this connection
    /// count is to be given back at once. The connection may have ended long before; what it still holds counts all the same. The
    /// listener runs under no lock, and once.
    fn on_excess(&self, listener: impl Fn(&CloseReason) + Send + Sync + 'static);
}

impl MemoryExt for Connection {
    fn meter(&self) -> Meter {
        Meter::new(&self.shared.account)
    }

    fn on_excess(&self, listener: impl Fn(&CloseReason) + Send + Sync + 'static) {
        self.shared.excess.add(Box::new(listener));
    }
}
