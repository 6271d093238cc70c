use crate::connection::Connection;
use crate::memory::Meter;

/// What an extension holds on behalf of the peer.
pub trait MemoryExt {
    /// A meter for one kind of what is held for this connection. At a server it counts towards
    /// [`max_memory`](crate::ServerBuilder::max_memory), and so may end the connection; elsewhere it only counts.
    #[must_use]
    fn meter(&self) -> Meter;
}

impl MemoryExt for Connection {
    fn meter(&self) -> Meter {
        Meter::new(&self.shared.account)
    }
}
