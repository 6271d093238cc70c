use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use amp_core::CloseReason;

/// A stream that its user still has.
pub(crate) trait Kept: Send + Sync {
    /// Throws away what it holds: the stream is truncated, and the task that serves it is aborted.
    fn lose(&self, reason: &CloseReason);
}

/// The streams that have left the registry and hold something: bytes that nobody has read, or a task when the connection has ended. Those
/// that the registry has are found there.
#[derive(Default)]
pub(crate) struct KeptStreams(Mutex<State>);

enum State {
    Open {
        streams: Vec<Weak<dyn Kept>>,
        /// With so many, those that are gone are taken out: each keeps the memory of its stream allocated.
        max: usize,
    },
    /// The memory is used up, for this reason. Whatever comes later is thrown away at once.
    Lost(CloseReason),
}

const MIN: usize = 16;

impl Default for State {
    fn default() -> Self {
        Self::Open { streams: Vec::new(), max: MIN }
    }
}

impl KeptStreams {
    pub(crate) fn add(&self, stream: Weak<dyn Kept>) {
        let mut state = self.lock();
        match &mut *state {
            State::Open { streams, max } => {
                if streams.len() >= *max {
                    streams.retain(|stream| stream.strong_count() > 0);
                    *max = MIN.max(2 * streams.len());
                    streams.shrink_to(*max);
                }
                streams.push(stream);
            }
            State::Lost(reason) => {
                let reason = reason.clone();
                drop(state);
                stream.upgrade().into_iter().for_each(|stream| stream.lose(&reason));
            }
        }
    }

    /// Throws away what they hold, and what others will.
    pub(crate) fn lose(&self, reason: &CloseReason) {
        let before = std::mem::replace(&mut *self.lock(), State::Lost(reason.clone()));
        // Under no lock: readers are woken.
        if let State::Open { streams, .. } = before {
            streams.iter().filter_map(Weak::upgrade).for_each(|stream| stream.lose(reason));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Held(AtomicUsize);

    impl Kept for Held {
        fn lose(&self, _: &CloseReason) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn add(all: &KeptStreams) -> Arc<Held> {
        let held = Arc::new(Held::default());
        let kept: Arc<dyn Kept> = Arc::clone(&held) as _;
        all.add(Arc::downgrade(&kept));
        held
    }

    #[test]
    fn those_that_come_before_and_after_the_memory_is_used_up_are_lost_once() {
        let all = KeptStreams::default();
        let before: Vec<_> = (0..40).map(|_| add(&all)).collect();
        all.lose(&CloseReason::Closed);
        all.lose(&CloseReason::Closed);
        let after = add(&all);
        assert!(before.iter().chain([&after]).all(|held| held.0.load(Ordering::Relaxed) == 1));
    }

    #[test]
    fn those_that_are_gone_keep_little_memory() {
        let all = KeptStreams::default();
        let kept = add(&all);
        let mut burst: Vec<_> = (0..10_000).map(|_| add(&all)).collect();
        burst.clear();
        for _ in 0..20_000 {
            drop(add(&all));
        }
        let state = all.lock();
        let State::Open { streams, .. } = &*state else { unreachable!("nothing was lost") };
        assert!(streams.capacity() <= 2 * MIN, "{}", streams.capacity());
        assert!(streams.iter().filter(|stream| stream.strong_count() > 0).count() == 1);
        drop(kept);
    }
}
