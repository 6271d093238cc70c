use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::boxes::BoxReceiver;
use crate::reason::CloseReason;
use crate::wire::AmpBox;

/// The place of a box receiver that stands in for the dispatcher and the locator.
#[derive(Default)]
pub(super) struct Switch {
    /// Looked at for every box, so it is no lock.
    switched: AtomicBool,
    /// Empty while the receiver runs: it may switch itself.
    receiver: Mutex<Option<Box<dyn BoxReceiver>>>,
}

impl Switch {
    pub(super) fn is_switched(&self) -> bool {
        self.switched.load(Ordering::Acquire)
    }

    pub(super) fn set(&self, receiver: Option<Box<dyn BoxReceiver>>) {
        let mut slot = self.slot();
        self.switched.store(receiver.is_some(), Ordering::Release);
        let before = std::mem::replace(&mut *slot, receiver);
        drop(slot);
        drop(before);
    }

    /// Gives a box to the receiver.
    pub(super) fn receive(&self, received: AmpBox) {
        self.run(|receiver| receiver.receive_box(received));
    }

    /// Tells the receiver that no more boxes come, and lets it go.
    pub(super) fn stop(&self, reason: &CloseReason) {
        self.run(|receiver| receiver.stop(reason));
        self.set(None);
    }

    fn run(&self, run: impl FnOnce(&mut dyn BoxReceiver)) {
        let Some(mut receiver) = self.slot().take() else { return };
        if catch_unwind(AssertUnwindSafe(|| run(&mut *receiver))).is_err() {
            tracing::error!("a box receiver panicked");
        }
        let mut slot = self.slot();
        if slot.is_none() && self.is_switched() {
            *slot = Some(receiver);
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<Box<dyn BoxReceiver>>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Switch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Switch").field("switched", &self.is_switched()).finish_non_exhaustive()
    }
}
