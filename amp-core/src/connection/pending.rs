use std::sync::atomic::{AtomicUsize, Ordering};

/// The asks that have no answer, wherever they are, and whatever else closing waits for; and whether the connection closes.
///
/// Both are in one word, so that the one that takes the last away knows whether closing waits for it: of that and the
/// beginning of closing one is before the other, and sees it. It is counted without the connection's lock, for every ask.
#[derive(Debug, Default)]
pub(super) struct Pending(AtomicUsize);

const CLOSING: usize = 1;
const ONE: usize = 2;

impl Pending {
    pub(super) fn add(&self) {
        self.0.fetch_add(ONE, Ordering::Relaxed);
    }

    /// One less. Whether closing may have waited for that: then the driver is to look again.
    pub(super) fn remove(&self) -> bool {
        self.0.fetch_sub(ONE, Ordering::AcqRel) == ONE | CLOSING
    }

    /// Closing begins. The driver is to look after this.
    pub(super) fn close(&self) {
        self.0.fetch_or(CLOSING, Ordering::AcqRel);
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.load(Ordering::Acquire) < ONE
    }
}
