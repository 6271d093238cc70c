use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::Level;

use super::kind::EventKind;
use crate::peer::Peer;

/// How many events of a kind were omitted since the last one that was logged, if any.
pub type Omitted = Option<u64>;

/// How many of each kind.
#[derive(Debug, Default)]
pub(super) struct Counts(pub(super) Vec<(EventKind, u64)>);

impl Counts {
    const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn of(&mut self, kind: EventKind) -> &mut u64 {
        let at = self.0.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            self.0.push((kind, 0));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// The most important level among the kinds that have any.
    fn level(&self) -> Option<Level> {
        self.0.iter().filter(|(_, count)| *count > 0).map(|(kind, _)| kind.level).min()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for (EventKind { name, .. }, count) in self.0.iter().filter(|(_, count)| *count > 0) {
            write!(f, "{before}{name}: {count}")?;
            before = ", ";
        }
        Ok(())
    }
}

/// Bounds the lines of each kind over all connections that share it: 32 at once, and then one a second. The next line of the kind
/// says how many were omitted, or a last line when the limit is no longer shared.
#[derive(Debug, Default)]
pub struct EventLimit {
    lines: Mutex<Lines>,
    /// Nothing is logged, and nothing is counted.
    is_silent: bool,
}

#[derive(Debug, Default)]
pub(super) struct Lines {
    buckets: Vec<(EventKind, Bucket)>,
    pub(super) omitted: Counts,
}

/// The lines that may be logged now.
#[derive(Debug)]
struct Bucket {
    lines: u32,
    /// The instant up to which time was converted into lines.
    filled: Instant,
}

impl Bucket {
    const MAX: u32 = 32;
    const INTERVAL: Duration = Duration::from_secs(1);

    fn take(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.filled).as_secs();
        self.lines = u32::try_from(earned).unwrap_or(Self::MAX).saturating_add(self.lines).min(Self::MAX);
        self.filled += Self::INTERVAL * u32::try_from(earned).unwrap_or(0);
        if self.lines == Self::MAX {
            self.filled = now;
        }
        let may = self.lines > 0;
        self.lines -= u32::from(may);
        may
    }
}

impl EventLimit {
    /// A limit of its own.
    #[must_use]
    pub const fn new() -> Self {
        Self::with(false)
    }

    /// A limit for connections that are logged elsewhere.
    pub(crate) const fn silent() -> Self {
        Self::with(true)
    }

    const fn with(is_silent: bool) -> Self {
        Self { lines: Mutex::new(Lines { buckets: Vec::new(), omitted: Counts::new() }), is_silent }
    }

    /// The limit for events that belong to no known connection.
    pub(crate) fn of_process() -> &'static Self {
        static PROCESS: EventLimit = EventLimit::new();
        &PROCESS
    }

    /// Logs an event by `write`, or counts it. `write` must escape text of others.
    pub fn tell(&self, kind: EventKind, write: impl FnOnce(Omitted)) {
        if let Ok(omitted) = self.take(kind, 1) {
            write((omitted > 0).then_some(omitted));
        }
    }

    /// Takes a line for `count` events. Returns how many were omitted before, or an error when these must be.
    pub(super) fn take(&self, kind: EventKind, count: u64) -> Result<u64, ()> {
        if self.is_silent {
            return Err(());
        }
        let mut guard = self.lines();
        let (lines, now) = (&mut *guard, Instant::now());
        let at = lines.buckets.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            lines.buckets.push((kind, Bucket { lines: Bucket::MAX, filled: now }));
            lines.buckets.len() - 1
        });
        let omitted = lines.omitted.of(kind);
        if lines.buckets[at].1.take(now) {
            Ok(std::mem::take(omitted))
        } else {
            *omitted += count;
            Err(())
        }
    }

    pub(super) fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs how many further events of the logged kinds a connection had, or counts them.
    pub(super) fn sum_up(&self, peer: &Peer, counts: &Counts) {
        let Some(level) = counts.level().filter(|_| !self.is_silent) else { return };
        // One kind for each level: an event that a subscriber leaves out does not affect the others.
        let summary = EventKind::new(level.min(Level::DEBUG), "connections with further events");
        match self.take(summary, 1) {
            Ok(omitted) => {
                let omitted = (omitted > 0).then_some(omitted);
                let what = "further events of the connection were counted";
                if level <= Level::WARN {
                    tracing::warn!(%peer, %counts, omitted, "{what}");
                } else {
                    tracing::debug!(%peer, %counts, omitted, "{what}");
                }
            }
            Err(()) => {
                let mut lines = self.lines();
                for (kind, count) in &counts.0 {
                    *lines.omitted.of(*kind) += count;
                }
            }
        }
    }
}

impl Drop for EventLimit {
    fn drop(&mut self) {
        let counts = &self.lines.get_mut().unwrap_or_else(PoisonError::into_inner).omitted;
        match counts.level() {
            Some(level) if level <= Level::WARN => tracing::warn!(%counts, "further events were counted"),
            Some(_) => tracing::debug!(%counts, "further events were counted"),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: EventKind = EventKind::new(Level::WARN, "events");
    const OTHER: EventKind = EventKind::new(Level::DEBUG, "others");

    /// What the lines say of those that were left out, for so many events.
    fn told(limit: &EventLimit, kind: EventKind, events: u32) -> Vec<Omitted> {
        let mut told = Vec::new();
        (0..events).for_each(|_| limit.tell(kind, |omitted| told.push(omitted)));
        told
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_told_then_one_line_a_second_which_says_how_many_were_left_out() {
        let limit = EventLimit::new();
        assert_eq!(told(&limit, KIND, 1000), [None; 32]);
        assert_eq!(told(&limit, OTHER, 40), [None; 32], "each kind has its own");
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert_eq!(told(&limit, KIND, 100), [Some(968), None]);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(told(&limit, KIND, 1), [Some(98)], "half a second was kept");
        tokio::time::sleep(Duration::from_secs(1 << 40)).await;
        assert_eq!(told(&limit, KIND, 1000), [None; 32]);
    }

    #[test]
    fn a_silent_limit_tells_nothing_and_counts_nothing() {
        let limit = EventLimit::silent();
        assert_eq!(told(&limit, KIND, 10), []);
        limit.sum_up(&Peer::other("test"), &Counts(vec![(KIND, 3)]));
        assert_eq!(limit.lines().omitted.level(), None);
    }

    #[test]
    fn what_is_summed_up_stands_at_the_level_of_its_most_important_kind() {
        let mut counts = Counts::default();
        *counts.of(OTHER) += 2;
        assert_eq!((counts.level(), counts.to_string()), (Some(Level::DEBUG), "others: 2".to_owned()));
        counts.of(KIND);
        assert_eq!(counts.level(), Some(Level::DEBUG), "of a kind that was told once there are no further ones");
        *counts.of(KIND) += 1;
        assert_eq!((counts.level(), counts.to_string()), (Some(Level::WARN), "others: 2, events: 1".to_owned()));
    }
}
