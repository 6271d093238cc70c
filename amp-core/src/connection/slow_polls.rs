use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::escaped::Escaped;
use crate::events::EventKind;
use crate::responder::Ask;

/// In so many turns of a connection's driver the beginnings of responders are timed in any case.
const FIRST: u8 = 16;
/// Between two such turns are so many others: most beginnings take less time than to look at the clock twice.
const SKIPPED: u8 = 63;

/// Finds responders that hold up the reader of one connection: the part before their first await runs on it.
#[derive(Debug, Default)]
pub(super) struct SlowPolls {
    /// Whether this turn is one.
    is_on: bool,
    /// So many more are not.
    skipped: u8,
    /// How many of the [first](FIRST) there were.
    first: u8,
    /// The one that is timed now.
    running: Option<Timed>,
    /// The command that was slow last. It is told when it is slow again: the system may have paused the thread.
    suspect: Option<Box<[u8]>>,
}

/// A beginning that is timed.
#[derive(Debug)]
struct Timed {
    command: Box<[u8]>,
    since: Instant,
    limit: Duration,
}

impl SlowPolls {
    /// A turn of the driver begins.
    #[inline]
    pub(super) fn begin_turn(&mut self) {
        self.is_on = self.skipped == 0;
        if self.is_on {
            self.count();
        } else {
            self.skipped -= 1;
        }
    }

    #[cold]
    fn count(&mut self) {
        if self.first < FIRST {
            self.first += 1;
        } else {
            self.skipped = SKIPPED;
        }
    }

    /// Whether the responders that begin now are timed.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// A responder begins that is to be timed.
    #[cold]
    pub(super) fn begin(&mut self, shared: &Shared, ask: &Ask) {
        let timed = |limit| Timed { command: ask.command().into(), since: Instant::now(), limit };
        self.running = shared.settings.slow_poll.map(timed);
    }

    /// The responder has been polled once.
    #[cold]
    pub(super) fn end(&mut self, shared: &Shared) {
        let Some(timed) = self.running.take() else { return };
        let took = timed.since.elapsed();
        if took < timed.limit {
            return;
        }
        if self.suspect.as_ref() != Some(&timed.command) {
            self.suspect = Some(timed.command);
            return;
        }
        shared.events.tell(EventKind::SLOW_POLL, |peer, omitted| {
            let command = Escaped(timed.command.escape_ascii()).to_string();
            tracing::warn!(
                %peer,
                command,
                omitted,
                ?took,
                "a responder computed or blocked before its first await, and held up all else on its connection: mark it with \
                 `#[amp(spawn)]`, or use `spawn_blocking`"
            );
        });
    }
}
