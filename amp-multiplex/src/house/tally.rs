use std::sync::atomic::{AtomicUsize, Ordering};

/// What all streams of a connection hold beyond the first window of each, which is its own: what others hold takes nothing
/// of that away.
#[derive(Debug)]
pub(crate) struct Tally {
    own: usize,
    most: usize,
    total: AtomicUsize,
}

impl Tally {
    pub(super) fn new(own: usize, most: usize) -> Self {
        Self { own, most, total: AtomicUsize::new(0) }
    }

    /// Whether a stream that holds `bytes` may hold more.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        bytes < self.own || self.total.load(Ordering::Relaxed) < self.most
    }

    /// A stream holds `after` bytes, and held `before`.
    pub(crate) fn change(&self, before: usize, after: usize) {
        let beyond = |bytes: usize| bytes.saturating_sub(self.own);
        self.total.fetch_add(beyond(after), Ordering::Relaxed);
        self.total.fetch_sub(beyond(before), Ordering::Relaxed);
    }
}
