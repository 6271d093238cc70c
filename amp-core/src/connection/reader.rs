//! Handles received bytes in the driver: cuts boxes, passes asks to be answered, delivers answers.

use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::AsyncRead;

use super::batch_size::BatchSize;
use super::clock::now;
use super::give_back::give_back;
use super::halt::Halt;
use super::recv_buffer::RecvBuffer;
use super::responders::Responders;
use super::shared::{Shared, wake};
use super::sink::{Delivery, ReplySink, hand_over};
use crate::events::EventKind;
use crate::packet::{AskPacket, AskTag, Packet, ReplyPacket};
use crate::proto::{ConnectionState, Intake, SendHalf, SinkReply};
use crate::reason::CloseReason;
use crate::responder::Ask;
use crate::wire::RawBox;

mod upgrade;

/// Boxes handled in a turn: other connections have their turn after a third of a millisecond or so.
const MAX_BOXES: usize = 256;

/// The reading half of the driver. It waits only for bytes.
pub(super) struct Reader {
    shared: Arc<Shared>,
    received: RecvBuffer,
    /// The previous turn read ahead, or stopped with whole boxes still buffered.
    has_more: bool,
    batch_size: BatchSize,
    has_first_box: bool,
    on_first_box: Option<OnFirstBox>,
    /// Whether bytes arrived in this turn.
    has_read: bool,
    /// Replies that are not yet delivered.
    replies: Vec<(Option<u64>, ReplyPacket)>,
    /// Replies to hand over once the lock is free.
    for_sinks: Vec<SinkReply<Arc<dyn ReplySink>>>,
    /// Whether there were replies in this turn.
    has_replies: bool,
    /// Wakers to wake once the lock is free.
    woken: Vec<Waker>,
    /// Whether there is still a reason to read, once this turn has looked.
    is_open: Option<bool>,
    /// The tag of an ask for another transport: bytes behind its answer may belong to that transport.
    awaited: Option<u64>,
    /// Whether read and further bytes may belong to another transport.
    is_stopped: bool,
    /// Whether boxes are handled although the connection is over.
    reads_on: bool,
}

