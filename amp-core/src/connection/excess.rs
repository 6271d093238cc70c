use std::sync::Arc;

use super::clock::now;
use super::shared::Shared;
use crate::events::EventKind;
use crate::memory::{Excess, Holder};
use crate::reason::CloseReason;

impl Holder for Shared {
    fn end_for(self: Arc<Self>, excess: Excess) {
        // In a task: it takes the lock of the connection, and what was charged may have been charged under that.
        if let Some(runtime) = self.runtime.get() {
            runtime.clone().spawn(async move { self.end_for_memory(excess) });
        }
    }
}

impl Shared {
    /// Ends the connection and all that it holds: what runs, and what is to be written.
    fn end_for_memory(&self, Excess { held, limit }: Excess) {
        let mut state = self.lock();
        if state.over().is_none() {
            self.events.tell(EventKind::CONNECTION_ENDS, |peer, omitted| {
                tracing::warn!(%peer, omitted, held, limit, "connection ends: it held the most of the server's memory, which is used up");
            });
        }
        let discarded = state.discard_outbound();
        let woken = state.abort(CloseReason::OutOfMemory { held, limit }, now());
        self.unlock(state, woken);
        drop(discarded);
    }
}
