use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of a forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Streams that are open now.
    pub open: u64,
    /// Streams that were opened, including those that have ended.
    pub total: u64,
    /// Streams that could not be opened. A client that left before is not counted.
    pub refused: u64,
    /// Bytes that were read from local sockets and sent to the peer.
    pub sent: u64,
    /// Bytes that were received from the peer and written to local sockets.
    pub received: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    open: AtomicU64,
    total: AtomicU64,
    refused: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Counters {
    /// Counts one more stream, open until the guard is dropped.
    pub(super) fn open(self: &Arc<Self>) -> impl Drop + use<> {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.total.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    /// Counts a stream that could not be opened.
    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts bytes that were read from a local socket.
    pub(super) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts bytes that were written to a local socket.
    pub(super) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            open: value(&self.open),
            total: value(&self.total),
            refused: value(&self.refused),
            sent: value(&self.sent),
            received: value(&self.received),
        }
    }
}

struct Open(Arc<Counters>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
