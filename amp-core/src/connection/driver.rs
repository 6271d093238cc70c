use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::runtime::Handle;

use super::any_transport::{Current, Transport};
use super::busy::Busy;
use super::clock::{Alarm, now, require_time};
use super::ending::{EndGuard, Ending};
use super::extension::Claims;
use super::lingering::{Lingering, warn_cut_short};
use super::reader::{OnFirstBox, Reader};
use super::replacement::{PreviousTransport, Replacing, Step, poll_replacing};
use super::responders::Responders;
use super::shared::{Shared, wake};
use super::time_limits::{Handshake, TimeLimits};
use super::turns::Turns;
use super::writer::Writer;
use crate::memory::Reservation;
use crate::panics::drop_caught;
use crate::proto::{LastBytes, MAX_OVERDUE, Upgrade};
use crate::reason::CloseReason;

mod waiting;

/// The future that reads, writes and answers for one connection. [`ConnectionBuilder::start`](crate::connection::ConnectionBuilder::start) spawns it.
///
/// # Cancel safety
/// Dropping it ends the connection with [`CloseReason::DriverDropped`].
///
/// # Panics
/// At its first poll, if outside a tokio runtime with time enabled; the connection has ended then, as if the driver were dropped.
/// Also if it is polled again after it has returned the reason.
#[must_use = "a connection does nothing until its driver is polled"]
pub struct Driver(Pin<Box<dyn Future<Output = CloseReason> + Send>>);

impl Driver {
    pub(super) fn new(
        transport: impl Transport + 'static,
        guard: EndGuard,
        claims: Claims,
        on_first_box: Option<OnFirstBox>,
    ) -> Self {
        let shared = &guard.0;
        let running = Running {
            reader: Reader::new(Arc::clone(shared), on_first_box),
            writer: Writer::new(),
            responders: Responders::new(Arc::clone(shared), claims),
            transport: Current::First(transport),
            replacing: None,
            alarm: Alarm::default(),
            limits: TimeLimits::default(),
            woken: Vec::new(),
            buffers: Reservation::new(&shared.account),
            outbound: 0,
            turns: Turns::default(),
            busy: Busy::default(),
            guard,
        };
        Self(Box::pin(running.drive()))
    }
}

impl Future for Driver {
    type Output = CloseReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

struct Running<T> {
    transport: Current<T>,
    /// The future that makes the next transport. It owns the current one.
    replacing: Option<Replacing>,
    /// Dropped before everything that may still answer: objects that are dropped with the driver see that it was dropped.
    guard: EndGuard,
    reader: Reader,
    writer: Writer,
    responders: Responders,
    alarm: Alarm,
    limits: TimeLimits,
    /// Wakers to wake once the lock is free.
    woken: Vec<Waker>,
    /// Capacity of the reader's and the writer's buffers. That of the outbound buffer is counted where boxes are appended.
    buffers: Reservation,
    /// Capacity of the outbound buffer when the state was last looked at.
    outbound: usize,
    turns: Turns,
    busy: Busy,
}

/// Result of a look at the connection's state.
struct Found {
    is_over: bool,
    closes: bool,
    /// Whether there was something to write.
    taken: bool,
    /// Number of replies whose tags are not outstanding.
    unknown: usize,
    /// When to look again.
    alarm: Option<Instant>,
    /// Whether to look again in any case.
    comes_back: bool,
    /// The transport accepts no more for now, and wakes the driver when it does: nothing was taken to be written.
    stalled: bool,
    step: Step,
    handshake: Handshake,
    /// Too many answers are overdue.
    is_overdue: bool,
}

impl<T: Transport + 'static> Running<T> {
    async fn drive(mut self) -> CloseReason {
        require_time();
        if let Ok(runtime) = Handle::try_current() {
            let _ = self.shared().holder.runtime.set(runtime);
        }
        let reason = poll_fn(|cx| self.poll(cx)).await;
        // On the heap only now: it is as large as the state above, and every open connection would keep the memory for it.
        Box::pin(self.finish(reason)).await
    }

