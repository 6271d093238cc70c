use std::time::{Duration, Instant};

use super::cost::MIN_WINDOW;

/// The minimum and maximum window of a stream, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowBounds {
    pub(crate) initial: usize,
    pub(crate) max: usize,
}

/// Time for which a measured round trip of the empty path is valid.
const MIN_RTT_LIFETIME: Duration = Duration::from_secs(10);

/// The longest round trip of a short path.
const SHORT_RTT: Duration = Duration::from_millis(1);

/// Maximum time for which sending stops to measure the round trip again.
pub(crate) const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Number of bytes of a stream that may be unacknowledged.
///
/// The window follows the product of rate and round trip, so that a long path is kept full and a slow reader does not fill
/// buffers: the rate is that of the bytes acknowledged over a round trip, and the round trip is that of the empty path. It is
/// measured with bytes that are sent when no others are in flight. A stream that is always busy stops sending for that now and
/// then until everything is acknowledged, or a path that has become longer would never be seen behind the queue that the window
/// itself causes.
#[derive(Debug)]
pub(crate) struct Window {
    max: usize,
    size: usize,
    min_rtt: Option<Duration>,
    /// When it was measured, or its measurement began.
    measured: Option<Instant>,
    /// The next acknowledgement is for bytes that were alone in flight, and measures the round trip.
    probing: bool,
    /// Nothing is sent until everything is acknowledged, since `measured`.
    draining: bool,
    /// The previous measurement of the round trip is of no use.
    outdated: bool,
    /// Since when `acknowledged` counts, for the rate.
    since: Option<Instant>,
    acknowledged: usize,
}

impl Window {
    #[inline]
    pub(crate) fn new(bounds: WindowBounds) -> Self {
        let initial = bounds.initial.max(MIN_WINDOW);
        Self {
            max: bounds.max.max(initial),
            size: initial,
            min_rtt: None,
            measured: None,
            probing: false,
            draining: false,
            outdated: false,
            since: None,
            acknowledged: 0,
        }
    }

    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Returns how many bytes may be unacknowledged now, when `in_flight` are.
    pub(crate) fn allowed(&mut self, in_flight: usize, now: Instant) -> usize {
        // Sending stops only if the window is used, and only while the peer's reader reads: if the reader is stalled, the window
        // is what may still be sent.
        let acknowledges = self.since.is_some_and(|since| now.saturating_duration_since(since) < PROBE_TIMEOUT);
        if in_flight > self.size / 2 && acknowledges && self.is_stale(now) {
            (self.draining, self.outdated, self.measured) = (true, true, Some(now));
        }
        // The reader may have stopped in the meantime.
        self.draining &= self.age(now) < PROBE_TIMEOUT;
        if self.draining && in_flight > 0 { 0 } else { self.size }
    }

    /// Whether nothing is sent until everything is acknowledged or [`PROBE_TIMEOUT`] is over.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining
    }

    /// Bytes are sent while `in_flight` are unacknowledged.
    pub(crate) fn sent(&mut self, in_flight: usize) {
        if in_flight == 0 {
            (self.probing, self.draining) = (true, false);
        }
    }

    /// The oldest `bytes`, which were sent at `sent_at`, were acknowledged.
    pub(crate) fn acknowledged(&mut self, bytes: usize, sent_at: Instant, now: Instant) {
        let rtt = now.saturating_duration_since(sent_at);
        let replaced = self.probing && (self.outdated || self.is_stale(now));
        let before = self.min_rtt.filter(|_| !replaced);
        let min_rtt = before.map_or(rtt, |min_rtt| min_rtt.min(rtt)).max(Duration::from_micros(10));
        self.min_rtt = Some(min_rtt);
        if std::mem::take(&mut self.probing) {
            (self.measured, self.outdated) = (Some(now), false);
        }
        self.acknowledged += bytes;
        let since = *self.since.get_or_insert(sent_at);
        let elapsed = now.saturating_duration_since(since);
        if elapsed < rtt.max(min_rtt) {
            return;
        }
        // The bandwidth-delay product at the rate of the last stretch.
        let product = self.acknowledged as u128 * min_rtt.as_nanos() / elapsed.as_nanos().max(1);
        // A little more than the path holds: others wait for the bytes that lie in a queue. A long path without a queue yet has
        // twice as much, or it would take long to fill; a short one is filled soon.
        let quarters = if min_rtt > SHORT_RTT && rtt < min_rtt * 5 / 4 { 8 } else { 5 };
        let wanted = usize::try_from(product.saturating_mul(quarters) / 4).unwrap_or(usize::MAX);
        self.size = self.size.max(wanted.min(self.size.saturating_mul(2))).min(self.max);
        (self.since, self.acknowledged) = (Some(now), 0);
    }

    fn is_stale(&self, now: Instant) -> bool {
        self.age(now) > MIN_RTT_LIFETIME
    }

    /// Returns how long ago the measurement was made, or begun.
    fn age(&self, now: Instant) -> Duration {
        self.measured.map_or(Duration::ZERO, |measured| now.saturating_duration_since(measured))
    }
}
