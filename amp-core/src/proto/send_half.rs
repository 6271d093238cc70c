use std::sync::Arc;

use super::admission::{Admission, Lane};
use super::announcements::Announcements;
use super::attachments::Attachments;
use super::credit::Credit;
use super::goodbye;
use super::limits::Limits;
use super::outbound::{LastBytes, Outbound};
use super::outgoing::{AddKeys, Outgoing};
use super::request::{Lost, ReplyTo, Request, SinkReply};
use super::waiter::Waiter;
use crate::exposed::ContextRef;
use crate::memory::{Account, Reservation};
use crate::packet::{ReplyPacket, SentBox, Tag};
use crate::reason::CloseReason;
use crate::tags::{Delivery, Progress, Tags, UnknownTag};
use crate::value::EncodeError;
use crate::wire::{BoxLimits, Pairs};

mod notifications;

/// The asks, replies and boxes that this end sends, and the answers to its asks: asks are admitted in their order, and each uses
/// up a tag when it is appended.
pub(crate) struct SendHalf<W: Waiter> {
    boxes: BoxLimits,
    tags: Tags<W, W::Sink>,
    /// The sinks to notify of the end, with their tags.
    lost: Vec<(W::Sink, u64)>,
    outbound: Outbound,
    admission: Admission<W>,
    announcements: Announcements,
    /// Keys that extensions add to asks and replies.
    keys: Option<Box<dyn AddKeys>>,
    /// Memory of answers that have not been taken.
    untaken: Reservation,
    /// Memory of the outbound buffer. It is counted when boxes are appended, and not by the driver, which may come when thousands of responders
    /// have answered.
    buffered: Reservation,
    discards_answers: bool,
}

impl<W: Waiter> SendHalf<W> {
    pub(super) fn new(limits: Limits, account: &Arc<Account>) -> Self {
        let mut credit = Credit::default();
        if !limits.announces {
            // The peer is not asked for credit.
            credit.begin(false);
        }
        Self {
            boxes: limits.boxes,
            tags: Tags::new(),
            lost: Vec::new(),
            outbound: Outbound::new(limits.outbound_high_water),
            admission: Admission::new(limits.max_calls, credit),
            announcements: Announcements::new(limits.announces),
            keys: None,
            untaken: Reservation::new(account),
            buffered: Reservation::new(account),
            discards_answers: false,
        }
    }

    /// Returns the capacity of the outbound buffer.
    #[inline]
    pub(crate) fn buffered(&self) -> usize {
        self.outbound.capacity()
    }

    /// Takes out an empty outbound buffer that is larger than `max`, to be dropped under no lock.
    pub(crate) fn release_buffer(&mut self, max: usize) -> Vec<u8> {
        let released = self.outbound.release(max);
        self.count_buffer();
        released
    }

    /// The buffered bytes are never written.
    pub(super) fn discard(&mut self) {
        self.outbound.discard();
        self.count_buffer();
    }

    /// The buffered bytes are never written, and no later answers: they would take memory, until the driver has its turn behind all responders
    /// that are ready.
    pub(super) fn discard_answers(&mut self) {
        self.discards_answers = true;
        self.discard();
    }

    #[inline]
    pub(super) fn discards_answers(&self) -> bool {
        self.discards_answers
    }

    /// The outbound buffer may have grown or shrunk.
    #[inline]
    fn count_buffer(&mut self) {
        self.buffered.fit(self.outbound.capacity());
    }

    /// Adds keys to all asks and replies.
    pub(crate) fn add_keys(&mut self, keys: Box<dyn AddKeys>) {
        self.keys = Some(keys);
    }

    /// Whether an ask may be appended now by the holder of the ticket, or by a new waiter.
    #[inline]
    pub(crate) fn admits(&self, lane: Lane, ticket: Option<u64>) -> bool {
        self.admission.admits(lane, ticket, &self.outbound, self.tags.counted())
    }

    /// Keeps waiting in the same place, or begins to wait at the end. Returns the ticket, and the previous waiter.
    pub(crate) fn wait(&mut self, lane: Lane, ticket: Option<u64>, waiter: &W) -> (u64, Option<W>) {
        self.admission.wait(lane, ticket, waiter)
    }

    pub(super) fn wait_for_room(&mut self, waiter: &W) {
        self.admission.wait_for_room(waiter);
    }

    /// Leaves the queue, for whatever reason. Returns the waiter that was there, and the next one to wake. The next bulk waiter
    /// is woken by the driver: a stream's waker takes the locks of its stream, and this may run under those of another.
    pub(crate) fn leave(&mut self, lane: Lane, ticket: u64) -> [Option<W>; 2] {
        let left = self.admission.leave(lane, ticket);
        let next = match lane {
            Lane::Call => self.next_call(),
            Lane::Notify => self.next_notification(),
            Lane::Callback | Lane::Bulk => None,
        };
        [left, next]
    }