    /// The connection has ended: writes the last bytes, and ends running responders.
    async fn finish(self, reason: CloseReason) -> CloseReason {
        // Logged here, wherever and by whichever side the connection was ended.
        self.shared().tell_end(&reason);
        self.shared().announce_end();
        let Self { transport, replacing, guard, reader, mut writer, mut responders, buffers, busy, .. } = self;
        // Others wait for the permit that it may have been given.
        drop(busy);
        let shared = Arc::clone(&guard.0);
        // A replacement that has not begun may hold a handle of this connection.
        drop_caught((replacing, shared.replacement.take()));
        // The writer may have failed when the connection was over already: then an orderly close has not sent everything.
        let broken = writer.broken().cloned();
        let LastBytes { bytes, attachments, is_cut, discarded } = shared.seal();
        drop(discarded);
        // Their results from now on are no answers and not written.
        responders.stop_answering();
        let is_away = transport.is_away();
        // Memory is used up: a peer that does not read learns the reason only if it soon takes what is before it.
        let is_out_of_memory = matches!(reason, CloseReason::OutOfMemory { .. });
        let may_wait = !is_out_of_memory || writer.shorten();
        let lingers = reason.lets_write() && broken.is_none() && !is_away && may_wait;
        let lost = broken.or(is_cut.then_some(CloseReason::Unwritten));
        let lingering = match lingers {
            true => {
                writer.append(bytes, attachments);
                let mut lingering = Lingering::new(&shared, &reason, lost, transport, (writer, reader, buffers));
                if is_out_of_memory {
                    lingering.shorten();
                }
                Ok(lingering)
            }
            false => {
                // Dropped before the tasks that go on after the end, which may take long.
                drop_caught((transport, writer, reader, bytes, attachments, buffers));
                Err(lost)
            }
        };
        if is_away && matches!(reason, CloseReason::Closed) {
            // Nothing reads what the peer sends over the next transport.
            warn_cut_short(&shared.events);
        }
        let mut ending = Ending::new(shared, lingering, responders);
        let reason = poll_fn(|cx| ending.poll(cx)).await;
        drop((ending, guard));
        reason
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.guard.0
    }

