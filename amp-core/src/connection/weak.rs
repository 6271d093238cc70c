use std::fmt;
use std::sync::{Arc, Weak};

use super::handle::Connection;
use super::shared::Shared;

/// A handle of a connection that does not keep it open.
#[derive(Clone)]
pub struct WeakConnection {
    shared: Weak<Shared>,
    /// As in the handle that it was made from.
    ask: u32,
}

impl WeakConnection {
    pub(super) fn of(shared: &Arc<Shared>, ask: u32) -> Self {
        Self { shared: Arc::downgrade(shared), ask }
    }

    /// The weak handle of a connection that is being made.
    pub(super) fn early(shared: &Weak<Shared>) -> Self {
        Self { shared: Weak::clone(shared), ask: 0 }
    }

    /// Returns the connection, if a handle of it is still held. Without one the connection closes or is closed, and this returns
    /// `None`, however often it is called while running responders still finish.
    #[must_use]
    pub fn upgrade(&self) -> Option<Connection> {
        let shared = self.shared.upgrade()?;
        // Not made before it is counted: dropping it would count one handle too few.
        shared.add_handle_to_others().then(|| Connection::counted(shared, self.ask))
    }
}

impl Connection {
    /// Returns a handle that does not keep the connection open.
    #[must_use]
    pub fn downgrade(&self) -> WeakConnection {
        WeakConnection::of(&self.shared, self.ask())
    }
}

impl fmt::Debug for WeakConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakConnection").finish_non_exhaustive()
    }
}
