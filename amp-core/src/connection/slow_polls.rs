use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::escaped::Escaped;
use crate::events::EventKind;
use crate::responder::Ask;

/// In this many reading turns of a connection the first polls of responders are timed in any case.
const FIRST: u8 = 16;
/// Number of untimed turns between two timed ones: most first polls take less time than reading the clock twice.
const SKIPPED: u8 = u8::MAX;
/// Number of slow commands that are remembered.
const MAX_SUSPECTS: usize = 4;

/// Finds responders that hold up the reader of one connection: the part before their first await runs on the reader.
#[derive(Debug, Default)]
pub(super) struct SlowPolls {
    /// Whether this turn is timed.
    is_on: bool,
    /// Number of further turns that are not timed.
    skipped: u8,
    /// How many of the [first](FIRST) turns there were.
    first: u8,
    /// The commands that were slow last. A command is reported when it is slow again: the system may have paused the thread.
    suspects: VecDeque<Box<[u8]>>,
}

/// A first poll that is timed.
pub(super) struct Timed {
    command: Box<[u8]>,
    since: Instant,
    limit: Duration,
}

impl SlowPolls {
    /// A turn begins.
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

    /// Whether the responder that begins now is to be timed.
    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// The responder begins. It is not to be timed twice.
    pub(super) fn begin(&mut self, shared: &Shared, ask: &Ask) -> Option<Timed> {
        self.is_on = false;
        let limit = shared.settings.slow_poll?;
        Some(Timed { command: ask.command().into(), since: Instant::now(), limit })
    }

    /// It has been polled once. The next one is to be timed again.
    pub(super) fn end(&mut self, timed: Option<Timed>, shared: &Shared) {
        self.is_on = true;
        let Some(timed) = timed else { return };
        let took = timed.since.elapsed();
        if took < timed.limit {
            return;
        }
        if !self.suspects.contains(&timed.command) {
            if self.suspects.len() == MAX_SUSPECTS {
                self.suspects.pop_front();
            }
            self.suspects.push_back(timed.command);
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
