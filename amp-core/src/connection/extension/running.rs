use std::fmt;
use std::sync::{Arc, Weak};

use crate::connection::asks_by_tag::AsksByTag;
use crate::connection::handle::Connection;
use crate::connection::shared::Shared;

/// The peer's asks whose responders run or wait to begin, by the tags that the peer gave them.
///
/// An ask is among them from its arrival until it is answered. Not included are asks that want no answer, asks for commands that
/// an extension claims, and asks that a locator keeps or whose arguments were [taken](crate::locator::Ask::accept): they have no
/// responder that could be dropped.
#[derive(Clone)]
pub struct RunningAsks {
    noted: Arc<AsksByTag>,
    shared: Weak<Shared>,
}

impl RunningAsks {
    /// From now on the connection notes its asks by tag; without this it does not, and pays nothing. If this is called while an
    /// extension is [attached](super::Extension::attach), no ask is missed. It does not keep the connection open.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        let shared = &connection.shared;
        Self { noted: Arc::clone(shared.note_asks()), shared: Arc::downgrade(shared) }
    }

    /// Whether an ask with the tag runs or waits to begin.
    #[must_use]
    pub fn contains(&self, tag: &[u8]) -> bool {
        self.noted.contains(tag)
    }

    /// Drops the responder of the ask with the tag, at its next `await`, or the ask itself when it waits to begin. The ask is
    /// answered as any dropped ask is: with [`codes::UNKNOWN`](crate::error::codes::UNKNOWN), unless its answer comes first. It
    /// has one answer in any case.
    ///
    /// Returns whether there was such an ask. A peer that uses a tag twice cannot tell the answers apart: all asks with the tag are
    /// dropped.
    pub fn cancel(&self, tag: &[u8]) -> bool {
        let found = self.noted.cancel(tag);
        // Only the driver drops waiting asks.
        if found && let Some(shared) = self.shared.upgrade() {
            shared.wake_driver();
        }
        found
    }
}

impl fmt::Debug for RunningAsks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningAsks").field("count", &self.noted.len()).finish_non_exhaustive()
    }
}
