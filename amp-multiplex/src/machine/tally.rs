use std::sync::atomic::{AtomicUsize, Ordering};

use super::LEAST;

/// What all streams of a connection hold together. No stream may take all that is left, so that those which hold on to
/// what they have leave something to the next.
#[derive(Debug)]
pub(crate) struct Tally {
    most: usize,
    total: AtomicUsize,
    /// How many streams hold something.
    holders: AtomicUsize,
}

impl Tally {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, total: AtomicUsize::new(0), holders: AtomicUsize::new(0) }
    }

    /// How much a stream that holds `held` may hold in all, if every stream that holds something is to have as much and the
    /// next one too.
    pub(crate) fn fair_share(&self, held: usize) -> usize {
        let others = self.holders.load(Ordering::Relaxed).saturating_sub((held > 0).into());
        (self.left(held) / (others + 2)).max(LEAST)
    }

    /// How much a stream that holds `held` may hold in all before it is a danger to the others. A peer that keeps to fair
    /// shares of a quarter of this tally does not come near it.
    pub(crate) fn tolerated(&self, held: usize) -> usize {
        (self.left(held) / 4).max(LEAST)
    }

    /// Whether all streams hold little, so that what holds more memory than it counts for is no danger.
    pub(crate) fn is_light(&self) -> bool {
        self.total.load(Ordering::Relaxed) < self.most / 16
    }

    /// What a stream that holds `held` and nobody else could hold.
    fn left(&self, held: usize) -> usize {
        self.most.saturating_add(held).saturating_sub(self.total.load(Ordering::Relaxed))
    }

    /// A stream holds `after`, and held `before`.
    pub(crate) fn change(&self, before: usize, after: usize) {
        self.total.fetch_add(after, Ordering::Relaxed);
        self.total.fetch_sub(before, Ordering::Relaxed);
        match (before, after) {
            (0, 1..) => drop(self.holders.fetch_add(1, Ordering::Relaxed)),
            (1.., 0) => drop(self.holders.fetch_sub(1, Ordering::Relaxed)),
            _ => {}
        }
    }
}
