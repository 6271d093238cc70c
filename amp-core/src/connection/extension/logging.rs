use crate::connection::handle::Connection;
use crate::events::Events;
use crate::responder::Ask;

impl Events {
    /// What is logged of a connection.
    #[must_use]
    pub fn of(connection: &Connection) -> &Self {
        &connection.shared.events
    }

    /// What is logged of the connection that an ask came over.
    #[must_use]
    pub fn of_ask(ask: &Ask) -> &Self {
        ask.events()
    }
}
