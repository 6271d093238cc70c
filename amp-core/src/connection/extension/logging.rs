use crate::connection::handle::Connection;
use crate::events::Events;
use crate::responder::Ask;

impl Events {
    /// The events of a connection, for logging.
    #[must_use]
    pub fn of(connection: &Connection) -> &Self {
        &connection.shared.events
    }

    /// The events of the connection that an ask came over, for logging.
    #[must_use]
    pub fn of_ask(ask: &Ask) -> &Self {
        ask.events()
    }
}
