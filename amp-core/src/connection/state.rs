use std::task::Waker;
use std::time::Instant;

use super::alarms::Alarms;
use super::credit::Credit;
use super::queue::{Crowd, Queue};
use crate::dispatcher::Dispatcher;
use crate::packet::announcement::Features;
use crate::reason::CloseReason;
use crate::settings::Settings;

/// So many bytes of bulk lie in the outbound buffer, if nothing else does: more has left the cache before it is written.
pub(super) const MOST_BULK: usize = 96 * 1024;
/// What bulk is promised at least.
const LEAST_BULK: usize = 64;

/// What is told the reason when the connection has ended.
pub(super) type EndListener = Box<dyn FnOnce(&CloseReason) + Send>;

/// What the connection's one lock guards.
pub(super) struct State {
    pub(super) dispatcher: Dispatcher<Waker>,
    /// Whole boxes, waiting to be written.
    pub(super) outbound: Vec<u8>,
    /// The first tag of which no ask has left the outbound buffer to be written.
    first_unsent: u64,
    pub(super) phase: Phase,
    /// Until when responders may go on that finish although the connection is over. Set when it closes or ends.
    pub(super) finish_by: Option<Instant>,
    /// The last bytes were taken to be written.
    pub(super) sealed: bool,
    /// When the driver's alarm goes off: not later than the first deadline of a call that is out and the first of the alarms.
    pub(super) alarm: Option<Instant>,
    /// The first box was sent, or this end announces nothing.
    pub(super) announced: bool,
    /// It had no room for the announcement: a greeting makes up for that when the peer has announced.
    pub(super) missed: bool,
    /// What the peer has announced.
    pub(super) peer: Features,
    pub(super) credit: Credit,
    /// Those who wait for an instant, and for no answer.
    pub(super) alarms: Alarms,
    /// Calls that wait for a place among those that are out.
    pub(super) calls: Queue,
    /// Notifications that wait for credit or room.
    pub(super) notifications: Queue,
    /// What counts as no call and waits for room in the outbound buffer. While anybody waits there or among the others, the
    /// driver has a turn to come, and calls them when it has taken what there is.
    pub(super) bulk: Queue,
    /// Callbacks that wait for room. None waits for another: each goes when there is some.
    pub(super) callbacks: Queue,
    /// Others who wait for room.
    pub(super) others: Crowd,
    lane: Lane,
    /// What the others were promised who were called in this turn of the driver, in bytes.
    promised: usize,
    /// What runs when the connection has ended; `None` once that was.
    pub(super) end_listeners: Option<Vec<EndListener>>,
    pub(super) driver: Waker,
    /// The driver was woken, or it is about to look at the outbound buffer anyway.
    pub(super) driver_awake: bool,
}

/// The part of bulk in the outbound buffer, all in bytes.
#[derive(Debug)]
pub(super) struct Lane {
    length: usize,
    /// What those were promised who were called in this turn of the driver.
    promised: usize,
    /// What one brings: the most of late.
    usual: usize,
    /// How much else was there when the buffer was taken last.
    calls: usize,
}

impl Lane {
    /// How long it may be: beside large calls as long as what they take, up to half of the buffer.
    fn most(&self, settings: &Settings) -> usize {
        self.calls.max(MOST_BULK).clamp(1, (settings.outbound_mark / 2).max(1))
    }
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
    pub(super) fn new(announces: bool) -> Self {
        let mut credit = Credit::default();
        if !announces {
            // No peer is asked for any.
            credit.begin(false);
        }
        Self {
            dispatcher: Dispatcher::new(),
            outbound: Vec::new(),
            first_unsent: 0,
            phase: Phase::Open,
            finish_by: None,
            sealed: false,
            alarm: None,
            announced: !announces,
            missed: false,
            peer: Features::default(),
            credit,
            alarms: Alarms::default(),
            calls: Queue::default(),
            notifications: Queue::default(),
            bulk: Queue::default(),
            callbacks: Queue::default(),
            others: Crowd::default(),
            lane: Lane { length: 0, promised: 0, usual: MOST_BULK / 4, calls: 0 },
            promised: 0,
            end_listeners: Some(Vec::new()),
            driver: Waker::noop().clone(),
            driver_awake: false,
        }
    }

    /// Why no more calls go out, if so.
    pub(super) fn refusal(&self) -> Option<CloseReason> {
        self.refusal_for(false)
    }

