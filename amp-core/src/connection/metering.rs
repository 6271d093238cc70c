use super::Connection;
use crate::memory::Meter;
use crate::reason::CloseReason;

/// What a program holds on behalf of the peer.
impl Connection {
    /// A meter for one kind of what is held for this connection, as what responders keep when they have answered. At a server it counts
    /// towards [`max_memory`](crate::server::ServerBuilder::max_memory), and so may have the peer's commands refused and the connection ended;
    /// elsewhere it only counts. It does not keep the connection open.
    ///
    /// ```
    /// use std::sync::Mutex;
    /// # extern crate amp_core as amp;
    /// use amp::{Connection, Server};
    /// use amp::connection::Meter;
    ///
    /// /// What responders keep for one connection.
    /// struct Kept {
    ///     values: Mutex<Vec<String>>,
    ///     meter: Meter,
    /// }
    ///
    /// impl Kept {
    ///     /// Keeps a value, unless its peer holds enough.
    ///     fn keep(&self, value: String) -> bool {
    ///         let has_room = !self.meter.is_short() && self.meter.held() + value.len() <= 1 << 20;
    ///         if has_room {
    ///             self.meter.charge(value.len());
    ///             self.values.lock().unwrap().push(value);
    ///         }
    ///         has_room
    ///     }
    /// }
    ///
    /// let server = Server::builder().on_connection(|connection: Connection| {
    ///     connection.set_state(Kept { values: Mutex::default(), meter: connection.meter() });
    /// });
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn meter(&self) -> Meter {
        Meter::new(&self.shared.account)
    }

    /// Runs `listener` when the connection holds the most of the server's memory and that is used up: what [meters](Self::meter) of
    /// this connection count is to be given back at once. The connection may have ended long before; what it still holds counts all
    /// the same. The listener runs under no lock, and once. One that holds a handle of its own connection keeps that open.
    pub fn on_excess(&self, listener: impl Fn(&CloseReason) + Send + Sync + 'static) {
        self.shared.excess.add(Box::new(listener));
    }
}
