use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::task::{AbortHandle, JoinSet};

use super::callback::respond;
use super::decoding::{Decoding, Responder, Start, is_large, locate, poll_once};
use super::extension::{Claims, Handler};
use super::halt::Halt;
use super::responding::Responding;
use super::shared::Shared;
use super::slow_polls::SlowPolls;
use super::waiting::Waiting;
use crate::panics::{Panic, caught, drop_caught};
use crate::proto::Intake;
use crate::responder::Ask;
use crate::settings::Settings;
use crate::wire::RawBox;

/// The responders of one connection: those that run, and the asks that wait for their turn.
///
/// An ask that wants an answer ends with the connection: its caller has left. An ask that wants none has been accepted, and runs
/// to its end.
pub(super) struct Responders {
    shared: Arc<Shared>,
    claims: Claims,
    /// Whether the locator may keep whole asks: it receives them in memory of their own.
    keeps_asks: bool,
    /// Those that end with the connection.
    running: JoinSet<()>,
    /// Those that go on after it although a caller waited: of commands that are detached.
    detached: JoinSet<()>,
    /// Those that go on after it because no caller waits.
    notifications: JoinSet<()>,
    waiting: Waiting,
    decoding: Option<Decoding>,
    slow_polls: SlowPolls,
}

impl Responders {
    pub(super) fn new(shared: Arc<Shared>, claims: Claims) -> Self {
        Self {
            keeps_asks: shared.locator.keeps_asks(),
            shared,
            claims,
            running: JoinSet::new(),
            detached: JoinSet::new(),
            notifications: JoinSet::new(),
            waiting: Waiting::default(),
            decoding: None,
            slow_polls: SlowPolls::default(),
        }
    }

    /// Answers an ask: at once if its responder is ready at its first poll, else concurrently. While much waits for the peer to
    /// read, the ask waits, in the order of arrival: reading continues, and memory is bounded by what the asks hold.
    ///
    /// # Errors
    /// If so many notifications wait that the connection ends: each was promised to run. If nothing is read behind the ask.
    pub(super) fn answer(&mut self, mut ask: Ask) -> Result<(), Halt> {
        if !self.claims.is_empty() {
            // A greeting that is marked is the library's own.
            if self.claims.sees_keys() && !(ask.is_marked() && ask.is_own()) && !self.is_behind_end() {
                self.claims.see_ask(&ask);
            }
            if let Some((handler, command, starts_task)) = self.claims.find(ask.command()) {
                self.shared.inbound.workload().add_handled(starts_task);
                return self.hand_over(handler, command, ask);
            }
        }
        let (inbound, intake) = (&self.shared.inbound, self.shared.inbound.intake());
        let (wants_answer, started, waiting) = (ask.wants_answer(), self.started(), self.waiting.len());
        if intake != Intake::Open && (wants_answer || intake == Intake::Aborted) {
            refuse(ask, intake);
        } else if wants_answer && (started + waiting >= self.shared.settings.max_responders || inbound.refuses()) {
            ask.refuse_busy();
        } else if !wants_answer && let Err(reason) = inbound.check_notifications() {
            ask.discard();
            return Err(reason.into());
        } else {
            if self.shared.noted().is_some() {
                ask.note();
            }
            if waiting == 0 && self.may_start(wants_answer, started) {
                self.start(ask);
            } else {
                self.waiting.push(ask);
            }
        }
        Ok(())
    }

    /// Drops waiting asks that an extension has cancelled: the drop answers them.
    fn drop_cancelled(&mut self) {
        if let Some(noted) = self.shared.noted()
            && noted.take_cancelled()
        {
            let is_cancelled = |ask: &Ask| ask.noted().is_some_and(|(tag, number)| noted.is_cancelled(tag, number));
            drop(self.waiting.take_cancelled(is_cancelled));
        }
    }

    /// Shows a reply to the extensions that see keys.
    #[inline]
    pub(super) fn see_reply(&self, reply: &RawBox) {
        if self.claims.sees_keys() && !self.is_behind_end() {
            self.claims.see_reply(reply, self.shared.settings.boxes);
        }
    }

    /// Whether boxes that arrive now are neither shown to extensions nor handled by them. Closing has waited for extensions. They
    /// were notified of the end, and an abort lets nothing begin.
    fn is_behind_end(&self) -> bool {
        matches!(self.shared.inbound.intake(), Intake::Ended | Intake::Aborted)
    }

