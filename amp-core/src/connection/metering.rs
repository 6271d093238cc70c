use super::Connection;
use crate::memory::Meter;
use crate::reason::CloseReason;

/// Meters for memory that a program holds on behalf of the peer.
impl Connection {
    /// Returns a meter for one kind of memory held for this connection, such as objects that responders keep after they have
    /// answered. At a server it counts towards [`max_memory`](crate::server::ServerBuilder::max_memory), and so may have the
    /// peer's commands refused and the connection ended; elsewhere it only counts. It does not keep the connection open.
    ///
    /// The first 8 KiB of each meter are not counted: one for each kind, not one for each item. An item has a
    /// [`Held`](crate::connection::Held) of its kind's meter.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// # extern crate amp_core as amp;
    /// use amp::{Connection, Server};
    /// use amp::connection::{Held, Meter};
    ///
    /// /// What responders keep for one connection, at most 1 MiB.
    /// struct Kept {
    ///     values: Mutex<Vec<(String, Held)>>,
    ///     meter: Arc<Meter>,
    /// }
    ///
    /// impl Kept {
    ///     /// Keeps a value, unless its peer holds enough.
    ///     fn keep(&self, value: String) -> bool {
    ///         if self.meter.is_memory_short() {
    ///             return false;
    ///         }
    ///         let Some(held) = self.meter.try_hold(value.len(), 1 << 20) else { return false };
    ///         self.values.lock().unwrap().push((value, held));
    ///         true
    ///     }
    /// }
    ///
    /// let server = Server::builder().on_connection(|connection: Connection| {
    ///     connection.set_state(Kept { values: Mutex::default(), meter: Arc::new(connection.meter()) });
    /// });
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn meter(&self) -> Meter {
        Meter::new(&self.shared.account)
    }

    /// Runs `listener` when the server's memory is used up and this connection holds the most of it: the memory that
    /// [meters](Self::meter) of this connection count must be released at once. The connection may have ended long before, and
    /// all its handles may be dropped; memory that it still holds counts all the same. A listener that is set later runs at once.
    ///
    /// It runs once and under no lock, in a task or on a blocking thread of the connection's runtime, or on a thread where none drives it. It
    /// must not block; a panic of it is logged and costs nothing else. A listener that holds a handle of its own connection keeps that
    /// open.
    pub fn on_out_of_memory(&self, listener: impl FnOnce(&CloseReason) + Send + 'static) {
        self.shared.holder.listen(Box::new(listener));
    }
}