    /// One turn: reads and handles once, then looks at the state, under the lock once, and writes the bytes taken.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let has_read = self.read(cx);
        if self.writer.has_rest() {
            self.write(cx);
        }
        let mut is_first = true;
        loop {
            let found = self.look(has_read, std::mem::take(&mut is_first), cx);
            self.reader.hand_over();
            wake(self.woken.drain(..));
            if let Err(reason) = self.reader.check(found.unknown) {
                self.end(reason);
                continue;
            }
            if found.is_overdue && !found.is_over {
                self.end(CloseReason::NotAnswering { limit: MAX_OVERDUE });
                continue;
            }
            let was_idle = self.writer.is_idle();
            if !found.stalled {
                self.write(cx);
            }
            if found.is_over {
                return Poll::Ready(self.shared().over().unwrap_or(CloseReason::DriverDropped));
            }
            if found.step != Step::Nothing && self.take_step(found.step, cx) {
                continue;
            }
            let is_idle = self.writer.is_idle();
            let limit = self.note_waits(found.handshake, !is_idle);
            let alarm = match (found.alarm, limit) {
                (Some(alarm), Some(limit)) => Some(alarm.min(limit)),
                (alarm, limit) => alarm.or(limit),
            };
            let is_due = alarm.is_some_and(|at| self.alarm.poll(at, cx).is_ready());
            if is_due && limit.is_some() {
                self.check_limits();
            }
            // The bytes that closing waits for may have been written now.
            let may_end = found.closes && is_idle && (found.taken || !was_idle);
            if !(is_due || may_end) {
                if found.comes_back {
                    self.turns.again(cx);
                } else {
                    self.turns.pause();
                    self.give_back();
                }
                return Poll::Pending;
            }
        }
    }

    /// Reads and handles once. Returns whether there may be more.
    fn read(&mut self, cx: &mut Context<'_>) -> bool {
        self.reader.begin_turn();
        self.writer.begin_turn();
        if !(self.responders.is_empty() || self.reader.is_open()) {
            return false;
        }
        let Poll::Ready(permit) = self.busy.poll(self.guard.0.decoders.turns(), cx) else { return false };
        self.responders.poll(cx);
        let polled = self.reader.poll(&mut self.transport, &mut self.responders, cx);
        let has_read = matches!(polled, Poll::Ready(Ok(())));
        match polled {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(reason)) => self.end_reading(reason),
            // Responders that have begun in this turn must wake the driver when they finish.
            Poll::Pending => self.responders.poll(cx),
        }
        self.busy.has_read(self.reader.has_more());
        drop(permit);
        has_read
    }

    /// Looks at the connection's state: everything that a turn does under the lock.
    fn look(&mut self, has_read: bool, is_first: bool, cx: &mut Context<'_>) -> Found {
        let Self { reader, writer, responders, woken, buffers, outbound, busy, guard: EndGuard(shared), .. } = self;
        if !writer.has_rest() {
            writer.clear();
        }
        let mut state = shared.lock();
        let unknown = reader.deliver(&mut state, woken);
        state.greet_if_due();
        if is_first {
            // Promises of the previous turn were used or will not be.
            state.sending().forget_promises();
        }
        let (mut taken, mut room_is_waited_for) = (false, false);
        if writer.broken().is_some() {
            // They are dropped once the lock is free.
            writer.attach(state.discard_outbound());
        } else if !writer.has_rest() {
            taken = writer.take(&mut state, woken);
            room_is_waited_for = state.sending().is_room_waited_for();
        }
        shared.inbound.publish(&mut state);
        let comes_back = has_read || room_is_waited_for || (responders.has_work() && !busy.waits());
        let stalled = writer.broken().is_none() && writer.has_rest() && !taken;
        let driver = state.sleep(cx.waker(), comes_back || stalled);
        let (step, handshake) = match state.upgrade() {
            Upgrade::None if !reader.is_stopped() => (Step::Nothing, Handshake::None),
            upgrade => {
                let step = reader.follow(&mut state);
                let waits = matches!(upgrade, Upgrade::Asked { .. } | Upgrade::Agreed);
                let runs = if state.transport().is_at_barrier() { Handshake::Runs } else { Handshake::Begins };
                (step, if waits { runs } else { Handshake::None })
            }
        };
        let alarm = state.expire(now, woken);
        // A fault of the peer is the reason, even if its last answer completes what closing waits for.
        let is_idle =
            || unknown == 0 && !taken && writer.is_idle() && !reader.has_more() && shared.inbound.is_settled();
        let is_over = state.end_turn(is_idle, woken);
        let (closes, is_overdue) = (state.is_closing(), state.is_overdue());
        *outbound = state.sending().buffered();
        drop(state);
        buffers.fit(writer.buffered() + reader.buffered());
        // It may hold the last handle, whose drop takes the lock.
        drop(driver);
        Found { is_over, closes, taken, unknown, alarm, comes_back, stalled, step, handshake, is_overdue }
    }

    /// Advances the replacement of the transport. Returns whether to look at the state again.
    #[cold]
    fn take_step(&mut self, step: Step, cx: &mut Context<'_>) -> bool {
        match step {
            Step::Nothing => return false,
            Step::Resume => {
                cx.waker().wake_by_ref();
                return false;
            }
            Step::Refuse => {
                self.end(CloseReason::UnknownAnswer);
                return true;
            }
            Step::Replace => {}
        }
        if self.replacing.is_none() && self.writer.is_idle() && self.writer.broken().is_none() {
            let Some(transport) = self.transport.take() else { return false };
            let previous = PreviousTransport::new(self.reader.take_leftover(), transport);
            self.replacing = Some(self.shared().replacement.run(previous));
        }
        let Some(replacing) = &mut self.replacing else { return false };
        let Poll::Ready(replaced) = poll_replacing(replacing, cx) else { return false };
        drop_caught(self.replacing.take());
        match replaced {
            Ok(transport) => {
                let carries = transport.carries();
                self.transport = Current::Replaced(transport);
                self.reader.restart();
                let mut state = self.shared().lock();
                state.transport().set_carries(carries);
                // This turn goes on, and the next one reads.
                let driver = state.transport().end();
                drop(state);
                drop(driver);
                cx.waker().wake_by_ref();
            }
            Err(error) => self.end(error.into()),
        }
        true
    }

    fn write(&mut self, cx: &mut Context<'_>) {
        if let Err(reason) = self.writer.poll(&mut self.transport, cx) {
            // Answers that have already arrived are still read.
            self.shared().write_failed(reason);
        }
    }

    /// Nothing more is read. Bytes that this turn still writes are taken before any waiter learns of the end: a caller that
    /// learns that its ask has not left may send it again.
    fn end_reading(&mut self, reason: CloseReason) {
        let Self { writer, woken, guard: EndGuard(shared), .. } = self;
        if !reason.lets_write() && writer.broken().is_none() && !writer.has_rest() {
            writer.clear();
            writer.take(&mut shared.lock(), woken);
        }
        self.end(reason);
    }

    fn end(&self, reason: CloseReason) {
        let reason = self.writer.broken().cloned().unwrap_or(reason);
        self.shared().end(reason);
    }
}