    /// Passes an ask to the extension that claims its command.
    #[inline(never)]
    fn hand_over(&self, handler: &dyn Handler, command: usize, mut ask: Ask) -> Result<(), Halt> {
        if self.is_behind_end() {
            ask.discard();
            return Ok(());
        }
        if ask.is_marked() {
            ask.give_credit();
        }
        // A panic drops the ask, and a dropped ask is answered with an error: it costs no other.
        let handled = caught(AssertUnwindSafe(|| respond(self.shared.identity(), || handler.handle(command, ask))));
        if let Err(panic) = handled {
            self.shared.tell_panic(&panic);
        }
        if self.shared.inbound.takes_stop() { Err(Halt::Stopped) } else { Ok(()) }
    }

    /// Asks of one turn of the reader follow.
    #[inline]
    pub(super) fn begin_turn(&mut self) {
        self.slow_polls.begin_turn();
    }

    /// Removes finished responders and starts asks that waited for them.
    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        if !self.is_empty() {
            self.poll_all(cx);
        }
    }

    #[inline(never)]
    fn poll_all(&mut self, cx: &mut Context<'_>) {
        self.reap(cx);
        self.drop_cancelled();
        loop {
            self.poll_decoding(cx);
            // A responder may have just closed or aborted.
            match self.shared.inbound.intake() {
                Intake::Open | Intake::Ended => {}
                Intake::Draining => self.waiting.take_calls().for_each(|ask| refuse(ask, Intake::Draining)),
                Intake::Aborted => break,
            }
            if self.shared.inbound.workload().is_enough() {
                // The next turn goes on.
                break;
            }
            let started = self.started();
            let (calls, notifications) = (self.may_start(true, started), self.may_start(false, started));
            let Some(ask) = self.waiting.next(calls, notifications) else { break };
            if ask.wants_answer() && self.shared.inbound.has_large_futures() {
                // There was room when it arrived: earlier asks have begun since.
                ask.refuse_busy();
            } else {
                self.start(ask);
            }
        }
        // An empty set stored no waker above: tasks spawned since need one.
        self.reap(cx);
    }

    /// The connection is over: asks that want an answer have no caller any more.
    pub(super) fn stop_answering(&mut self) {
        self.running = JoinSet::new();
        drop(self.waiting.take_calls());
        if let Some(Decoding { start, .. }) = &mut self.decoding {
            start.is_left = true;
        }
    }

    /// Drops all that run or wait. Returns how many there were.
    pub(super) fn cut(&mut self) -> usize {
        let cut = self.len();
        for tasks in [&mut self.running, &mut self.detached, &mut self.notifications] {
            *tasks = JoinSet::new();
        }
        self.waiting = Waiting::default();
        self.decoding = None;
        cut
    }

    /// Continues with responders that run when the connection is over. Ready when none does.
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.inbound.workload().begin_turn();
        self.poll(cx);
        if self.is_empty() {
            return Poll::Ready(());
        }
        if self.has_work() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Whether another look would start waiting asks.
    #[inline]
    pub(super) fn has_work(&self) -> bool {
        !self.waiting.is_empty() && self.may_start_next()
    }

    fn may_start_next(&self) -> bool {
        let started = self.started();
        self.waiting.has_next(self.may_start(true, started), self.may_start(false, started))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Releases buffers that have grown while many asks waited.
    pub(super) fn give_back(&mut self) {
        self.waiting.give_back();
    }

    /// How many run or wait.
    pub(super) fn len(&self) -> usize {
        self.started() + self.waiting.len()
    }

    fn started(&self) -> usize {
        self.running.len() + self.detached.len() + self.notifications.len() + usize::from(self.decoding.is_some())
    }

    /// Whether an ask that wants an answer, or a notification, may start while `started` others have. A notification gives credit
    /// for more when it starts, and so waits while much memory is held; one at a time may run in any case, because any other
    /// responder may wait for it.
    fn may_start(&self, wants_answer: bool, started: usize) -> bool {
        let Settings { in_order, max_responders, .. } = self.shared.settings;
        let may = started == 0
            || (!in_order
                && ((started < max_responders && (wants_answer || !self.shared.inbound.refuses()))
                    || (!wants_answer && self.notifications.is_empty())));
        may && !self.shared.inbound.is_congested() && self.decoding.is_none()
    }

    fn reap(&mut self, cx: &mut Context<'_>) {
        for tasks in [&mut self.running, &mut self.detached, &mut self.notifications] {
            while let Poll::Ready(Some(ended)) = tasks.poll_join_next(cx) {
                // A task that panicked has answered when it dropped its ask.
                if let Err(error) = ended
                    && let Ok(payload) = error.try_into_panic()
                {
                    self.shared.tell_panic(&Panic::of(payload));
                }
            }
        }
    }

    /// Polls the responder once on the reader, so that responders begin in the order of their asks.
    fn start(&mut self, mut ask: Ask) {
        if self.slow_polls.is_on() {
            return self.start_timed(ask);
        }
        if ask.is_marked() {
            ask.give_credit();
            if ask.is_own() {
                return ask.discard();
            }
        }
        if self.keeps_asks {
            ask = ask.detached();
        }
        let noted = ask.noted().map(|(tag, number)| (Box::<[u8]>::from(tag), number));
        let start = Start { noted, wants_answer: ask.wants_answer(), is_left: false };
        if is_large(&ask) {
            self.decoding = Some(Decoding::large(&self.shared, ask.detached(), start));
            return;
        }
        ask.set_quick();
        let (shared, mut heavy) = (&self.shared, None);
        // A panic drops the ask, and a dropped ask is answered with an error: nothing else is left half done.
        let begin = || match locate(&*shared.locator, ask) {
            Ok(located) => located.and_then(poll_once),
            Err(ask) => {
                heavy = Some(ask);
                None
            }
        };
        let begun = self.untorn(|| respond(shared.identity(), begin));
        if let Some(ask) = heavy {
            self.decoding = Some(Decoding::heavy(&self.shared, ask.detached(), start));
            return;
        }
        if begun.is_some() || start.noted.is_some() {
            self.go_on(begun, start);
        }
    }

    /// A separate function that calls [`start`](Self::start), so that the hot path is compiled once.
    #[cold]
    fn start_timed(&mut self, ask: Ask) {
        let timed = self.slow_polls.begin(&self.shared, &ask);
        self.start(ask);
        self.slow_polls.end(timed, &self.shared);
    }

    /// Begins the responder of the large ask once that is decoded.
    fn poll_decoding(&mut self, cx: &mut Context<'_>) {
        let Some(decoding) = &mut self.decoding else { return };
        let Poll::Ready(located) = decoding.poll(cx) else { return };
        if let Some(Decoding { start, .. }) = self.decoding.take() {
            self.begin_decoded(located, start);
        }
    }

    #[cold]
    fn begin_decoded(&mut self, located: Option<Responder>, start: Start) {
        let is_cancelled = match (&start.noted, self.shared.noted()) {
            (Some((tag, number)), Some(noted)) => noted.is_cancelled(tag, *number),
            _ => false,
        };
        let begins = |is_detached: bool| {
            let has_left = start.wants_answer && start.is_left && !is_detached;
            !has_left && !is_cancelled && self.shared.inbound.intake() != Intake::Aborted
        };
        let begin = match located {
            Some(responder) if begins(responder.1) => Some(move || poll_once(responder)),
            dropped => {
                drop_caught(dropped);
                None
            }
        };
        let begun = begin.and_then(|begin| self.untorn(|| respond(self.shared.identity(), begin)));
        self.go_on(begun, start);
    }

    /// Returns the result of `begin`, or `None` if it panics.
    #[inline]
    fn untorn(&self, begin: impl FnOnce() -> Option<Responder>) -> Option<Responder> {
        caught(AssertUnwindSafe(begin)).unwrap_or_else(|panic| {
            self.shared.tell_panic(&panic);
            None
        })
    }

    /// Continues as a task with a responder that was polled once, if it was not ready.
    fn go_on(&mut self, begun: Option<Responder>, Start { noted, wants_answer, .. }: Start) {
        let task = begun.map(|(responding, is_detached)| {
            self.shared.inbound.workload().add_spawned();
            let tasks = match (wants_answer, is_detached) {
                (false, _) => &mut self.notifications,
                (true, true) => &mut self.detached,
                (true, false) => &mut self.running,
            };
            tasks.spawn(Responding::new(&self.shared, responding))
        });
        if let Some((tag, number)) = noted {
            self.note_task(&tag, number, task);
        }
    }

    /// Lets extensions find the task of a noted ask. An ask that is answered, or that its locator keeps, has no responder that
    /// could be dropped.
    #[cold]
    fn note_task(&self, tag: &[u8], number: u32, task: Option<AbortHandle>) {
        let Some(asks) = self.shared.noted() else { return };
        match task {
            Some(task) => asks.runs(tag, number, task),
            None => {
                asks.forget(tag, number);
            }
        }
    }
}

/// Settles an ask that may not begin any more.
#[cold]
fn refuse(ask: Ask, intake: Intake) {
    if intake == Intake::Draining { ask.refuse_draining() } else { ask.discard() }
}
