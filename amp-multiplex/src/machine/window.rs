use std::time::{Duration, Instant};

use super::LEAST;

/// Between which sizes the window of a stream may move, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) least: usize,
    pub(crate) most: usize,
}

/// How many bytes of a stream may be unanswered.
///
/// The window follows twice the product of rate and round trip, so that a long path is kept full and a slow reader does
/// not fill buffers: the fastest round trip is the path's own, and the rate is what was answered over a round trip.
#[derive(Debug)]
pub(crate) struct Window {
    bounds: Bounds,
    size: usize,
    fastest: Option<Duration>,
    /// What was answered since the time, for the rate.
    since: Option<Instant>,
    answered: usize,
}

impl Window {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let least = bounds.least.max(LEAST);
        let bounds = Bounds { least, most: bounds.most.max(least) };
        Self { bounds, size: least, fastest: None, since: None, answered: 0 }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Takes in that `bytes` which were sent at `sent` were answered at `now`.
    pub(crate) fn answered(&mut self, bytes: usize, sent: Instant, now: Instant) {
        let trip = now.saturating_duration_since(sent);
        let fastest = self.fastest.map_or(trip, |fastest| fastest.min(trip)).max(Duration::from_micros(10));
        self.fastest = Some(fastest);
        self.answered += bytes;
        let since = *self.since.get_or_insert(sent);
        let elapsed = now.saturating_duration_since(since);
        if elapsed < trip.max(fastest) {
            return;
        }
        // Bytes in one fastest round trip at the rate of the last stretch.
        let product = self.answered as u128 * fastest.as_nanos() / elapsed.as_nanos().max(1);
        let wanted = usize::try_from(product.saturating_mul(2)).unwrap_or(usize::MAX);
        self.size = self.size.max(wanted.min(self.size.saturating_mul(2))).min(self.bounds.most);
        (self.since, self.answered) = (Some(now), 0);
    }
}
