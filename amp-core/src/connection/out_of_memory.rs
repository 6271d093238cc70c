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
    /// Ends the connection and all that it holds: what runs, what is to be written, and what extensions hold. It may be over
    /// already, and hold something all the same.
    fn end_for_memory(&self, Excess { held, limit }: Excess) {
        let reason = CloseReason::OutOfMemory { held, limit };
        let mut state = self.lock();
        let is_over = state.over().is_some();
        let discarded = state.discard_outbound();
        let woken = state.abort(reason.clone(), now());
        self.unlock(state, woken);
        drop(discarded);
        // An end is told by the driver.
        if is_over {
            self.events.tell(EventKind::LOST_MEMORY, |peer, omitted| {
                tracing::warn!(%peer, omitted, %reason, "what an ended connection holds is thrown away");
            });
        }
        self.excess.tell(&reason, &self.events);
    }
}
