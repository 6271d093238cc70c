use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use amp_core::{Ask, CloseReason, Connection, WeakConnection};

use crate::error::ConnectError;

/// The connection that a multiplexer belongs to, and no other: ids of one connection mean nothing on another.
#[derive(Debug, Default)]
pub(crate) struct Attachment {
    connection: OnceLock<WeakConnection>,
    /// A second connection got the multiplexer.
    reused: AtomicBool,
}

impl Attachment {
    /// Attaches to `connection`, unless it is attached to another.
    pub(crate) fn attach(&self, connection: &Connection) -> bool {
        let first = self.connection.set(connection.downgrade()).is_ok();
        if !first {
            self.reused.store(true, Ordering::Relaxed);
        }
        first
    }

    pub(crate) fn is_attached(&self) -> bool {
        self.connection.get().is_some()
    }

    /// Whether the ask was received on this connection.
    pub(crate) fn received(&self, ask: &Ask) -> bool {
        self.connection.get().is_some_and(|connection| connection.received(ask))
    }

    /// The connection while it lives, or why it does not.
    pub(crate) fn connection(&self, ended: impl Fn() -> Option<CloseReason>) -> Result<Connection, ConnectError> {
        let connection = self.connection.get().ok_or(ConnectError::NotAttached)?;
        if self.reused.load(Ordering::Relaxed) && ended().is_some() {
            return Err(ConnectError::Reused);
        }
        connection.upgrade().ok_or_else(|| ConnectError::Connection(ended().unwrap_or(CloseReason::Closed)))
    }
}
