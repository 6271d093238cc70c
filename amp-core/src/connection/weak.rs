use std::fmt;
use std::sync::{Arc, Weak};

use super::handle::Connection;
use super::shared::Shared;

/// A handle of a connection that does not keep it open: for what lives in the connection's own session, and for registries.
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

    /// Whether both are handles of the same connection, which may have ended. [`downgrade`](Connection::downgrade) a strong handle to
    /// compare it.
    ///
    /// By it a connection finds its own entry in a registry, where a later one may have taken its place:
    ///
    /// ```
    /// # extern crate amp_core as amp;
    /// use std::collections::HashMap;
    ///
    /// use amp::connection::WeakConnection;
    ///
    /// fn leave(agents: &mut HashMap<String, WeakConnection>, name: &str, own: &WeakConnection) {
    ///     if agents.get(name).is_some_and(|entry| entry.is_same(own)) {
    ///         agents.remove(name);
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        // The allocation stays while a weak handle is held, so no later connection has its address.
        Weak::ptr_eq(&self.shared, &other.shared)
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
