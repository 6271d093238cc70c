use std::time::Instant;

use super::admission::{Admission, Lane};
use super::announcements::Announcements;
use super::credit::Credit;
use super::lifecycle::{EndListener, Lifecycle};
use super::outbound::Outbound;
use super::outgoing::Outgoing;
use super::timers::TimerKey;
use super::wake_up::WakeUp;
use super::{Waiter, goodbye};
use crate::dispatcher::{Dispatcher, Progress, UnknownTag};
use crate::packet::announcement::{mark, put_hello};
use crate::packet::{ReplyPacket, Tag};
use crate::reason::CloseReason;
use crate::value::EncodeError;
use crate::wire::{BoxLimits, Pairs};

/// What the connection's one lock guards.
///
/// Waiters that are returned or handed out are to be woken, or dropped, under no lock.
pub(crate) struct State<W: Waiter> {
    limits: Limits,
    dispatcher: Dispatcher<W>,
    outbound: Outbound,
    admission: Admission<W>,
    lifecycle: Lifecycle,
    announcements: Announcements,
    wake_up: WakeUp<W>,
}

/// What a state keeps to; as in the settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) boxes: BoxLimits,
    pub(crate) most_calls: usize,
    pub(crate) outbound_mark: usize,
    pub(crate) most_outbound: usize,
    pub(crate) announces: bool,
}

/// How an ask is sent.
#[derive(Debug)]
pub(crate) struct Request<'a, W> {
    pub(crate) lane: Lane,
    pub(crate) wants_answer: bool,
    pub(crate) deadline: Option<Instant>,
    /// What the answer wakes.
    pub(crate) waiter: &'a W,
}

/// What has become of what was to be appended.
#[derive(Debug)]
pub(crate) enum Appended<W> {
    /// It will be written. The driver, if it is to be woken.
    Queued(Option<W>),
    /// It came after the last bytes.
    Sealed,
    /// It was one too many: the peer does not read, and the connection has ended because of that.
    Overflowed(Vec<W>),
}

impl<W: Waiter> State<W> {
    pub(crate) fn new(limits: Limits) -> Self {
        let mut credit = Credit::default();
        if !limits.announces {
            // No peer is asked for any.
            credit.begin(false);
        }
        Self {
            dispatcher: Dispatcher::new(),
            outbound: Outbound::new(limits.outbound_mark),
            admission: Admission::new(limits.most_calls, credit),
            lifecycle: Lifecycle::new(),
            announcements: Announcements::new(limits.announces),
            wake_up: WakeUp::new(),
            limits,
        }
    }
}

/// Sending: asks, answers and boxes.
impl<W: Waiter> State<W> {
    /// Why nothing more goes out, if so. What closing waits for goes out `while_closing`.
    #[inline]
    pub(crate) fn refusal(&self, while_closing: bool) -> Option<CloseReason> {
        self.lifecycle.refusal(while_closing)
    }

    /// Whether an ask may be appended now by the holder of the ticket, or by a new one.
    #[inline]
    pub(crate) fn admits(&self, lane: Lane, ticket: Option<u64>) -> bool {
        self.admission.admits(lane, ticket, &self.outbound, self.dispatcher.counted())
    }

    /// Waits on, in the same place, or begins to wait at the end. Returns the ticket, and the waiter that was there before.
    pub(crate) fn wait(&mut self, lane: Lane, ticket: Option<u64>, waiter: &W) -> (u64, Option<W>) {
        self.admission.wait(lane, ticket, waiter)
    }

    /// Waits no more, in whatever way. Returns the waiter that was there, and the next one that is to be woken. The next bulk is
    /// woken by the driver: a stream's waker takes the locks of its stream, and this may be under those of another.
    pub(crate) fn leave(&mut self, lane: Lane, ticket: u64) -> [Option<W>; 2] {
        let left = self.admission.leave(lane, ticket);
        let next = match lane {
            Lane::Call => self.next_call(),
            Lane::Notify => self.admission.next_notification(&self.outbound),
            Lane::Callback | Lane::Bulk => None,
        };
        [left, next]
    }