/// Called with the first whole box. Returns whether the connection still has its place in its server.
pub(crate) type OnFirstBox = Box<dyn FnOnce() -> bool + Send>;

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, on_first_box: Option<OnFirstBox>) -> Self {
        Self {
            received: RecvBuffer::new(shared.settings.boxes),
            batch_size: BatchSize::new(shared.settings.batching),
            shared,
            has_more: false,
            has_first_box: false,
            on_first_box,
            has_read: false,
            replies: Vec::new(),
            for_sinks: Vec::new(),
            has_replies: false,
            woken: Vec::new(),
            is_open: None,
            awaited: None,
            is_stopped: false,
            reads_on: false,
        }
    }

    pub(super) fn begin_turn(&mut self) {
        self.shared.inbound.workload().begin_turn();
        (self.is_open, self.has_replies, self.has_read) = (self.reads_on.then_some(true), false, false);
    }

    /// Whether there is still a reason to read. From the first call in a turn on, boxes that responders append need no wake-up.
    #[inline]
    pub(super) fn is_open(&mut self) -> bool {
        *self.is_open.get_or_insert_with(|| self.shared.lock().begin_turn())
    }

    /// Releases buffers that have grown large in one turn.
    pub(super) fn give_back(&mut self) {
        give_back(&mut self.replies);
        give_back(&mut self.for_sinks);
        give_back(&mut self.woken);
    }

    pub(super) fn has_more(&self) -> bool {
        self.has_more
    }

    /// Returns how many bytes the buffer keeps allocated, filled or not.
    #[inline]
    pub(super) fn buffered(&self) -> usize {
        self.received.buffered()
    }

    #[inline]
    pub(super) fn is_buffer_large(&self) -> bool {
        self.received.is_large()
    }

    /// Nothing was to be read for a while.
    pub(super) fn give_back_buffer(&mut self) {
        self.received.give_back();
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.received.is_at_end()
    }

    /// Whether bytes were read that are not handled.
    pub(super) fn has_rest(&self) -> bool {
        self.has_more || self.received.has_rest()
    }

    /// Whether all read and further bytes are boxes of this connection.
    pub(super) fn reads_boxes(&self) -> bool {
        !self.is_stopped && self.awaited.is_none()
    }

    /// Unhandled bytes will never be handled.
    pub(super) fn discard(&mut self) {
        self.received = RecvBuffer::new(self.shared.settings.boxes);
        self.has_more = false;
    }

    /// From now on boxes are handled although the connection is over.
    pub(super) fn read_on(&mut self) {
        self.reads_on = true;
    }

    /// Reads and handles boxes after the end of the connection, as [`poll`](Self::poll) does. No caller waits for replies any
    /// more.
    pub(super) fn poll_behind_end<T: AsyncRead + Unpin>(
        &mut self,
        transport: &mut T,
        responders: &mut Responders,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), CloseReason>> {
        self.begin_turn();
        let polled = self.poll(transport, responders, cx);
        self.replies.clear();
        polled
    }

    /// Reads once and handles received whole boxes, all or a part of them. Ready when there may be more. Replies that are not
    /// [delivered](Self::deliver) then are delivered at the end of the turn.
    pub(super) fn poll<T: AsyncRead + Unpin>(
        &mut self,
        transport: &mut T,
        responders: &mut Responders,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), CloseReason>> {
        if self.is_stopped {
            return Poll::Pending;
        }
        if !std::mem::take(&mut self.has_more) {
            ready!(self.poll_bytes(transport, cx))?;
        }
        responders.begin_turn();
        let taken = match self.awaited {
            None => {
                let most = self.batch_size.next().min(MAX_BOXES);
                self.take_boxes(most, responders)
            }
            Some(tag) => self.take_boxes_until(tag, responders),
        };
        match taken {
            Ok(()) => {}
            Err(Halt::Over(reason)) => {
                // Boxes before the fault are valid.
                self.deliver_now()?;
                return Poll::Ready(Err(reason));
            }
            Err(Halt::Stopped) => {
                self.is_stopped = true;
                return Poll::Pending;
            }
        }
        // The callers that replies wake go first, and a read that was filled has more behind it. Otherwise this is the time to
        // wait for more bytes: it saves a turn that would only find out that there are none. If there are some, the next turn
        // handles them.
        if !(self.has_replies || self.received.is_filled() || self.has_more) {
            ready!(self.poll_bytes(transport, cx))?;
            self.has_more = true;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_bytes<T: AsyncRead + Unpin>(
        &mut self,
        transport: &mut T,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), CloseReason>> {
        ready!(self.received.poll_read(transport, &self.shared.events, cx))?;
        self.has_read = true;
        Poll::Ready(Ok(()))
    }

    /// Whether bytes arrived in this turn.
    #[inline]
    pub(super) fn has_read(&self) -> bool {
        self.has_read
    }

    /// Whether a part of a box has arrived, and the rest is awaited.
    pub(super) fn is_in_box(&self) -> bool {
        !(self.has_more || self.is_stopped) && self.received.has_rest()
    }

    fn take_boxes(&mut self, most: usize, responders: &mut Responders) -> Result<(), Halt> {
        for handled in 0..most {
            let raw = match self.received.next_box() {
                Ok(Some(raw)) => raw,
                Ok(None) => {
                    self.batch_size.handled(handled, true, now);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            if !self.has_first_box {
                if !self.is_open() {
                    return Ok(());
                }
                if !self.on_first_box.take().is_none_or(|on_first_box| on_first_box()) {
                    return Err(CloseReason::MadeRoom.into());
                }
                self.hear(&raw);
            }
            if self.shared.switch.is_switched() {
                if !self.is_open() || self.shared.inbound.intake() == Intake::Aborted {
                    return Ok(());
                }
                self.deliver_now()?;
                if self.shared.switch.receive(&raw, &self.shared.events) {
                    continue;
                }
            }
            match Packet::parse(raw)? {
                Packet::Reply { tag, reply } => {
                    responders.see_reply(&reply.raw);
                    self.has_replies = true;
                    self.replies.push((tag, reply));
                    // It does not count as work of the turn.
                    continue;
                }
                Packet::Ask { ask, tag } => {
                    // Once the connection is over, nothing begins.
                    if !self.is_open() {
                        return Ok(());
                    }
                    self.deliver_now()?;
                    let ask = Ask::new(ask, tag, Arc::clone(&self.shared) as _);
                    if ask.is_own() && self.shared.settings.announces() {
                        self.take_own(ask, responders)?;
                    } else {
                        responders.answer(ask)?;
                    }
                }
                Packet::Marked { ask, tag } => {
                    if !self.is_open() {
                        return Ok(());
                    }
                    self.deliver_now()?;
                    responders.answer(self.marked(ask, tag))?;
                }
            }
            if self.shared.inbound.workload().is_enough() {
                self.batch_size.handled(handled + 1, false, now);
                self.has_more = true;
                return Ok(());
            }
        }
        self.batch_size.handled(most, false, now);
        self.has_more = true;
        Ok(())
    }

    /// Looks at the peer's first box, unless a box receiver receives it.
    #[cold]
    fn hear(&mut self, first: &RawBox) {
        self.has_first_box = true;
        let first = (!self.shared.switch.is_switched()).then(|| first.pairs());
        self.hearing(|sending| ((), sending.hear(first)));
    }

    /// Makes a marked notification. If the peer has not announced, the mark is a key that it may use for itself. A marked command
    /// of the library's own waits for its turn behind the notifications before it.
    #[cold]
    fn marked(&self, ask: AskPacket, tag: AskTag) -> Ask {
        let is_understood = self.shared.lock().sending().is_understood();
        let answering = Arc::clone(&self.shared);
        if is_understood { Ask::marked(ask, tag, answering) } else { Ask::new(ask, Some(tag), answering) }
    }

    /// Settles one of the library's own commands. From a peer that has not announced it is a command like any other, except a
    /// greeting that announces: the peer's first box had no room for that.
    #[cold]
    fn take_own(&mut self, ask: Ask, responders: &mut Responders) -> Result<(), Halt> {
        let is_understood = self.shared.lock().sending().is_understood()
            || (ask.is_greeting() && self.hearing(|sending| sending.hear_greeting(ask.raw().pairs())));
        if is_understood { Ok(ask.settle_own()?) } else { responders.answer(ask) }
    }

    /// The peer's announcement may wake a waiting notification.
    fn hearing<R>(&self, hear: impl FnOnce(&mut SendHalf<Waker>) -> (R, Option<Waker>)) -> R {
        let (heard, next) = hear(self.shared.lock().sending());
        wake(next);
        heard
    }

    /// Hands the replies so far to their callers, before the boxes behind them are handled.
    #[inline]
    fn deliver_now(&mut self) -> Result<(), CloseReason> {
        if self.replies.is_empty() { Ok(()) } else { self.deliver_all() }
    }

    fn deliver_all(&mut self) -> Result<(), CloseReason> {
        let unknown = self.shared.lock().deliver(self.replies.drain(..), &mut self.woken, &mut self.for_sinks);
        self.hand_over();
        wake(self.woken.drain(..));
        self.check(unknown)
    }

    /// Hands the replies so far to their callers. Returns how many have a tag that is not outstanding. Those that have sinks are
    /// [handed over](Self::hand_over) when the lock is free.
    #[inline]
    pub(super) fn deliver(&mut self, state: &mut ConnectionState<Waker>, woken: &mut Vec<Waker>) -> usize {
        if self.replies.is_empty() { 0 } else { state.deliver(self.replies.drain(..), woken, &mut self.for_sinks) }
    }

    /// Hands delivered replies to their sinks: under no lock, and before anything is woken.
    #[inline]
    pub(super) fn hand_over(&mut self) {
        if !self.for_sinks.is_empty() {
            self.hand_over_all();
        }
    }

    #[inline(never)]
    fn hand_over_all(&mut self) {
        let limits = &self.shared.settings.boxes;
        let delivery = |tag, reply| Delivery::new(tag, Ok(reply), limits);
        hand_over(self.for_sinks.drain(..), delivery, &self.shared.events);
    }

    /// Whether the connection bears so many replies to tags that are not out (`wire.md` rule 19).
    pub(super) fn check(&self, unknown: usize) -> Result<(), CloseReason> {
        if unknown == 0 {
            return Ok(());
        }
        if !self.shared.settings.ignore_unknown_answers {
            return Err(CloseReason::UnknownAnswer);
        }
        self.shared.events.tell(EventKind::UNKNOWN_ANSWER, |peer, omitted| {
            tracing::warn!(%peer, omitted, unknown, "answers to tags that are not out");
        });
        Ok(())
    }
}
