//! How an ask gets into the outbound buffer. Nothing here is compiled for each command anew.

use std::sync::MutexGuard;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::alarms::Alarm;
use super::exchange::Failure;
use super::now;
use super::outgoing::Outgoing;
use super::shared::Shared;
use super::state::State;
use crate::packet::Tag;
use crate::packet::announcement::{mark, put_hello};
use crate::value::EncodeError;
use crate::wire::BoxLimits;

/// What an ask needs before it goes out, besides room in the outbound buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// A place among the calls that may be out.
    Call,
    /// Credit of the peer: it wants no answer.
    Notification,
    /// Nothing: it is made by a responder, and what it would wait for may wait for that.
    Callback,
    /// It counts as no call, and has room of its own.
    Bulk,
}

impl Admission {
    /// Whether it may wait for what only the peer's responders give.
    pub(super) fn is_limited(self) -> bool {
        matches!(self, Self::Call | Self::Notification)
    }
}

#[derive(Default)]
pub(super) struct Queued {
    /// The place in the queue.
    ticket: Option<u64>,
    deadline: Option<Instant>,
    /// Set only when the call must wait: one that goes out at once costs nothing here.
    alarm: Option<Alarm>,
}

impl Queued {
    pub(super) fn until(deadline: Option<Instant>) -> Self {
        Self { deadline, ..Self::default() }
    }

    /// Sends the ask when there is a place and room for it; while this end closes only if it `closes` with it.
    pub(super) fn poll(
        &mut self,
        shared: &Shared,
        ask: &dyn Outgoing,
        (answered, admission, closes): (bool, Admission, bool),
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<u64>, Failure>> {
        let mut state = shared.lock();
        if let Some(reason) = state.refusal_for(closes) {
            return Poll::Ready(Err(Failure::Connection { reason, sent: false }));
        }
        // One that has waited in vain does not go out after its time.
        if self.alarm.is_some() && self.deadline.is_some_and(|deadline| deadline <= now()) {
            return Poll::Ready(Err(Failure::Timeout { sent: false }));
        }
        let settings = &shared.settings;
        let goes = match admission {
            Admission::Bulk => state.may_add_bulk(self.ticket, settings),
            Admission::Call => state.has_place(settings) && state.calls.is_turn(self.ticket),
            Admission::Notification => state.has_credit(settings) && state.notifications.is_turn(self.ticket),
            Admission::Callback => state.has_room(settings),
        };
        if goes {
            return Poll::Ready(append(shared, state, ask, (answered, admission), self.deadline, cx.waker()));
        }
        let queue = match admission {
            Admission::Bulk => &mut state.bulk,
            Admission::Call => &mut state.calls,
            Admission::Notification => &mut state.notifications,
            Admission::Callback => &mut state.callbacks,
        };
        let (ticket, waiter) = queue.wait(self.ticket, cx.waker());
        self.ticket = Some(ticket);
        let Some(deadline) = self.deadline else {
            drop(state);
            drop(waiter);
            return Poll::Pending;
        };
        let (alarm, before) = state.alarms.wait(self.alarm, deadline, cx.waker());
        let sooner = state.set_alarm(deadline);
        shared.wake_driver_for(state, sooner);
        drop((waiter, before));
        self.alarm = Some(alarm);
        if deadline <= now() { Poll::Ready(Err(Failure::Timeout { sent: false })) } else { Poll::Pending }
    }

    /// Waits no more, in whatever way.
    #[inline]
    pub(super) fn leave(&mut self, shared: &Shared, admission: Admission) {
        // Most have never waited.
        if let Some(ticket) = self.ticket.take() {
            self.leave_queue(shared, admission, ticket);
        }
    }

    #[cold]
    fn leave_queue(&mut self, shared: &Shared, admission: Admission, ticket: u64) {
        if let Some(alarm) = self.alarm.take() {
            let waiter = shared.lock().alarms.leave(alarm);
            drop(waiter);
        }
        give_way(shared, admission, ticket);
    }
}

/// Gives a place in a queue up. The next bulk is called by the driver: a stream's waker takes the locks of its stream, and
/// this may be under those of another.
#[cold]
pub(super) fn give_way(shared: &Shared, admission: Admission, ticket: u64) {
    let mut state = shared.lock();
    let (left, next) = match admission {
        Admission::Bulk => (state.bulk.leave(ticket), None),
        Admission::Call => (state.calls.leave(ticket), state.next_call(&shared.settings)),
        Admission::Notification => (state.notifications.leave(ticket), state.next_notification(&shared.settings)),
        Admission::Callback => (state.callbacks.leave(ticket), None),
    };
    drop(state);
    drop(left);
    next.into_iter().for_each(Waker::wake);
}

impl State {
    /// Marks the notification that begins at `start` and ends the outbound buffer: it is written again with a tag. One that has no
    /// room for that is followed by a greeting, which takes its turn behind it and has the mark.
    #[cold]
    fn mark(&mut self, start: usize, ask: &dyn Outgoing, limits: BoxLimits) {
        let unmarked = self.outbound.split_off(start);
        if put_marked(
            &mut self.outbound,
            limits,
            |buffer, tag| ask.put(buffer, tag, limits),
            self.dispatcher.next_tag(),
        ) {
            self.dispatcher.mark();
            return self.credit.sent(0, true);
        }
        self.outbound.extend_from_slice(&unmarked);
        self.dispatcher.skip();
        if put_marked(
            &mut self.outbound,
            limits,
            |buffer, tag| put_hello(buffer, tag, limits),
            self.dispatcher.next_tag(),
        ) {
            self.dispatcher.mark();
            self.credit.sent(0, true);
        } else {
            self.credit.sent(unmarked.len(), false);
        }
    }
}

/// Writes a marked box, or nothing where it does not fit.
fn put_marked(
    buffer: &mut Vec<u8>,
    limits: BoxLimits,
    put: impl FnOnce(&mut Vec<u8>, Option<Tag>) -> Result<(), EncodeError>,
    number: u64,
) -> bool {
    let start = buffer.len();
    let fits = put(buffer, Some(Tag::of(number))).is_ok() && mark(buffer, start, limits);
    if !fits {
        buffer.truncate(start);
    }
    fits
}

/// Encodes the ask into the outbound buffer and notes who waits for its answer. Gives its tag, if it is answered.
pub(super) fn append(
    shared: &Shared,
    mut state: MutexGuard<'_, State>,
    ask: &dyn Outgoing,
    (answered, admission): (bool, Admission),
    deadline: Option<Instant>,
    waiter: &Waker,
) -> Result<Option<u64>, Failure> {
    let number = state.dispatcher.next_tag();
    let tag = answered.then(|| Tag::of(number));
    let (before, limits) = (state.outbound.len(), shared.settings.boxes);
    ask.put(&mut state.outbound, tag, limits).map_err(Failure::Invalid)?;
    if admission == Admission::Bulk {
        let added = state.outbound.len() - before;
        state.added_bulk(added);
    }
    if !answered {
        if state.credit.wants_mark() && state.has_announced() {
            state.mark(before, ask, limits);
        } else {
            state.dispatcher.skip();
            let length = state.outbound.len() - before;
            state.credit.sent(length, false);
        }
        state.begin_to_announce(before, limits);
        shared.appended(state, false);
        return Ok(None);
    }
    state.begin_to_announce(before, limits);
    state.dispatcher.ask(waiter.clone(), deadline, admission != Admission::Call);
    let sooner = deadline.is_some_and(|deadline| state.set_alarm(deadline));
    shared.appended(state, sooner);
    Ok(Some(number))
}
