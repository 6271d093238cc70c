use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use amp_core::CloseReason;

/// A stream that holds bytes for its reader.
pub(crate) trait Unread: Send + Sync {
    /// Throws them away: the stream is truncated.
    fn lose(&self, reason: &CloseReason);
}

/// The streams that have left the registry with bytes which their readers have not read. Those that it has are found there.
#[derive(Default)]
pub(crate) struct UnreadStreams(Mutex<Vec<Weak<dyn Unread>>>);

impl UnreadStreams {
    pub(crate) fn add(&self, stream: Weak<dyn Unread>) {
        let mut streams = self.lock();
        if streams.len() == streams.capacity() {
            streams.retain(|stream| stream.strong_count() > 0);
        }
        streams.push(stream);
    }

    /// Throws away what they hold.
    pub(crate) fn lose(&self, reason: &CloseReason) {
        // Under no lock: readers are woken.
        let streams = std::mem::take(&mut *self.lock());
        streams.iter().filter_map(Weak::upgrade).for_each(|stream| stream.lose(reason));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<dyn Unread>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
