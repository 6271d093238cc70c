use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::escaped::Escaped;
use crate::events::EventKind;
use crate::responder::Ask;

/// One in so many beginnings of responders is timed, because most take less time than to look at the clock twice.
const TIMED: u32 = 16;

/// Finds responders that hold up the reader of one connection: the part before their first await runs on it.
#[derive(Debug, Default)]
pub(super) struct SlowPolls {
    begun: u32,
    /// The command that was slow last. It is told when it is slow again: the system may have paused the thread.
    suspect: Option<Box<[u8]>>,
}

/// A beginning that is timed.
pub(super) struct Timed {
    command: Box<[u8]>,
    since: Instant,
    limit: Duration,
}

impl SlowPolls {
    /// A responder begins. Of a connection the first few are timed in any case.
    #[inline]
    pub(super) fn begin(&mut self, shared: &Shared, ask: &Ask) -> Option<Timed> {
        let begun = self.begun;
        self.begun = begun.wrapping_add(1);
        if begun < TIMED || begun.is_multiple_of(TIMED) { Timed::new(shared, ask) } else { None }
    }

    /// The responder has been polled once.
    #[cold]
    pub(super) fn end(&mut self, timed: Timed, shared: &Shared) {
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

impl Timed {
    #[cold]
    fn new(shared: &Shared, ask: &Ask) -> Option<Self> {
        let limit = shared.settings.slow_poll?;
        Some(Self { command: ask.command().into(), since: Instant::now(), limit })
    }
}
