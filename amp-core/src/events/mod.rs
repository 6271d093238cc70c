//! Events that a peer can cause to be logged: counted, and logged seldom. Imports `escaped` and `peer`.
//!
//! A peer must not fill the log. An event of a kind is logged once on each connection, and then once a minute; events in between
//! are counted, and the next line, or one at the end of the connection, says how many there were. An [`EventLimit`] bounds the
//! lines of all connections that share it: a server's, or those of clones of one builder.

mod kind;
mod limit;
mod shortage;

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

pub use self::kind::EventKind;
use self::limit::Counts;
pub use self::limit::{EventLimit, Omitted};
pub(crate) use self::shortage::Shortage;
use crate::peer::Peer;

/// The events of one connection.
#[derive(Clone, Debug)]
pub struct Events(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    peer: Peer,
    limit: Arc<EventLimit>,
    told: Mutex<Vec<Told>>,
}

/// A kind of which an event was logged.
#[derive(Debug)]
struct Told {
    kind: EventKind,
    /// How many there were since.
    further: u64,
    /// When the next one is logged.
    next: Instant,
}

impl Events {
    /// So that a failure that begins late in a long connection is logged, too.
    const INTERVAL: Duration = Duration::from_secs(60);

    pub(crate) fn new(peer: Peer, limit: Arc<EventLimit>) -> Self {
        Self(Arc::new(Inner { peer, limit, told: Mutex::default() }))
    }

    /// Logs the first event of a kind by `write`, and then one a minute, unless the limit of lines is reached. Counts all others.
    /// `write` must [escape](crate::error::Escaped) text that the peer chose. No lock is held meanwhile: a logger may use
    /// connections itself.
    pub fn tell(&self, kind: EventKind, write: impl FnOnce(&Peer, Omitted)) {
        let Inner { peer, limit, .. } = &*self.0;
        let Some(further) = self.take(kind) else { return };
        if let Ok(omitted) = limit.take(kind, further + 1) {
            let omitted = omitted + further;
            write(peer, (omitted > 0).then_some(omitted));
        }
    }

    /// Returns how many were counted before if the event is to be logged, and counts it otherwise.
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

    /// The connection has ended: logs how many were counted.
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
    use tracing::Level;

    use super::*;
    use crate::escaped::Escaped;

    const KIND: EventKind = EventKind::new(Level::WARN, "events");

    /// What the lines say of those that were left out, for so many events.
    fn told(limit: &EventLimit, kind: EventKind, events: u32) -> Vec<Omitted> {
        let mut told = Vec::new();
        (0..events).for_each(|_| limit.tell(kind, |omitted| told.push(omitted)));
        told
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
        assert_eq!(*limit.lines().omitted.of(KIND), 68 + 68 * 9);
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
    fn an_error_stands_before_its_sources() {
        #[derive(Debug, thiserror::Error)]
        #[error("it\nfailed")]
        struct Outer(#[source] std::num::ParseIntError);
        let error = Outer("x".parse::<u8>().unwrap_err());
        assert_eq!(Escaped(Chain(&error)).to_string(), "it\\nfailed: invalid digit found in string");
    }
}
