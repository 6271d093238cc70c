use std::sync::atomic::{AtomicUsize, Ordering};

use super::cost::MIN_WINDOW;
use crate::commands::Data;
use crate::meter::StreamMeter;

/// A slice that pins more than this many times its own length is copied. A Transmit of 32 KiB, the size that bulk streams send,
/// stays a slice in the largest of ordinary receive buffers, which has 128 KiB.
const MAX_PINNED: usize = 4;

/// Bytes that all streams of a connection may hold together, sent or received. No stream may take all that is left, so that
/// streams with stalled readers leave something to the next.
#[derive(Debug)]
pub(crate) struct Budget {
    max: usize,
    total: AtomicUsize,
    /// Number of streams that hold bytes.
    holders: AtomicUsize,
    /// Counts the same bytes, if they are memory of this end.
    meter: StreamMeter,
}

impl Budget {
    pub(crate) fn new(max: usize) -> Self {
        Self::metered(max, StreamMeter::default())
    }

    /// A budget of memory.
    pub(crate) fn metered(max: usize, meter: StreamMeter) -> Self {
        Self { max, total: AtomicUsize::new(0), holders: AtomicUsize::new(0), meter }
    }

    /// Returns how much a stream that holds `held` may hold in all, if every stream that holds bytes is to have as much and the
    /// next one too.
    pub(crate) fn fair_share(&self, held: usize) -> usize {
        let others = self.holders.load(Ordering::Relaxed).saturating_sub((held > 0).into());
        (self.left(held) / (others + 2)).max(MIN_WINDOW)
    }

    /// Returns how much a stream that holds `held` may hold in all before it endangers the others. A peer that keeps to fair
    /// shares of a quarter of this budget does not come near it.
    pub(crate) fn tolerated(&self, held: usize) -> usize {
        (self.left(held) / 4).max(MIN_WINDOW)
    }

    /// Whether received bytes are copied. Otherwise they stay a slice of the buffer that they were read into: no copy, but
    /// everything that they pin is held, which is acceptable only while that is little.
    pub(crate) fn copies(&self, data: &Data) -> bool {
        data.pinned_beside() > 0
            && (data.pinned() > MAX_PINNED * data.len()
                || self.meter.is_memory_short()
                || self.total.load(Ordering::Relaxed) >= self.max / 4)
    }

    /// Returns how many bytes a stream that holds `held` could hold if it were alone.
    fn left(&self, held: usize) -> usize {
        self.max.saturating_add(held).saturating_sub(self.total.load(Ordering::Relaxed))
    }

    /// A stream holds `after`, and held `before`.
    pub(crate) fn change(&self, before: usize, after: usize) {
        if before == after {
            return;
        }
        // The difference wraps around when it is negative.
        self.total.fetch_add(after.wrapping_sub(before), Ordering::Relaxed);
        self.meter.change(before, after);
        match (before, after) {
            (0, 1..) => drop(self.holders.fetch_add(1, Ordering::Relaxed)),
            (1.., 0) => drop(self.holders.fetch_sub(1, Ordering::Relaxed)),
            _ => {}
        }
    }
}
