use std::time::Instant;

use super::cost::{MIN_WINDOW, OVERHEAD, cost};
use super::window::{Window, WindowBounds};

/// Bytes that one stream has sent and the peer has not acknowledged, and how many more may be sent.
#[derive(Debug)]
pub(super) struct FlowControl {
    /// The cost of unacknowledged bytes.
    in_flight: usize,
    window: Window,
}

impl FlowControl {
    #[inline]
    pub(super) fn new(bounds: WindowBounds) -> Self {
        Self { in_flight: 0, window: Window::new(bounds) }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Returns how many bytes may be sent now, when all unacknowledged ones may cost `share`.
    pub(super) fn capacity(&mut self, share: usize, now: Instant) -> usize {
        let window = self.window.allowed(self.in_flight, now);
        // Sent in one piece, the bytes also cost the overhead of that piece.
        let capacity = window.min(share.max(MIN_WINDOW)).saturating_sub(self.in_flight + OVERHEAD);
        // With nothing in flight any amount is sent; otherwise small amounts wait until an acknowledgement makes room for more.
        if self.in_flight == 0 || capacity >= MIN_WINDOW { capacity } else { 0 }
    }

    /// Whether nothing may be sent because the round trip is measured: until all bytes are acknowledged, or for
    /// [`PROBE_TIMEOUT`](super::PROBE_TIMEOUT).
    pub(super) fn is_draining(&self) -> bool {
        self.window.is_draining()
    }

    /// Bytes were sent.
    pub(super) fn sent(&mut self, bytes: usize) {
        self.window.sent(self.in_flight);
        self.in_flight += cost(bytes);
    }

    /// The oldest bytes in flight, sent at `sent_at`, were acknowledged.
    pub(super) fn acknowledged(&mut self, bytes: usize, sent_at: Instant, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(cost(bytes));
        self.window.acknowledged(cost(bytes), sent_at, now);
    }
}
