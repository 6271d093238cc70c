use std::sync::Arc;
use std::time::Instant;

use super::attachments::{Attachments, Carrier};
use super::lifecycle::{EndListener, Intake, Lifecycle};
use super::limits::Limits;
use super::outbound::LastBytes;
use super::outgoing::Outgoing;
use super::request::{Request, SinkReply};
use super::send_half::SendHalf;
use super::timers::TimerKey;
use super::upgrade::{OverTransport, Upgrade};
use super::waiter::Waiter;
use super::wake_up::WakeUp;
use crate::exposed::ContextRef;
use crate::memory::Account;
use crate::packet::ReplyPacket;
use crate::reason::CloseReason;
use crate::value::EncodeError;

/// The state guarded by the connection's one lock: the sending half, the life cycle, and when the driver has a turn.
///
/// Waiters that are returned or handed out are to be woken, or dropped, under no lock.
pub(crate) struct ConnectionState<W: Waiter> {
    sending: SendHalf<W>,
    lifecycle: Lifecycle,
    wake_up: WakeUp<W>,
    upgrade: Upgrade,
    /// Attachments that the transport carries beside the bytes.
    carrier: Carrier,
    /// Only bytes that were taken before are written.
    has_write_failed: bool,
    max_outbound: usize,
}

/// Number of calls that take no place and may be unanswered beyond their deadlines: each keeps its tag.
pub(crate) const MAX_OVERDUE: usize = 1024;

/// Result of an append.
#[derive(Debug)]
pub(crate) enum Appended<W> {
    /// The box will be written. Holds the driver's waker, if the driver is to be woken.
    Queued(Option<W>),
    /// It came after the last bytes.
    Sealed,
    /// It exceeded the limit: the peer does not read, and the connection has ended because of that.
    Overflowed(Vec<W>),
}

/// Sending: asks, answers and boxes.
impl<W: Waiter> ConnectionState<W> {
    pub(crate) fn new(limits: Limits, account: &Arc<Account>) -> Self {
        Self {
            sending: SendHalf::new(limits, account),
            lifecycle: Lifecycle::new(),
            wake_up: WakeUp::new(),
            upgrade: Upgrade::default(),
            carrier: Carrier::default(),
            has_write_failed: false,
            max_outbound: limits.max_outbound,
        }
    }

    /// Why nothing more goes out, if so. Asks that closing waits for go out `while_closing`.
    #[inline]
    pub(crate) fn refusal(&self, while_closing: bool) -> Option<CloseReason> {
        self.lifecycle.refusal(while_closing)
    }

    /// The sending half, with the answers to its asks.
    #[inline]
    pub(crate) fn sending(&mut self) -> &mut SendHalf<W> {
        &mut self.sending
    }

    /// Appends an ask whose values see the context. Returns its tag, if it wants an answer, and the driver, if it is to be woken.
    /// On an error nothing is appended, and no tag is used up.
    #[inline]
    pub(crate) fn append(
        &mut self,
        ask: &dyn Outgoing,
        request: &Request<'_, W>,
        context: Option<ContextRef<'_>>,
    ) -> Result<(Option<u64>, Option<W>), EncodeError> {
        let tag = self.sending.append(ask, request, context)?;
        let deadline = request.deadline.filter(|_| tag.is_some());
        let sooner = deadline.is_some_and(|deadline| self.wake_up.set_alarm(deadline));
        Ok((tag, if sooner { self.wake_up.wake_always() } else { self.wake_up.wake() }))
    }

    /// Appends the answer that `put` writes.
    #[inline]
    pub(crate) fn append_answer(
        &mut self,
        put: impl FnOnce(&mut Vec<u8>),
        finish_by: impl FnOnce() -> Instant,
    ) -> Appended<W> {
        if self.lifecycle.is_sealed() || self.sending.discards_answers() {
            return Appended::Sealed;
        }
        self.sending.put(put);
        self.appended(finish_by)
    }

    #[inline]
    fn appended(&mut self, finish_by: impl FnOnce() -> Instant) -> Appended<W> {
        if self.sending.outbound().len() > self.max_outbound {
            return Appended::Overflowed(self.overflow(finish_by()));
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
        self.sending.put_untyped(put);
        Ok(self.appended(finish_by))
    }

    /// Ends the connection if more bytes wait to be written than a peer may leave unread. Returns the waiters to wake.
    #[cold]
    pub(crate) fn check_outbound(&mut self, finish_by: impl FnOnce() -> Instant) -> Vec<W> {
        if self.sending.outbound().len() > self.max_outbound { self.overflow(finish_by()) } else { Vec::new() }
    }

    #[cold]
    fn overflow(&mut self, finish_by: Instant) -> Vec<W> {
        self.sending.discard_answers();
        self.end(CloseReason::NotReading { limit: self.max_outbound }, finish_by)
    }

    /// Whether boxes may be appended, or never again. Otherwise waits for that.
    pub(crate) fn poll_room(&mut self, waiter: &W) -> bool {
        let ready = self.sending.has_room() || self.refusal(false).is_some();
        if !ready {
            self.sending.wait_for_room(waiter);
        }
        ready
    }
}

/// Waiting: for answers and for instants.
impl<W: Waiter> ConnectionState<W> {
    /// Gives up the answer. Returns the waiter that was there, and the driver, if it is to be woken: closing may have waited for
    /// the answer. Also returns the sink that was there, which is to be dropped under no lock.
    pub(crate) fn abandon(&mut self, tag: u64) -> ([Option<W>; 2], Option<W::Sink>) {
        let (left, sink) = self.sending.abandon(tag);
        let closes = self.lifecycle.is_closing();
        ([left, if closes { self.wake_up.wake_always() } else { None }], sink)
    }

