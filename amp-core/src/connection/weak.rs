use std::fmt;
use std::sync::{Arc, Weak};

use super::Connection;
use super::shared::Shared;
use crate::responder::Ask;

/// A handle of a connection that does not keep it open.
#[derive(Clone)]
pub struct WeakConnection {
    shared: Weak<Shared>,
}

impl WeakConnection {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::downgrade(shared) }
    }

    /// Whether it is a handle of that connection.
    #[must_use]
    pub fn is_of(&self, connection: &Connection) -> bool {
        self.shared.as_ptr() == Arc::as_ptr(&connection.shared)
    }

    /// Whether the ask came over that connection.
    #[must_use]
    pub fn received(&self, ask: &Ask) -> bool {
        std::ptr::addr_eq(self.shared.as_ptr(), Arc::as_ptr(ask.answering()))
    }

    /// The connection, if somebody still has a handle of it. Without one it closes or is closed, and this is `None`, however
    /// often it is asked while what runs still finishes.
    #[must_use]
    pub fn upgrade(&self) -> Option<Connection> {
        let shared = self.shared.upgrade()?;
        // A handle that is made gives its count back when it is dropped: none may be made that was not counted.
        shared.add_handle_to_others().then(|| Connection { shared, counted: true })
    }
}

impl fmt::Debug for WeakConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakConnection").finish_non_exhaustive()
    }
}
