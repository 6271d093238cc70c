//! What a peer can cause to be logged: counted, and told seldom. Imports `escaped` and `peer`.
//!
//! A peer must not fill the log. An event of a kind is told once on each connection, and then once a minute; what comes between is
//! counted, and the next line, or one at the end of the connection, says how many there were. An [`EventLimit`] bounds the lines of
//! all connections that share it: a server's, or those of clones of one builder.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::Level;

use crate::peer::Peer;

/// What events have in common that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventKind {
    name: &'static str,
    level: Level,
}

impl EventKind {
    /// A kind with a name in the plural, for the count of what was not told, which stands at the level of what was.
    #[must_use]
    pub const fn new(level: Level, name: &'static str) -> Self {
        Self { name, level }
    }
}

/// The kinds of this crate. A peer can cause each of them, so none is above `WARN`, but for a mistake in how a program is set up.
impl EventKind {
    pub(crate) const CONNECTION_ENDS: Self = Self::new(Level::WARN, "connections ended");
    pub(crate) const SILENT_END: Self = Self::new(Level::DEBUG, "peers closed without a word");
    pub(crate) const CUT_SHORT: Self = Self::new(Level::WARN, "connections cut short");
    pub(crate) const CUT_COMMANDS: Self = Self::new(Level::WARN, "commands cut");
    pub(crate) const LOST_BYTES: Self = Self::new(Level::WARN, "last bytes lost");
    pub(crate) const LOST_MEMORY: Self = Self::new(Level::WARN, "ended connections whose memory was taken");
    pub(crate) const LOST_BOX: Self = Self::new(Level::WARN, "boxes lost");
    pub(crate) const LATE_ANSWER: Self = Self::new(Level::DEBUG, "answers behind the end");
    pub(crate) const UNKNOWN_ANSWER: Self = Self::new(Level::WARN, "answers to tags that are not out");
    pub(crate) const UNKNOWN_COMMAND: Self = Self::new(Level::WARN, "unknown commands");
    pub(crate) const BUSY: Self = Self::new(Level::WARN, "commands refused as too many");
    pub(crate) const ANSWERED_ARGUMENT: Self = Self::new(Level::DEBUG, "arguments refused with an answer");
    pub(crate) const REFUSED_ARGUMENT: Self = Self::new(Level::WARN, "arguments refused");
    pub(crate) const UNANSWERED_ERROR: Self = Self::new(Level::WARN, "errors without an answer");
    pub(crate) const UNANSWERED_UPGRADE: Self = Self::new(Level::WARN, "asks for another transport without an answer");
    pub(crate) const FAILURE: Self = Self::new(Level::WARN, "responders failed");
    pub(crate) const DROPPED_ASK: Self = Self::new(Level::WARN, "asks dropped");
    pub(crate) const CANCELLED_ASK: Self = Self::new(Level::DEBUG, "asks cancelled");
    pub(crate) const RESPONDER_PANIC: Self = Self::new(Level::WARN, "responders panicked");
    pub(crate) const PANIC: Self = Self::new(Level::WARN, "panics");
    pub(crate) const WRONG_UPGRADE: Self = Self::new(Level::WARN, "upgrades with another connection's ask");
    pub(crate) const CANNOT_BEGIN: Self = Self::new(Level::ERROR, "connections that could not begin");
    pub(crate) const REFUSED_PEER: Self = Self::new(Level::WARN, "peers refused");
    pub(crate) const REFUSED_CONNECTION: Self = Self::new(Level::DEBUG, "connections refused");
    pub(crate) const CLIENT_GONE: Self = Self::new(Level::DEBUG, "clients gone before they were accepted");
    pub(crate) const NOT_ACCEPTED: Self = Self::new(Level::WARN, "connections not accepted");
}

/// How many events of a kind were not told since the last one that was, if any.
pub type Omitted = Option<u64>;

/// How many of each kind.
#[derive(Debug, Default)]
struct Counts(Vec<(EventKind, u64)>);

impl Counts {
    const fn new() -> Self {
        Self(Vec::new())
    }