    /// Waits for the instant. Returns the key to keep waiting with, the previous waiter, and the driver, if it is to be woken.
    pub(crate) fn wait_until(&mut self, at: Instant, key: Option<TimerKey>, waiter: &W) -> (TimerKey, [Option<W>; 2]) {
        let (key, before) = self.wake_up.wait(key, at, waiter);
        let sooner = self.wake_up.set_alarm(at);
        (key, [before, if sooner { self.wake_up.wake_always() } else { None }])
    }

    /// Stops waiting for the instant. Returns the waiter that was there.
    pub(crate) fn leave_timer(&mut self, key: TimerKey) -> Option<W> {
        self.wake_up.leave(key)
    }
}

/// Closing and ending. The returned waiters are to be woken.
impl<W: Waiter> ConnectionState<W> {
    /// Returns which commands may still begin at this end.
    pub(crate) fn intake(&self) -> Intake {
        self.lifecycle.intake()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.lifecycle.is_closing()
    }

    /// The reason, once the connection is over.
    pub(crate) fn over(&self) -> Option<&CloseReason> {
        self.lifecycle.over()
    }

    /// Deadline of responders that go on although the connection is over.
    pub(crate) fn finish_by(&self) -> Option<Instant> {
        self.lifecycle.finish_by()
    }

    /// Begins to close: no new calls; earlier calls may be answered until the instant. `None` unless it was open.
    pub(crate) fn close(&mut self, reason: CloseReason, until: Instant, finish_by: Instant) -> Option<Vec<W>> {
        self.lifecycle.close(reason, until, finish_by).then(|| self.release_waiters())
    }

    /// Nothing can be written any more. Answers that have already arrived may still be read, until the instant. A connection that
    /// already closes has no more time than it had. Also returns the attachments of bytes that are not written: they are to be
    /// dropped under no lock.
    pub(crate) fn write_failed(
        &mut self,
        reason: CloseReason,
        until: Instant,
        finish_by: Instant,
    ) -> Option<(Vec<W>, Attachments)> {
        if self.lifecycle.over().is_some() {
            return None;
        }
        self.has_write_failed = true;
        let discarded = self.discard_outbound();
        self.lifecycle.write_failed(&reason, until);
        let woken = self.close(reason, until, finish_by);
        Some((woken.unwrap_or_else(|| self.wake_up.wake_always().into_iter().collect()), discarded))
    }

    /// The first reason stays, and all waiters receive it.
    pub(crate) fn end(&mut self, reason: CloseReason, finish_by: Instant) -> Vec<W> {
        let lets_write = reason.lets_write() && !self.has_write_failed;
        if !self.lifecycle.end(reason, finish_by) {
            return Vec::new();
        }
        // With nothing to be written, every ask has left, or was discarded.
        if lets_write && !self.sending.outbound().is_empty() {
            self.sending.leaves();
        } else if !lets_write {
            // At once: a caller that learns that its ask has not left may send it again.
            self.sending.discard();
        }
        let mut woken = self.release_waiters();
        self.sending.close(&mut woken);
        woken
    }

    /// Ends the connection and its running responders, also when it is over already.
    pub(crate) fn abort(&mut self, reason: CloseReason, now: Instant) -> Vec<W> {
        self.lifecycle.abort(now);
        if self.lifecycle.over().is_some() {
            return self.wake_up.wake_always().into_iter().collect();
        }
        self.end(reason, now)
    }

    /// Takes the bytes still to be written, and lets nothing more be appended. A peer that understands it is told why the
    /// connection has ended, if there is a cause: in the last box, because such a peer reads no further.
    pub(crate) fn seal(&mut self) -> LastBytes {
        let reason = self.lifecycle.over().filter(|_| !self.lifecycle.is_sealed());
        let last = self.sending.take_last(reason);
        self.lifecycle.seal();
        last
    }

    /// Keeps the listener until the end, or returns it if the connection has already ended.
    pub(crate) fn listen(&mut self, listener: EndListener) -> Option<EndListener> {
        self.lifecycle.listen(listener)
    }

    /// Takes out the listeners for the end; later ones are called at once.
    pub(crate) fn take_end_listeners(&mut self) -> Vec<EndListener> {
        self.lifecycle.take_end_listeners()
    }