    /// The same for one that may be `free`: it belongs to what closing waits for.
    #[inline]
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
        self.outbound.len() < settings.outbound_mark.max(1)
    }

    /// Whether whoever holds the ticket may add bulk, however much of the buffer calls have. Who was called and is slow still
    /// finds room when others have brought more than usual, or it might never.
    pub(super) fn may_add_bulk(&self, ticket: Option<u64>, settings: &Settings) -> bool {
        let (length, most) = (self.lane.length, self.lane.most(settings));
        (length < most && self.bulk.is_turn(ticket)) || (length < 2 * most && self.bulk.is_called(ticket))
    }

    /// Whether one more call may go out.
    pub(super) fn has_place(&self, settings: &Settings) -> bool {
        self.has_room(settings) && self.dispatcher.counted() < settings.most_calls.max(1)
    }

    /// Whether one more notification may go out.
    pub(super) fn has_credit(&self, settings: &Settings) -> bool {
        self.has_room(settings) && self.credit.is_left(self.outbound.len())
    }

    /// Which notification is to be woken because there is credit and room.
    pub(super) fn next_notification(&self, settings: &Settings) -> Option<Waker> {
        self.has_credit(settings).then(|| self.notifications.first().cloned()).flatten()
    }

    /// Who is to be woken because a place has become free.
    pub(super) fn next_call(&self, settings: &Settings) -> Option<Waker> {
        self.has_place(settings).then(|| self.calls.first().cloned()).flatten()
    }

    /// Whether anybody but calls waits for room.
    pub(super) fn is_waited_for(&self) -> bool {
        !(self.bulk.is_empty() && self.callbacks.is_empty() && self.others.is_empty())
    }

    /// Takes out who is to be woken because there is room. They come later, so each is promised a part of it.
    pub(super) fn call_next(&mut self, settings: &Settings) -> Option<Waker> {
        let mark = settings.outbound_mark.max(1);
        if self.outbound.len() + self.promised < mark
            && let Some(other) = self.callbacks.call().or_else(|| self.others.call())
        {
            self.promised += (mark / 16).max(1);
            return Some(other);
        }
        if self.lane.length + self.lane.promised >= self.lane.most(settings) {
            return None;
        }
        let next = self.bulk.call()?;
        self.lane.promised += self.lane.usual.max(LEAST_BULK);
        Some(next)
    }

    /// So much was added as bulk.
    pub(super) fn added_bulk(&mut self, length: usize) {
        self.lane.length += length;
        self.lane.usual = length.max(self.lane.usual - self.lane.usual / 8);
    }

    /// What is in the outbound buffer is taken out, to be written.
    pub(super) fn taken(&mut self) {
        self.first_unsent = self.dispatcher.next_tag();
        self.emptied();
    }

    /// What is in the outbound buffer is never written.
    pub(super) fn discard(&mut self) {
        self.emptied();
        self.outbound = Vec::new();
    }

    /// Whether the ask with the tag was taken to be written: the peer may have it.
    pub(super) fn has_left(&self, tag: u64) -> bool {
        tag < self.first_unsent
    }

    fn emptied(&mut self) {
        let calls = self.outbound.len().saturating_sub(self.lane.length);
        (self.lane.length, self.lane.calls) = (0, calls);
    }

    /// The driver begins a turn: who was called before has come or does not.
    pub(super) fn promise_anew(&mut self) {
        (self.promised, self.lane.promised) = (0, 0);
        self.bulk.call_anew();
    }

    /// Sees to it that the alarm goes off at the instant. Whether the driver must be woken for that.
    pub(super) fn set_alarm(&mut self, at: Instant) -> bool {
        let sooner = self.alarm.is_none_or(|alarm| at < alarm);
        if sooner {
            self.alarm = Some(at);
        }
        sooner
    }

    /// Ends what the alarm has gone off for, hands out who is to be woken, and sets it anew.
    pub(super) fn expire(&mut self, now: Instant, woken: &mut Vec<Waker>) {
        let calls = self.dispatcher.expire(now, |waker| woken.push(waker));
        let others = self.alarms.expire(now, |waker| woken.push(waker));
        self.alarm = calls.into_iter().chain(others).min();
    }

    /// Everybody who waits to send, or for an instant.
    pub(super) fn let_go(&mut self) -> Vec<Waker> {
        let mut waiting = Vec::from(self.others.clear());
        waiting.extend(self.bulk.clear());
        waiting.extend(self.calls.clear());
        waiting.extend(self.notifications.clear());
        waiting.extend(self.callbacks.clear());
        waiting.extend(self.alarms.clear());
        waiting
    }
}