    /// Appends an ask. Returns its tag, if it wants an answer, and the driver, if that is to be woken. On an error nothing is
    /// appended, and no tag is used up.
    pub(crate) fn append(
        &mut self,
        ask: &dyn Outgoing,
        request: Request<'_, W>,
    ) -> Result<(Option<u64>, Option<W>), EncodeError> {
        let Request { lane, wants_answer, deadline, waiter } = request;
        let (number, start, boxes) = (self.dispatcher.next_tag(), self.outbound.len(), self.limits.boxes);
        let tag = wants_answer.then(|| Tag::of(number));
        ask.put(self.outbound.buffer(), tag, boxes)?;
        if lane == Lane::Bulk {
            self.outbound.added_bulk(start);
        }
        if !wants_answer {
            self.notified(ask, start);
            self.announcements.sent(self.outbound.buffer(), start, boxes);
            return Ok((None, self.wake_up.wake()));
        }
        self.announcements.sent(self.outbound.buffer(), start, boxes);
        self.dispatcher.ask(waiter.clone(), deadline, lane != Lane::Call);
        let sooner = deadline.is_some_and(|deadline| self.wake_up.set_alarm(deadline));
        let driver = if sooner { self.wake_up.wake_always() } else { self.wake_up.wake() };
        Ok((Some(number), driver))
    }

    /// Appends what `put` writes: an answer.
    pub(crate) fn append_answer(
        &mut self,
        put: impl FnOnce(&mut Vec<u8>),
        finish_by: impl FnOnce() -> Instant,
    ) -> Appended<W> {
        if self.lifecycle.is_sealed() {
            return Appended::Sealed;
        }
        let start = self.outbound.len();
        put(self.outbound.buffer());
        self.announcements.sent(self.outbound.buffer(), start, self.limits.boxes);
        let limit = self.limits.most_outbound;
        if self.outbound.len() > limit {
            self.outbound.discard();
            return Appended::Overflowed(self.end(CloseReason::NotReading { limit }, finish_by()));
        }
        Appended::Queued(self.wake_up.wake())
    }

    /// Appends a box without a type. `Err` once the connection is over.
    pub(crate) fn append_untyped(
        &mut self,
        put: impl FnOnce(&mut Vec<u8>),
        finish_by: impl FnOnce() -> Instant,
    ) -> Result<Appended<W>, CloseReason> {
        if let Some(reason) = self.lifecycle.over() {
            return Err(reason.clone());
        }
        self.announcements.sent_untyped();
        Ok(self.append_answer(put, finish_by))
    }

    /// Whether boxes may be appended, or never again. Else waits for that.
    pub(crate) fn poll_room(&mut self, waiter: &W) -> bool {
        let ready = self.outbound.has_room() || self.refusal(false).is_some();
        if !ready {
            self.admission.wait_for_room(waiter);
        }
        ready
    }

    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.outbound.has_room()
    }

    /// The notification that begins at `start` was appended: it uses up a tag and credit, and is marked when it is time.
    fn notified(&mut self, ask: &dyn Outgoing, start: usize) {
        if self.admission.credit().wants_mark() {
            self.mark(ask, start);
        } else {
            self.dispatcher.skip();
            let length = self.outbound.len() - start;
            self.admission.credit().sent(length, false);
        }
    }

    /// Marks the notification that begins at `start` and ends the outbound buffer: it is written again with a tag. One that has no
    /// room for that is followed by a greeting, which takes its turn behind it and has the mark.
    #[cold]
    fn mark(&mut self, ask: &dyn Outgoing, start: usize) {
        let boxes = self.limits.boxes;
        let unmarked = self.outbound.buffer().split_off(start);
        if self.put_marked(|buffer, tag| ask.put(buffer, tag, boxes)) {
            return;
        }
        self.outbound.buffer().extend_from_slice(&unmarked);
        self.dispatcher.skip();
        if !self.put_marked(|buffer, tag| put_hello(buffer, tag, boxes)) {
            self.admission.credit().sent(unmarked.len(), false);
        }
    }

    /// Appends a marked box, or nothing where it does not fit.
    fn put_marked(&mut self, put: impl FnOnce(&mut Vec<u8>, Option<Tag>) -> Result<(), EncodeError>) -> bool {
        let (tag, boxes, buffer) = (self.dispatcher.next_tag(), self.limits.boxes, self.outbound.buffer());
        let start = buffer.len();
        let fits = put(buffer, Some(Tag::of(tag))).is_ok() && mark(buffer, start, boxes);
        if fits {
            self.dispatcher.mark();
            self.admission.credit().sent(0, true);
        } else {
            buffer.truncate(start);
        }
        fits
    }

    fn next_call(&self) -> Option<W> {
        self.admission.next_call(&self.outbound, self.dispatcher.counted())
    }
}

