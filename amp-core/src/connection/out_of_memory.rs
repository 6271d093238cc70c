use super::clock::now;
use super::memory_holder::EndsForMemory;
use super::shared::Shared;
use crate::reason::CloseReason;

impl EndsForMemory for Shared {
    /// Ends running responders, and discards bytes to be written.
    fn end_for_memory(&self, reason: &CloseReason) -> bool {
        let mut state = self.lock();
        let was_open = state.over().is_none();
        let discarded = state.discard_answers();
        let woken = state.abort(reason.clone(), now());
        self.unlock(state, woken);
        drop(discarded);
        was_open
    }
}
