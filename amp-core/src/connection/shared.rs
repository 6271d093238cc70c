use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::callback::Unanswered;
use super::credit::most_held;
use super::receiver::Switch;
use super::state::{Phase, State};
use super::states::States;
use super::{after, now};
use crate::locator::Locator;
use crate::peer::Peer;
use crate::reason::CloseReason;
use crate::responder::Ask;
use crate::settings::Settings;

/// What may still begin at an end. Whatever else ends a connection lets begin what came in the same read (`wire.md` line 32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    /// It closes in order: nothing that somebody waits for.
    Draining,
    /// Nothing.
    Aborted,
}

impl Stage {
    /// Settles an ask that may not begin any more.
    #[cold]
    pub(super) fn refuse(self, ask: Ask) {
        if self == Self::Aborted { ask.discard() } else { ask.refuse_draining() }
    }
}

const OPEN: u8 = 0;
const DRAINING: u8 = 1;
const ABORTED: u8 = 2;

/// How far the end of a connection has come.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Why it ended, once its transport is closed.
    pub(super) reason: Option<CloseReason>,
    /// No responder runs any more.
    pub(super) finished: bool,
}

/// What the handles of a connection and its driver share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) peer: Peer,
    pub(super) locator: Arc<dyn Locator>,
    /// The user's own values; what a responder sets is seen by later calls.
    states: Mutex<States>,
    /// The connection's one lock. Never held across an await, and never while a waker runs.
    state: Mutex<State>,
    /// A box receiver in the place of the dispatcher and the locator.
    pub(super) switch: Switch,
    /// How far the end has come.
    pub(super) ended: watch::Sender<Ended>,
    /// The runtime that drives the connection, once it does.
    pub(super) runtime: OnceLock<Handle>,
    /// Asks whose handles make callbacks.
    pub(super) unanswered: Unanswered,
    handles: AtomicUsize,
    /// Bytes of asks that have no answer.
    pub(super) held: AtomicUsize,
    /// Asks that have no answer, wherever they are.
    pub(super) asks: AtomicUsize,
    /// Whether a settled ask may be what closing waits for.
    pub(super) closing: AtomicBool,
    pub(super) complained: AtomicBool,
    /// What may still begin here. Set under the lock, and looked at for every ask without it.
    stage: AtomicU8,
    /// Whether so much waits to be written that no more responders should start. Set under the lock, and looked at for every
    /// ask without it.
    pub(super) congested: AtomicBool,
}

impl Shared {
    pub(super) fn new(settings: Settings, peer: Peer, locator: Arc<dyn Locator>, states: States) -> Self {
        Self {
            state: Mutex::new(State::new(settings.announces())),
            switch: Switch::default(),
            ended: watch::Sender::default(),
            runtime: OnceLock::new(),
            unanswered: Unanswered::default(),
            handles: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            asks: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            complained: AtomicBool::new(false),
            stage: AtomicU8::new(OPEN),
            congested: AtomicBool::new(false),
            settings,
            peer,
            locator,
            states: Mutex::new(states),
        }
    }

    /// A panic of a user's `encode` poisons the lock and nothing else: the half box is rolled back.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn states(&self) -> MutexGuard<'_, States> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The driver begins a turn, at whose end it looks at the outbound buffer. Whether there is still something to read for.
    pub(super) fn begin_turn(&self) -> bool {
        let mut state = self.lock();
        state.driver_awake = true;
        state.promise_anew();
        !state.is_over()
    }

    /// Whether the asks that have no answer hold more than they may.
    pub(super) fn is_full(&self) -> bool {
        self.held.load(Ordering::Relaxed) > self.settings.most_inbound
    }

    /// Whether the notifications that wait, and all else that does, hold more than a peer may make this end hold.
    pub(super) fn check_notifications(&self) -> Result<(), CloseReason> {
        let limit = most_held(&self.settings);
        if self.held.load(Ordering::Relaxed) > limit {
            Err(CloseReason::TooManyNotifications { limit })
        } else {
            Ok(())
        }
    }

