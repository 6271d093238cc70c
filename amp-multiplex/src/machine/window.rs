use std::time::{Duration, Instant};

use super::LEAST;

/// Between which sizes the window of a stream may move, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) least: usize,
    pub(crate) most: usize,
}

/// For how long the round trip of an empty path is believed.
const FRESH: Duration = Duration::from_secs(10);

/// Up to which round trip a path is short.
const SHORT: Duration = Duration::from_millis(1);

/// How long a writer waits to measure the path anew.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// How many bytes of a stream may be unanswered.
///
/// The window follows the product of rate and round trip, so that a long path is kept full and a slow reader does
/// not fill buffers: the rate is what was answered over a round trip, and the round trip is that of the empty path. It is
/// measured with bytes that go out when no others are on their way. A stream that is always busy stops for that now and then
/// until all is answered, or a path that has become longer would never be seen behind the queue that the window itself makes.
#[derive(Debug)]
pub(crate) struct Window {
    most: usize,
    size: usize,
    fastest: Option<Duration>,
    /// When that was measured.
    measured: Option<Instant>,
    /// What is answered next went out alone and measures it.
    probing: bool,
    /// Nothing goes out until everything is answered, since it was measured.
    draining: bool,
    /// What was measured before is of no use.
    forgotten: bool,
    /// What was answered since the time, for the rate.
    since: Option<Instant>,
    answered: usize,
}

impl Window {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let least = bounds.least.max(LEAST);
        Self {
            most: bounds.most.max(least),
            size: least,
            fastest: None,
            measured: None,
            probing: false,
            draining: false,
            forgotten: false,
            since: None,
            answered: 0,
        }
    }

    #[cfg(test)]
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// How much may be unanswered now, when `in_flight` is.
    pub(crate) fn allowed(&mut self, in_flight: usize, now: Instant) -> usize {
        // Only a writer that uses its window is held up, and only while its reader reads: if that sleeps, the window is what
        // may still be written.
        let answers = self.since.is_some_and(|since| now.saturating_duration_since(since) < PATIENCE);
        if in_flight > self.size / 2 && answers && self.is_stale(now) {
            (self.draining, self.forgotten, self.measured) = (true, true, Some(now));
        }
        // The reader may have fallen asleep meanwhile.
        self.draining &= self.age(now) < PATIENCE;
        if self.draining && in_flight > 0 { 0 } else { self.size }
    }

    /// Whether the writer is held up until everything is answered or [`PATIENCE`] is over.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining
    }

    /// Takes in that bytes go out while `in_flight` are on their way.
    pub(crate) fn sent(&mut self, in_flight: usize) {
        if in_flight == 0 {
            (self.probing, self.draining) = (true, false);
        }
    }

    /// Takes in that the oldest `bytes`, which were sent at `sent`, were answered at `now`.
    pub(crate) fn answered(&mut self, bytes: usize, sent: Instant, now: Instant) {
        let trip = now.saturating_duration_since(sent);
        let replaced = self.probing && (self.forgotten || self.is_stale(now));
        let before = self.fastest.filter(|_| !replaced);
        let fastest = before.map_or(trip, |fastest| fastest.min(trip)).max(Duration::from_micros(10));
        self.fastest = Some(fastest);
        if std::mem::take(&mut self.probing) {
            (self.measured, self.forgotten) = (Some(now), false);
        }
        self.answered += bytes;
        let since = *self.since.get_or_insert(sent);
        let elapsed = now.saturating_duration_since(since);
        if elapsed < trip.max(fastest) {
            return;
        }
        // Bytes in one fastest round trip at the rate of the last stretch.
        let product = self.answered as u128 * fastest.as_nanos() / elapsed.as_nanos().max(1);
        // A little more than the path holds: what lies in a queue is what others wait for. A long path without a queue yet
        // takes twice as much, or it would be long until it is filled; a short one is filled soon.
        let quarters = if fastest > SHORT && trip < fastest * 5 / 4 { 8 } else { 5 };
        let wanted = usize::try_from(product.saturating_mul(quarters) / 4).unwrap_or(usize::MAX);
        self.size = self.size.max(wanted.min(self.size.saturating_mul(2))).min(self.most);
        (self.since, self.answered) = (Some(now), 0);
    }

    fn is_stale(&self, now: Instant) -> bool {
        self.age(now) > FRESH
    }

    /// How long ago the path was measured, or begun to be.
    fn age(&self, now: Instant) -> Duration {
        self.measured.map_or(Duration::ZERO, |measured| now.saturating_duration_since(measured))
    }
}
