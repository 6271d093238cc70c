use std::sync::atomic::{AtomicIsize, Ordering};

use amp_core::extension::{EndExt, EventKind, Events};
use amp_core::{CloseReason, WeakConnection};
use tracing::Level;

const UNANSWERED: EventKind = EventKind::new(Level::WARN, "Disconnects not answered in time");

/// How many Disconnects may be unanswered beyond their time before the connection ends.
const MAX_UNANSWERED: usize = 1024;

/// The Disconnects that the peer has not answered in time. Nothing of their streams is held but their tags.
#[derive(Debug, Default)]
pub(crate) struct Unanswered {
    /// Below 0 for a moment where an answer comes just when the time is over.
    count: AtomicIsize,
}

impl Unanswered {
    /// The time of one is over.
    pub(crate) fn add(&self, connection: &WeakConnection) {
        let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        // Without a handle the connection closes or has ended.
        let Some(connection) = connection.upgrade() else { return };
        Events::of(&connection).tell(UNANSWERED, |peer, omitted| {
            let words = "the peer has not answered a Disconnect in time; see `StreamSettings::disconnect_timeout`";
            tracing::warn!(%peer, omitted, "{words}");
        });
        if usize::try_from(count).is_ok_and(|count| count > MAX_UNANSWERED) {
            connection.end_for_cause(CloseReason::NotAnswering { limit: MAX_UNANSWERED });
        }
    }

    /// One was answered after its time.
    pub(crate) fn remove(&self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}