/// Waiting: for answers and for instants.
impl<W: Waiter> State<W> {
    /// What the call has come to; while it is pending `waiter` waits for it. Returns the waiter that was there before.
    pub(crate) fn poll_answer(&mut self, tag: u64, waiter: &W) -> (Progress, Option<W>) {
        let mut replaced = None;
        let progress = self.dispatcher.poll(tag, |before| match before {
            Some(same) if same.identity() == waiter.identity() => same,
            before => {
                replaced = before;
                waiter.clone()
            }
        });
        (progress, replaced)
    }

    /// Whether the ask with the tag was taken to be written: the peer may have it.
    pub(crate) fn has_left(&self, tag: u64) -> bool {
        self.outbound.has_left(tag)
    }

    /// Nobody waits for the answer any more. Returns the waiter that was there, and the driver, if that is to be woken: closing may
    /// have waited for the answer.
    pub(crate) fn abandon(&mut self, tag: u64) -> [Option<W>; 2] {
        let left = self.dispatcher.abandon(tag);
        let closes = self.lifecycle.is_closing();
        [left, if closes { self.wake_up.wake_always() } else { None }]
    }

    /// Waits for the instant. Returns the key to wait on with, the waiter that was there before, and the driver, if that is to be
    /// woken.
    pub(crate) fn wait_until(&mut self, at: Instant, key: Option<TimerKey>, waiter: &W) -> (TimerKey, [Option<W>; 2]) {
        let (key, before) = self.wake_up.wait(key, at, waiter);
        let sooner = self.wake_up.set_alarm(at);
        (key, [before, if sooner { self.wake_up.wake_always() } else { None }])
    }

    /// Waits for the instant no more. Returns the waiter that was there.
    pub(crate) fn leave_timer(&mut self, key: TimerKey) -> Option<W> {
        self.wake_up.leave(key)
    }
}

/// Closing and ending. What is returned is to be woken.
impl<W: Waiter> State<W> {
    pub(crate) fn is_closing(&self) -> bool {
        self.lifecycle.is_closing()
    }

    /// The reason, once the connection is over.
    pub(crate) fn over(&self) -> Option<&CloseReason> {
        self.lifecycle.over()
    }

    /// Until when responders may go on that finish although the connection is over.
    pub(crate) fn finish_by(&self) -> Option<Instant> {
        self.lifecycle.finish_by()
    }

    /// No new calls, the old ones may still be answered until the instant. `None` unless it was open.
    pub(crate) fn close(&mut self, reason: CloseReason, until: Instant, finish_by: Instant) -> Option<Vec<W>> {
        self.lifecycle.close(reason, until, finish_by).then(|| self.release_waiters())
    }

    /// Nothing can be written any more. Answers that have already come may still be read, until the instant. One that closes
    /// already has no more time than it had.
    pub(crate) fn write_failed(&mut self, reason: CloseReason, until: Instant, finish_by: Instant) -> Option<Vec<W>> {
        if self.lifecycle.over().is_some() {
            return None;
        }
        self.outbound.discard();
        self.lifecycle.hurry(until);
        Some(self.close(reason, until, finish_by).unwrap_or_else(|| self.wake_up.wake_always().into_iter().collect()))
    }