    /// Appends an ask whose values see the context. Returns its tag, if it wants an answer. On an error nothing is appended, and
    /// no tag is used up.
    pub(super) fn append(
        &mut self,
        ask: &dyn Outgoing,
        request: &Request<'_, W>,
        context: Option<ContextRef<'_>>,
    ) -> Result<Option<u64>, EncodeError> {
        let Request { lane, wants_answer, deadline, reply_to } = request;
        let (lane, wants_answer) = (*lane, *wants_answer);
        let (number, start) = (self.tags.next_tag(), self.outbound.end());
        let tag = wants_answer.then(|| Tag::of(number));
        ask.put(self.outbound.buffer(), tag, self.boxes, context)?;
        if let Some(keys) = &self.keys {
            keys.add_to_ask(&mut SentBox::new(self.outbound.buffer(), start, self.boxes));
        }
        if lane == Lane::Bulk {
            self.outbound.added_bulk(start);
        }
        if wants_answer {
            match *reply_to {
                ReplyTo::Waiter(waiter) => self.tags.ask(waiter.clone(), *deadline, lane != Lane::Call),
                ReplyTo::Sink(sink) => self.tags.ask_for(sink.clone()),
            }
        } else {
            self.notified(ask, start, context);
        }
        self.announcements.sent(self.outbound.buffer(), start, self.boxes);
        self.count_buffer();
        Ok(wants_answer.then_some(number))
    }

    /// Appends the reply that `put` writes, if it writes one.
    #[inline]
    pub(super) fn put(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let Self { outbound, keys, announcements, boxes, .. } = self;
        put_reply(outbound.buffer(), put, keys, announcements, boxes);
        self.count_buffer();
    }

    /// Puts the reply that `put` writes before the barrier, if there is one.
    pub(super) fn put_before_barrier(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let Self { outbound, keys, announcements, boxes, .. } = self;
        put_reply(outbound.before_barrier(), put, keys, announcements, boxes);
        self.count_buffer();
    }

    /// Appends the box without a type that `put` writes, and adds nothing to it.
    pub(super) fn put_untyped(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        self.announcements.sent_untyped();
        put(self.outbound.buffer());
        self.count_buffer();
    }

    /// Sets a barrier behind the last box, which begins at `last_box`.
    pub(super) fn hold(&mut self, last_box: usize) {
        self.outbound.hold(last_box, self.tags.next_tag());
    }

    /// Lifts the barrier.
    pub(super) fn lift(&mut self) {
        self.outbound.lift();
        self.count_buffer();
    }

    #[inline]
    pub(super) fn outbound(&mut self) -> &mut Outbound {
        &mut self.outbound
    }