    /// All waiters that want to send or wait for an instant, and the driver.
    fn release_waiters(&mut self) -> Vec<W> {
        let mut woken = Vec::new();
        woken.extend(self.wake_up.wake_always());
        self.sending.release_waiters(&mut woken);
        self.wake_up.clear(&mut woken);
        woken
    }
}

/// A turn of the driver. Waiters pushed to `woken` are to be woken.
impl<W: Waiter> ConnectionState<W> {
    /// A turn begins in which responders run: boxes that they append need no wake-up. Returns whether there is still a reason to
    /// read.
    pub(crate) fn begin_turn(&mut self) -> bool {
        self.wake_up.awake();
        self.lifecycle.over().is_none()
    }

    /// Hands replies to their callers, and those for sinks out: these are to be handed over under no lock, before anything is
    /// woken. Returns how many have a tag that is not outstanding.
    pub(crate) fn deliver(
        &mut self,
        replies: impl Iterator<Item = (Option<u64>, ReplyPacket)>,
        woken: &mut Vec<W>,
        for_sinks: &mut Vec<SinkReply<W::Sink>>,
    ) -> usize {
        let unknown = self.sending.deliver(replies, woken, for_sinks);
        // A connection that is over has no outstanding tags.
        if self.lifecycle.over().is_some() { 0 } else { unknown }
    }

    /// Writes a greeting if it is due.
    #[inline]
    pub(crate) fn greet_if_due(&mut self) {
        if self.sending.is_greeting_due() && self.lifecycle.over().is_none() {
            self.sending.greet();
        }
    }

    /// Discards the bytes to be written. Waiters for the room learn that nothing goes out any more when the connection ends.
    /// Returns the attachments.
    #[must_use = "it is to be dropped under no lock"]
    pub(crate) fn discard_outbound(&mut self) -> Attachments {
        self.sending.discard();
        self.sending.outbound().take_discarded()
    }

    /// Discards the bytes to be written, and all answers from now on. Returns the attachments.
    #[must_use = "it is to be dropped under no lock"]
    pub(crate) fn discard_answers(&mut self) -> Attachments {
        self.sending.discard_answers();
        self.sending.outbound().take_discarded()
    }

    /// The driver must look at something besides the outbound buffer. Returns its waker.
    pub(crate) fn wake_driver(&mut self) -> Option<W> {
        self.wake_up.wake_always()
    }

    /// Whether more than `MAX_OVERDUE` answers are overdue to calls that take no place, which nothing else bounds.
    #[inline]
    pub(crate) fn is_overdue(&mut self) -> bool {
        self.sending.tags().overdue() > MAX_OVERDUE
    }

    /// The driver sleeps until it is woken, unless it `comes_back` by itself: then appended boxes need no wake-up. Returns its
    /// previous waiter.
    #[must_use = "it is to be dropped under no lock"]
    pub(crate) fn sleep(&mut self, driver: &W, comes_back: bool) -> Option<W> {
        self.wake_up.sleep(driver, comes_back)
    }

    /// Ends what is due: the deadlines of calls, and the time for closing. Returns when to look again.
    pub(crate) fn expire(&mut self, now: impl Fn() -> Instant, woken: &mut Vec<W>) -> Option<Instant> {
        if self.lifecycle.is_open() && self.wake_up.alarm().is_none() {
            return None;
        }
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
            let calls = self.sending.tags().expire(now, |waiter| woken.push(waiter));
            self.wake_up.expire(now, calls, woken);
        }
        closing.into_iter().chain(self.wake_up.alarm()).min()
    }

    /// Ends a turn. Ends the connection, too, if it closes and everything is answered at this end, which `idle` reports, and at
    /// the other. Returns whether the connection is over.
    pub(crate) fn end_turn(&mut self, idle: impl FnOnce() -> bool, woken: &mut Vec<W>) -> bool {
        if self.lifecycle.is_open() {
            return false;
        }
        // After a write failure, reading continues to the end of the peer: what it had sent before is received.
        if let Some((reason, until)) = self.lifecycle.closing()
            && !self.has_write_failed
            && self.sending.outbound().is_empty()
            && !self.sending.tags().is_awaited()
            && self.upgrade.is_none()
            && idle()
        {
            let reason = reason.clone();
            woken.extend(self.end(reason, until));
        }
        self.lifecycle.over().is_some()
    }
}

/// The parts that depend on the transport.
impl<W: Waiter> ConnectionState<W> {
    /// The replacement of the transport that is in progress.
    #[inline]
    pub(crate) fn upgrade(&self) -> Upgrade {
        self.upgrade
    }

    pub(crate) fn transport(&mut self) -> OverTransport<'_, W> {
        let is_sealed = self.lifecycle.is_sealed();
        let Self { upgrade, carrier, sending, wake_up, .. } = self;
        OverTransport { upgrade, carrier, sending, wake_up, is_sealed }
    }
}