    /// The first reason stays, and all that wait learn it.
    pub(crate) fn end(&mut self, reason: CloseReason, finish_by: Instant) -> Vec<W> {
        let lets_write = reason.lets_write();
        if !self.lifecycle.end(reason, finish_by) {
            return Vec::new();
        }
        // With nothing to be written, all that was sent has left, or was thrown away.
        if lets_write && !self.outbound.is_empty() {
            self.outbound.leaves(self.dispatcher.next_tag());
        }
        let mut woken = self.release_waiters();
        self.dispatcher.close(|waiter| woken.push(waiter));
        woken
    }

    /// Ends the connection and what still runs, also when it is over already.
    pub(crate) fn abort(&mut self, now: Instant) -> Vec<W> {
        self.lifecycle.abort(now);
        if self.lifecycle.over().is_some() {
            return self.wake_up.wake_always().into_iter().collect();
        }
        self.end(CloseReason::Aborted, now)
    }

    /// Takes what is still to be written, and lets nothing more be appended. A peer that understands it is told why the connection
    /// has ended, if there is a cause: in the last box, because such a peer reads no further.
    pub(crate) fn seal(&mut self) -> Vec<u8> {
        if self.announcements.takes_goodbye()
            && let Some(reason) = self.lifecycle.over()
        {
            goodbye::put(self.outbound.buffer(), reason, self.limits.boxes);
        }
        self.lifecycle.seal();
        self.outbound.take_last()
    }

    /// Keeps the listener until the end, or returns it when that was before.
    pub(crate) fn listen(&mut self, listener: EndListener) -> Option<EndListener> {
        self.lifecycle.listen(listener)
    }

    /// Takes out what is told of the end; later listeners are told at once.
    pub(crate) fn take_end_listeners(&mut self) -> Vec<EndListener> {
        self.lifecycle.take_end_listeners()
    }

    /// All that wait to send or for an instant, and the driver.
    fn release_waiters(&mut self) -> Vec<W> {
        let mut woken = Vec::new();
        woken.extend(self.wake_up.wake_always());
        self.admission.clear(&mut woken);
        self.wake_up.clear(&mut woken);
        woken
    }
}

/// A turn of the driver. What is pushed is to be woken.
impl<W: Waiter> State<W> {
    /// A turn begins in which responders run: what they append needs no wake-up. Whether there is still something to read for.
    pub(crate) fn begin_turn(&mut self) -> bool {
        self.wake_up.awake();
        self.lifecycle.over().is_none()
    }

    /// The peer's first box has come, or has gone to a box receiver.
    #[cold]
    pub(crate) fn hear(&mut self, first: Option<Pairs<'_>>, woken: &mut Vec<W>) {
        let Some(first) = first else { return self.announcements.hide() };
        let gives_credit = self.announcements.hear(first);
        self.credit_begins(gives_credit, woken);
    }

    /// A greeting has come from a peer that has not announced. Whether it announces.
    #[cold]
    pub(crate) fn hear_greeting(&mut self, greeting: Pairs<'_>, woken: &mut Vec<W>) -> bool {
        let (announces, gives_credit) = self.announcements.hear_greeting(greeting);
        self.credit_begins(gives_credit, woken);
        announces
    }

    /// Whether the peer understands what is this library's own.
    pub(crate) fn is_understood(&self) -> bool {
        self.announcements.is_understood()
    }

    /// Answers to marked notifications may have been missed: none is waited for any more. Returns the notification that is to be
    /// woken.
    pub(crate) fn forgive_credit(&mut self) -> Option<W> {
        self.admission.credit().forgive();
        self.admission.next_notification(&self.outbound)
    }

