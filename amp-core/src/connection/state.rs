use std::task::Waker;
use std::time::Instant;

use super::queue::{Crowd, Queue};
use crate::dispatcher::Dispatcher;
use crate::reason::CloseReason;
use crate::settings::Settings;

/// What counts as no call goes out up to here, in bytes: more has left the cache before it is written.
pub(super) const MOST_BULK: usize = 96 * 1024;

/// What the connection's one lock guards.
#[derive(Debug)]
pub(super) struct State {
    pub(super) dispatcher: Dispatcher<Waker>,
    /// Whole boxes, waiting to be written.
    pub(super) outbound: Vec<u8>,
    pub(super) phase: Phase,
    /// The last bytes were taken to be written.
    pub(super) sealed: bool,
    /// When the driver's alarm goes off.
    pub(super) alarm: Option<Instant>,
    /// Calls that wait for a place among those that are out.
    pub(super) calls: Queue,
    /// What counts as no call and waits for room in the outbound buffer. While anybody waits there or among the others, the
    /// driver has a turn to come, and calls them when it has taken what there is.
    pub(super) bulk: Queue,
    /// Others who wait for room.
    pub(super) others: Crowd,
    /// The room, in bytes, of those who were called in this turn of the driver.
    pub(super) promised: usize,
    pub(super) driver: Waker,
    /// The driver was woken, or it is about to look at the outbound buffer anyway.
    pub(super) driver_awake: bool,
}

/// How far a connection has come.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Calls go out.
    Open,
    /// No new calls; until the instant, answers to the old ones may arrive. Then it ends with the reason.
    Closing(Instant, CloseReason),
    /// Nothing is received any more; what is written may still go out.
    Over(CloseReason),
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            dispatcher: Dispatcher::new(),
            outbound: Vec::new(),
            phase: Phase::Open,
            sealed: false,
            alarm: None,
            calls: Queue::default(),
            bulk: Queue::default(),
            others: Crowd::default(),
            promised: 0,
            driver: Waker::noop().clone(),
            driver_awake: false,
        }
    }

    /// Why no more calls go out, if so.
    pub(super) fn refusal(&self) -> Option<CloseReason> {
        self.refusal_for(false)
    }

    /// The same for one that may be `free`: it belongs to what closing waits for.
    pub(super) fn refusal_for(&self, free: bool) -> Option<CloseReason> {
        match &self.phase {
            Phase::Open => None,
            Phase::Closing(..) if free => None,
            Phase::Closing(_, reason) | Phase::Over(reason) => Some(reason.clone()),
        }
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }

    /// Whether callers may add to the outbound buffer.
    pub(super) fn has_room(&self, settings: &Settings) -> bool {
        self.has_room_for(false, settings)
    }

    /// Whether something that counts as no call may go out. What is `free` leaves half of the buffer to the calls: bulk must
    /// not keep them waiting, nor the peer's commands.
    pub(super) fn has_room_for(&self, free: bool, settings: &Settings) -> bool {
        self.outbound.len() < Self::mark(free, settings)
    }

    /// From how many bytes on nothing more may go out.
    fn mark(free: bool, settings: &Settings) -> usize {
        let calls = settings.outbound_mark;
        if free { (calls / 2).clamp(1, MOST_BULK) } else { calls.max(1) }
    }

    /// Whether one more call may go out.
    pub(super) fn has_place(&self, settings: &Settings) -> bool {
        self.has_room(settings) && self.dispatcher.counted() < settings.most_calls.max(1)
    }

    /// Who is to be woken because a place has become free.
    pub(super) fn next_call(&self, settings: &Settings) -> Option<Waker> {
        self.has_place(settings).then(|| self.calls.first().cloned()).flatten()
    }

    /// Whether anybody but calls waits for room.
    pub(super) fn is_waited_for(&self) -> bool {
        !(self.bulk.is_empty() && self.others.is_empty())
    }

    /// Takes out who is to be woken because there is room. They come later, so each is promised a part of it: the others a
    /// sixteenth, bulk, which brings more, a quarter.
    pub(super) fn call_next(&mut self, settings: &Settings) -> Option<Waker> {
        let taken = self.outbound.len() + self.promised;
        let [all, bulk] = [false, true].map(|free| Self::mark(free, settings));
        let other = (taken < all).then(|| self.others.call()).flatten().map(|waker| (waker, all / 16));
        let (waker, part) = match other {
            Some(other) => other,
            None => ((taken < bulk).then(|| self.bulk.call()).flatten()?, bulk / 4),
        };
        self.promised += part.max(1);
        Some(waker)
    }

    /// Everybody who waits to send.
    pub(super) fn let_go(&mut self) -> Vec<Waker> {
        let mut waiting = Vec::from(self.others.clear());
        waiting.extend(self.bulk.clear());
        waiting.extend(self.calls.clear());
        waiting
    }
}