    fn of(&mut self, kind: EventKind) -> &mut u64 {
        let at = self.0.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            self.0.push((kind, 0));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// The most important level among what there is any of.
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

/// Bounds the lines of each kind over all that share it: 32 at once, and then one a second. The next line of the kind says how many
/// were left out, or a last one when nobody shares it any more.
#[derive(Debug, Default)]
pub struct EventLimit(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    buckets: Vec<(EventKind, Bucket)>,
    omitted: Counts,
}

/// The lines that may be told now.
#[derive(Debug)]
struct Bucket {
    lines: u32,
    /// Up to when time was made into lines.
    filled: Instant,
}

impl Bucket {
    const MOST: u32 = 32;
    const INTERVAL: Duration = Duration::from_secs(1);

    fn take(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.filled).as_secs();
        self.lines = u32::try_from(earned).unwrap_or(Self::MOST).saturating_add(self.lines).min(Self::MOST);
        self.filled += Self::INTERVAL * u32::try_from(earned).unwrap_or(0);
        if self.lines == Self::MOST {
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
        Self(Mutex::new(Lines { buckets: Vec::new(), omitted: Counts::new() }))
    }

    /// The limit of what belongs to no connection that is known.
    pub(crate) fn of_process() -> &'static Self {
        static PROCESS: EventLimit = EventLimit::new();
        &PROCESS
    }

    /// Tells an event by `write`, or counts it. What it writes of others it escapes.
    pub fn tell(&self, kind: EventKind, write: impl FnOnce(Omitted)) {
        if let Ok(omitted) = self.take(kind, 1) {
            write((omitted > 0).then_some(omitted));
        }
    }

    /// Takes a line for `count` events. Returns how many were left out before, or an error when these are.
    fn take(&self, kind: EventKind, count: u64) -> Result<u64, ()> {
        let mut guard = self.lines();
        let (lines, now) = (&mut *guard, Instant::now());
        let at = lines.buckets.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            lines.buckets.push((kind, Bucket { lines: Bucket::MOST, filled: now }));
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

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells how many more there were of what was told on a connection, or counts them.
    fn sum_up(&self, peer: &Peer, counts: &Counts) {
        let Some(level) = counts.level() else { return };
        // One kind for each level: what a subscriber leaves out says nothing of the others.
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
        let counts = &self.0.get_mut().unwrap_or_else(PoisonError::into_inner).omitted;
        match counts.level() {
            Some(level) if level <= Level::WARN => tracing::warn!(%counts, "further events were counted"),
            Some(_) => tracing::debug!(%counts, "further events were counted"),
            None => {}
        }
    }
}

/// What is told of one connection.
#[derive(Clone, Debug)]
pub struct Events(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    peer: Peer,
    limit: Arc<EventLimit>,
    told: Mutex<Vec<Told>>,
}

/// A kind of which something was told.
#[derive(Debug)]
struct Told {
    kind: EventKind,
    /// How many there were since.
    further: u64,
    /// When the next one is told.
    next: Instant,
}

impl Events {
    /// A failure that begins when the connection is old is told, too.
    const INTERVAL: Duration = Duration::from_secs(60);

    pub(crate) fn new(peer: Peer, limit: Arc<EventLimit>) -> Self {
        Self(Arc::new(Inner { peer, limit, told: Mutex::default() }))
    }

    /// Tells the first event of a kind by `write`, and then one a minute, unless the limit of lines is reached. Counts all others.
    /// What `write` shows of the peer's making it [escapes](crate::Escaped). No lock is held meanwhile: what logs may use
    /// connections itself.
    pub fn tell(&self, kind: EventKind, write: impl FnOnce(&Peer, Omitted)) {
        let Inner { peer, limit, .. } = &*self.0;
        let Some(further) = self.take(kind) else { return };
        if let Ok(omitted) = limit.take(kind, further + 1) {
            let omitted = omitted + further;
            write(peer, (omitted > 0).then_some(omitted));
        }
    }

    /// Returns how many were counted before when the event is to be told, and counts it otherwise.
    fn take(&self, kind: EventKind) -> Option<u64> {
        let (mut told, now) = (self.told(), Instant::now());
        let next = now + Self::INTERVAL;
        match told.iter_mut().find(|told| told.kind == kind) {
            None => told.push(Told { kind, further: 0, next }),
            Some(told) if told.next <= now => {
                told.next = next;
                return Some(std::mem::take(&mut told.further));
            }
            Some(told) => {
                told.further += 1;
                return None;
            }
        }
        Some(0)
    }

    /// The connection has ended: tells how many were counted.
    pub(crate) fn sum_up(&self) {
        let told = std::mem::take(&mut *self.told());
        if told.iter().any(|told| told.further > 0) {
            let counts = told.iter().map(|told| (told.kind, told.further)).collect();
            self.0.limit.sum_up(&self.0.peer, &Counts(counts));
        }
    }

    fn told(&self) -> MutexGuard<'_, Vec<Told>> {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error with its sources, in one line.
#[derive(Clone, Copy)]
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)?;
        let mut next = self.0.source();
        while let Some(source) = next {
            write!(f, ": {source}")?;
            next = source.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escaped::Escaped;

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

    #[tokio::test(start_paused = true)]
    async fn a_kind_is_told_once_on_a_connection_and_the_limit_holds_over_all_of_them() {
        let limit = Arc::new(EventLimit::new());
        let mut lines = 0;
        for _ in 0..100 {
            let events = Events::new(Peer::other("test"), Arc::clone(&limit));
            (0..10).for_each(|_| events.tell(KIND, |_, _| lines += 1));
            events.sum_up();
        }
        assert_eq!(lines, 32);
        // 68 first ones, and the nine further ones of each connection whose summary was left out.
        assert_eq!(*limit.0.lock().unwrap().omitted.of(KIND), 68 + 68 * 9);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(told(&limit, KIND, 1), [Some(68 + 68 * 9)]);
    }

    #[tokio::test(start_paused = true)]
    async fn on_a_connection_that_lives_long_a_kind_is_told_again_after_a_minute_with_what_was_left_out() {
        let events = Events::new(Peer::other("test"), Arc::default());
        let told = |count: u32| {
            let mut told = Vec::new();
            (0..count).for_each(|_| events.tell(KIND, |_, omitted| told.push(omitted)));
            told
        };
        assert_eq!(told(10), [None]);
        tokio::time::sleep(Duration::from_secs(59)).await;
        assert_eq!(told(10), []);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(told(10), [Some(19)]);
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

    #[test]
    fn an_error_stands_before_its_sources() {
        #[derive(Debug, thiserror::Error)]
        #[error("it\nfailed")]
        struct Outer(#[source] std::num::ParseIntError);
        let error = Outer("x".parse::<u8>().unwrap_err());
        assert_eq!(Escaped(Chain(&error)).to_string(), "it\\nfailed: invalid digit found in string");
    }
}