    /// Hands replies to their callers. Returns how many have a tag that is not out.
    pub(crate) fn deliver(
        &mut self,
        replies: impl Iterator<Item = (Option<u64>, ReplyPacket)>,
        woken: &mut Vec<W>,
    ) -> usize {
        let (mut known, mut unknown) = (false, 0);
        for (tag, reply) in replies {
            match tag.ok_or(UnknownTag).and_then(|tag| self.dispatcher.answer(tag, reply)) {
                Ok(waiter) => {
                    known = true;
                    woken.extend(waiter);
                }
                Err(UnknownTag) => unknown += 1,
            }
        }
        let credit = self.dispatcher.take_credit();
        if credit > 0 {
            self.admission.credit().answered(credit);
            woken.extend(self.admission.next_notification(&self.outbound));
        }
        if known {
            woken.extend(self.next_call());
        }
        // What is over has no tags out.
        if self.lifecycle.over().is_some() { 0 } else { unknown }
    }

    /// Writes a greeting if it is due.
    #[inline]
    pub(crate) fn greet_if_due(&mut self) {
        if self.announcements.is_greeting_due() && self.announcements.greet(self.outbound.buffer(), self.limits.boxes) {
            self.dispatcher.skip();
        }
    }

    /// Takes what is to be written, in exchange for an empty buffer, and promises the room to those that wait for it. Whether there
    /// was anything.
    pub(crate) fn take_outbound(&mut self, empty: &mut Vec<u8>, woken: &mut Vec<W>) -> bool {
        let taken = !self.outbound.is_empty();
        if taken {
            self.outbound.take(empty, self.dispatcher.next_tag());
            woken.extend(self.next_call());
            woken.extend(self.admission.next_notification(&self.outbound));
        }
        self.admission.promise_room(&mut self.outbound, woken);
        taken
    }

    /// Throws away what is to be written. Those that waited for the room learn that nothing goes out any more when the connection
    /// ends.
    pub(crate) fn discard_outbound(&mut self) {
        self.outbound.discard();
    }

    /// Whether the driver is to have another turn in any case, because more waits for room than it could be promised to.
    #[inline]
    pub(crate) fn is_room_waited_for(&self) -> bool {
        self.admission.is_room_waited_for()
    }

    /// There is something to look at besides the outbound buffer. Returns the driver.
    pub(crate) fn wake_driver(&mut self) -> Option<W> {
        self.wake_up.wake_always()
    }

    /// The driver looks no more until it is woken, unless it `comes_back` by itself: then what is appended needs no wake-up.
    pub(crate) fn sleep(&mut self, driver: &W, comes_back: bool) {
        self.wake_up.sleep(driver, comes_back);
    }

    /// Ends what is due: the patience of calls, and the time for closing. Returns when to look again.
    pub(crate) fn expire(&mut self, now: impl Fn() -> Instant, woken: &mut Vec<W>) -> Option<Instant> {
        let closing = match self.lifecycle.closing() {
            Some((reason, until)) if until <= now() => {
                let reason = reason.clone();
                woken.extend(self.end(reason, until));
                return None;
            }
            closing => closing.map(|(_, until)| until),
        };
        if self.lifecycle.over().is_some() {
            return None;
        }
        if let Some(alarm) = self.wake_up.alarm()
            && let now = now()
            && alarm <= now
        {
            let calls = self.dispatcher.expire(now, |waiter| woken.push(waiter));
            self.wake_up.expire(now, calls, woken);
        }
        closing.into_iter().chain(self.wake_up.alarm()).min()
    }

    /// Ends a turn, and the connection when it closes and everything is answered at this end, that is `idle`, and at the other.
    /// Returns the reason, once the connection is over.
    pub(crate) fn end_turn(&mut self, idle: impl FnOnce() -> bool, woken: &mut Vec<W>) -> Option<CloseReason> {
        if let Some((reason, until)) = self.lifecycle.closing()
            && self.outbound.is_empty()
            && !self.dispatcher.is_awaited()
            && idle()
        {
            let reason = reason.clone();
            woken.extend(self.end(reason, until));
        }
        self.lifecycle.over().cloned()
    }

    fn credit_begins(&mut self, is_given: bool, woken: &mut Vec<W>) {
        self.admission.credit().begin(is_given);
        woken.extend(self.admission.next_notification(&self.outbound));
    }
}