    /// Whether there is room for more boxes.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.outbound.has_room()
    }

    pub(super) fn tags(&mut self) -> &mut Tags<W, W::Sink> {
        &mut self.tags
    }

    /// Returns the progress of the call; while it is pending, `waiter` waits for it.
    #[inline]
    pub(crate) fn poll_answer(&mut self, tag: u64, waiter: &W) -> Progress<W> {
        let is_other = |before: &W| before.identity() != waiter.identity();
        match self.tags.poll(tag, |before| before.is_none_or(is_other).then(|| waiter.clone())) {
            Progress::Answered(reply) => {
                self.untaken.shrink(self.tags.held());
                Progress::Answered(reply)
            }
            progress => progress,
        }
    }

    /// Gives up the answer. Returns the waiter or the sink that was there.
    pub(super) fn abandon(&mut self, tag: u64) -> (Option<W>, Option<W::Sink>) {
        let left = self.tags.abandon(tag);
        self.untaken.fit(self.tags.held());
        left
    }

    /// Whether the ask with the tag was taken to be written: the peer may have it.
    pub(crate) fn has_left(&self, tag: u64) -> bool {
        self.outbound.has_left(tag)
    }

    /// Whether the reply is still to arrive, and to be handed to a sink.
    pub(crate) fn is_for_sink(&self, tag: u64) -> bool {
        self.tags.is_for_sink(tag)
    }

    /// Hands replies to their callers, and those for sinks out. Returns how many have a tag that is not outstanding.
    pub(super) fn deliver(
        &mut self,
        replies: impl Iterator<Item = (Option<u64>, ReplyPacket)>,
        woken: &mut Vec<W>,
        for_sinks: &mut Vec<SinkReply<W::Sink>>,
    ) -> usize {
        let (mut known, mut unknown) = (false, 0);
        for (tag, reply) in replies {
            let Some(tag) = tag else {
                unknown += 1;
                continue;
            };
            match self.tags.answer(tag, reply) {
                Ok(Delivery::Wake(waiter)) => {
                    known = true;
                    woken.extend(waiter);
                }
                // It took no place that another call could have now.
                Ok(Delivery::HandOver(sink, reply)) => for_sinks.push(SinkReply { sink, tag, reply }),
                Err(UnknownTag) => unknown += 1,
            }
        }
        self.untaken.fit(self.tags.held());
        let credit = self.tags.take_credit();
        if credit > 0 {
            self.admission.credit().answered(credit);
            woken.extend(self.next_notification());
        }
        if known {
            woken.extend(self.next_call());
        }
        unknown
    }

    /// A turn of the driver begins to promise room again: promises of the previous turn have been used or will not be.
    pub(crate) fn forget_promises(&mut self) {
        self.admission.forget_promises(&mut self.outbound);
    }

    /// Takes the bytes to write, in exchange for an empty buffer, and promises the room to its waiters. Attachments of these
    /// bytes replace `attachments`. Returns whether there were any bytes.
    pub(crate) fn take(&mut self, empty: &mut Vec<u8>, attachments: &mut Attachments, woken: &mut Vec<W>) -> bool {
        let taken = self.outbound.has_unheld();
        if taken {
            self.outbound.take(empty, attachments, self.tags.next_tag());
            self.count_buffer();
            woken.extend(self.next_call());
            woken.extend(self.next_notification());
        }
        self.admission.promise_room(&mut self.outbound, woken);
        taken
    }

    /// Takes out the last bytes. A peer that understands it is told why the connection has ended, in the last box, because such a
    /// peer reads no further. Bytes held by a barrier are never written.
    pub(super) fn take_last(&mut self, reason: Option<&CloseReason>) -> LastBytes {
        if let Some(reason) = reason.filter(|_| self.announcements.takes_goodbye()) {
            self.outbound.put_last(|buffer| goodbye::put(buffer, reason, self.boxes));
        }
        let last = self.outbound.take_last();
        self.count_buffer();
        last
    }

    /// The buffered bytes will be written, however the connection goes on.
    pub(super) fn leaves(&mut self) {
        self.outbound.leaves(self.tags.next_tag());
    }

    /// Whether the driver must have another turn in any case, because more waiters need room than it could be promised to.
    #[inline]
    pub(crate) fn is_room_waited_for(&self) -> bool {
        self.admission.is_room_waited_for() && !self.outbound.is_holding()
    }

    /// Takes out all waiters that want to send.
    pub(super) fn release_waiters(&mut self, woken: &mut Vec<W>) {
        self.admission.clear(woken);
    }

    /// Takes out all waiters for answers. Answers that have arrived stay to be taken.
    pub(super) fn close(&mut self, woken: &mut Vec<W>) {
        let lost = &mut self.lost;
        self.tags.close(|waiter| woken.push(waiter), |sink, tag| lost.push((sink, tag)));
        lost.sort_unstable_by_key(|(_, tag)| *tag);
    }

    /// Takes out the sinks to notify of the end, in the order of their asks.
    pub(crate) fn take_lost(&mut self) -> Vec<SinkReply<W::Sink, Lost>> {
        let lost = std::mem::take(&mut self.lost);
        let with_tag = |(sink, tag)| SinkReply { sink, tag, reply: Lost { sent: self.has_left(tag) } };
        lost.into_iter().map(with_tag).collect()
    }

    /// The peer's first box has arrived, or has gone to a box receiver. Returns the notification to wake.
    #[cold]
    pub(crate) fn hear(&mut self, first: Option<Pairs<'_>>) -> Option<W> {
        let Some(first) = first else {
            self.announcements.hide();
            return None;
        };
        let gives_credit = self.announcements.hear(first);
        self.credit_begins(gives_credit)
    }

    /// A greeting has arrived from a peer that has not announced. Returns whether the peer announces, and the notification to
    /// wake.
    #[cold]
    pub(crate) fn hear_greeting(&mut self, greeting: Pairs<'_>) -> (bool, Option<W>) {
        let (announces, gives_credit) = self.announcements.hear_greeting(greeting);
        (announces, self.credit_begins(gives_credit))
    }

    /// Whether the peer understands this library's own commands.
    pub(crate) fn is_understood(&self) -> bool {
        self.announcements.is_understood()
    }

    /// Answers to marked notifications may have been missed: none is waited for any more. Returns the notification to wake.
    pub(crate) fn forgive_credit(&mut self) -> Option<W> {
        self.admission.credit().forgive();
        self.next_notification()
    }

    #[inline]
    pub(super) fn is_greeting_due(&self) -> bool {
        self.announcements.is_greeting_due()
    }

    /// Writes a greeting, once it is due.
    #[cold]
    pub(super) fn greet(&mut self) {
        if self.announcements.greet(self.outbound.buffer(), self.boxes) {
            self.tags.skip();
        }
    }

    fn credit_begins(&mut self, is_given: bool) -> Option<W> {
        self.admission.credit().begin(is_given);
        self.next_notification()
    }

    fn next_call(&self) -> Option<W> {
        self.admission.next_call(&self.outbound, self.tags.counted())
    }

    fn next_notification(&self) -> Option<W> {
        self.admission.next_notification(&self.outbound)
    }
}

/// Appends the reply that `put` writes, if it writes one, and the keys that are added to a reply.
#[inline(always)]
fn put_reply(
    buffer: &mut Vec<u8>,
    put: impl FnOnce(&mut Vec<u8>),
    keys: &Option<Box<dyn AddKeys>>,
    announcements: &mut Announcements,
    boxes: &BoxLimits,
) {
    let start = buffer.len();
    put(buffer);
    if let Some(keys) = keys
        && buffer.len() > start
    {
        keys.add_to_reply(&mut SentBox::new(buffer, start, *boxes));
    }
    announcements.sent(buffer, start, *boxes);
}
