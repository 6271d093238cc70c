use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use amp_core::CloseReason;
use slab::Slab;

/// A stream that its user still holds.
pub(crate) trait Kept: Send + Sync {
    /// Discards the bytes that it holds: the stream is truncated.
    fn lose(&self, reason: &CloseReason);
}

/// The streams that have left the registry, are still held by their users, and have unread bytes. Streams that are still in the
/// registry are found there.
#[derive(Default)]
pub(crate) struct KeptStreams(Mutex<State>);

/// Number of streams for which an idle connection keeps memory.
const MAX_SPARE: usize = 128;

enum State {
    Open(Slab<Weak<dyn Kept>>),
    /// The memory is used up, for this reason. Streams added later are discarded at once.
    Lost(CloseReason),
}

impl Default for State {
    fn default() -> Self {
        Self::Open(Slab::new())
    }
}

impl KeptStreams {
    /// Adds a stream, and returns its place. If the memory is used up, returns the reason: the stream must be discarded at once.
    pub(crate) fn add(&self, stream: Weak<dyn Kept>) -> Result<usize, CloseReason> {
        match &mut *self.lock() {
            State::Open(streams) => Ok(streams.insert(stream)),
            State::Lost(reason) => Err(reason.clone()),
        }
    }

    /// The user has dropped the stream at the place.
    pub(crate) fn remove(&self, place: usize) {
        if let State::Open(streams) = &mut *self.lock() {
            streams.try_remove(place);
            if streams.is_empty() && streams.capacity() > MAX_SPARE {
                *streams = Slab::new();
            }
        }
    }

    /// Discards the bytes of these streams, and of all that are added later.
    pub(crate) fn lose(&self, reason: &CloseReason) {
        let before = std::mem::replace(&mut *self.lock(), State::Lost(reason.clone()));
        // Under no lock: readers are woken.
        if let State::Open(streams) = before {
            streams.iter().filter_map(|(_, stream)| stream.upgrade()).for_each(|stream| stream.lose(reason));
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

    fn add(all: &KeptStreams) -> (Arc<Held>, Result<usize, CloseReason>) {
        let held = Arc::new(Held::default());
        let kept: Arc<dyn Kept> = Arc::clone(&held) as _;
        let place = all.add(Arc::downgrade(&kept));
        (held, place)
    }

    #[test]
    fn those_that_are_there_are_lost_once_and_later_ones_learn_the_reason() {
        let all = KeptStreams::default();
        let streams: Vec<_> = (0..40).map(|_| add(&all)).collect();
        let (dropped, place) = &streams[7];
        all.remove(place.clone().expect("there is memory"));
        all.lose(&CloseReason::Closed);
        all.lose(&CloseReason::Closed);
        let lost = streams.iter().filter(|(held, _)| held.0.load(Ordering::Relaxed) == 1).count();
        assert_eq!((lost, dropped.0.load(Ordering::Relaxed)), (39, 0));
        let (_, place) = add(&all);
        assert!(matches!(place, Err(CloseReason::Closed)), "{place:?}");
        all.remove(3);
    }

    #[test]
    fn those_that_are_gone_keep_little_memory() {
        let all = KeptStreams::default();
        for _ in 0..3 {
            let burst: Vec<_> = (0..1000).map(|_| add(&all)).collect();
            burst.into_iter().for_each(|(_, place)| all.remove(place.expect("there is memory")));
        }
        let State::Open(streams) = &*all.lock() else { unreachable!("nothing was lost") };
        assert!(streams.capacity() <= MAX_SPARE, "{}", streams.capacity());
    }
}