    /// What tells a connection from others, and is not 0.
    pub(super) fn identity(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// What may still begin here.
    #[inline]
    pub(super) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            OPEN => Stage::Open,
            DRAINING => Stage::Draining,
            _ => Stage::Aborted,
        }
    }

    /// Begins to close: no new calls, the old ones may still be answered.
    pub(super) fn close(&self) {
        let state = self.lock();
        if matches!(state.phase, Phase::Open) {
            self.stage.store(DRAINING, Ordering::Relaxed);
            self.begin_to_close(state, after(self.settings.close_timeout), CloseReason::Closed);
        }
    }

    /// Writing has failed. Answers that have already come may still be read.
    pub(super) fn writing_failed(&self, reason: CloseReason) {
        let mut state = self.lock();
        let until = after(self.settings.linger);
        match state.phase.clone() {
            Phase::Over(_) => {}
            Phase::Open => {
                state.discard();
                self.congested.store(false, Ordering::Relaxed);
                self.begin_to_close(state, until, reason);
            }
            // It closes already, in no more time than it had. What was accepted before is lost: nobody may take it for said.
            Phase::Closing(before, first) => {
                state.discard();
                self.congested.store(false, Ordering::Relaxed);
                let reason = if matches!(first, CloseReason::Closed) { reason } else { first };
                state.phase = Phase::Closing(before.min(until), reason);
                self.wake_driver(state, true);
            }
        }
    }

    fn begin_to_close(&self, mut state: MutexGuard<'_, State>, until: Instant, reason: CloseReason) {
        state.phase = Phase::Closing(until, reason);
        state.finish_by = Some(after(self.settings.close_timeout));
        self.closing.store(true, Ordering::SeqCst);
        let waiting = state.let_go();
        self.wake_driver(state, true);
        waiting.into_iter().for_each(Waker::wake);
    }

    pub(super) fn end_locked(&self, mut state: MutexGuard<'_, State>, reason: CloseReason) {
        if state.is_over() {
            return;
        }
        // With nothing to be written, all that was sent has left, or was thrown away.
        if reason.lets_write() && !state.outbound.is_empty() {
            state.taken();
        }
        state.finish_by.get_or_insert_with(|| after(self.settings.close_timeout));
        state.phase = Phase::Over(reason);
        let mut waiting = state.let_go();
        state.dispatcher.close(|waker| waiting.push(waker));
        self.wake_driver(state, true);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Ends the connection and what still runs, also when it is over already.
    pub(super) fn abort(&self) {
        let mut state = self.lock();
        state.finish_by = Some(now());
        self.stage.store(ABORTED, Ordering::Relaxed);
        if state.is_over() {
            self.wake_driver(state, true);
        } else {
            self.end_locked(state, CloseReason::Aborted);
        }
    }

    /// Until when responders may go on that finish although the connection is over. The driver is woken when that changes.
    pub(super) fn finish_by(&self, driver: &Waker) -> Instant {
        let mut state = self.lock();
        state.driver.clone_from(driver);
        state.finish_by.unwrap_or_else(now)
    }

    /// The reason, once the connection is over.
    pub(super) fn over(&self) -> Option<CloseReason> {
        match &self.lock().phase {
            Phase::Over(reason) => Some(reason.clone()),
            Phase::Open | Phase::Closing(..) => None,
        }
    }

    /// Ends a turn of the driver. The reason, if there is nothing left to do: the connection is over, or it closes and
    /// all is `idle` and answered.
    pub(super) fn end_turn(&self, idle: bool) -> Option<CloseReason> {
        let state = self.lock();
        match &state.phase {
            Phase::Over(reason) => Some(reason.clone()),
            Phase::Closing(_, reason)
                if idle
                    && state.outbound.is_empty()
                    && !state.dispatcher.is_awaited()
                    && self.asks.load(Ordering::SeqCst) == 0 =>
            {
                let reason = reason.clone();
                self.end_locked(state, reason.clone());
                Some(reason)
            }
            Phase::Open | Phase::Closing(..) => None,
        }
    }

    /// Ends what is due: the patience of calls, and the time for closing. Says when to look again.
    pub(super) fn ring(&self, woken: &mut Vec<Waker>, driver: &Waker) -> Option<Instant> {
        let mut state = self.lock();
        state.driver.clone_from(driver);
        if let Phase::Closing(until, reason) = &state.phase
            && *until <= now()
        {
            let reason = reason.clone();
            self.end_locked(state, reason);
            return None;
        }
        if state.alarm.is_some_and(|alarm| alarm <= now()) {
            state.expire(now(), woken);
        }
        match state.phase {
            Phase::Open => state.alarm,
            Phase::Closing(until, _) => Some(state.alarm.map_or(until, |alarm| alarm.min(until))),
            Phase::Over(_) => None,
        }
    }

    pub(super) fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// One more handle, unless there is none any more.
    pub(super) fn add_handle_to_others(&self) -> bool {
        let more = |handles| if handles == 0 { None } else { Some(handles + 1) };
        self.handles.fetch_update(Ordering::AcqRel, Ordering::Relaxed, more).is_ok()
    }

    /// One handle less; the last one closes the connection.
    pub(super) fn remove_handle(&self) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.close();
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("peer", &self.peer).finish_non_exhaustive()
    }
}
