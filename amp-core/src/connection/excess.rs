use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::events::{EventKind, Events};
use crate::panics::caught;
use crate::reason::CloseReason;

type Listener = Box<dyn Fn(&CloseReason) + Send + Sync>;

/// Who gives back what extensions hold when the connection holds too much.
#[derive(Default)]
pub(super) struct ExcessListeners(Mutex<Vec<Listener>>);

impl ExcessListeners {
    pub(super) fn add(&self, listener: Listener) {
        self.lock().push(listener);
    }

    /// Tells them, once.
    pub(super) fn tell(&self, reason: &CloseReason, events: &Events) {
        // Under no lock: a listener may use the connection.
        let listeners = std::mem::take(&mut *self.lock());
        for listener in listeners {
            if let Err(panic) = caught(AssertUnwindSafe(|| listener(reason))) {
                events.tell(EventKind::PANIC, |peer, omitted| {
                    tracing::warn!(%peer, omitted, %panic, "a listener for used-up memory panicked");
                });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Listener>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ExcessListeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExcessListeners").field(&self.lock().len()).finish()
    }
}
