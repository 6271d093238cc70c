use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::sync::{Semaphore, watch};

use super::receiver::Switch;
use super::states::States;
use super::{CloseReason, Peer, Settings};
use crate::boxes::SendBoxError;
use crate::dispatcher::Dispatcher;
use crate::locator::Locator;
use crate::wire::AmpBox;

/// What the handles of a connection and its driver share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) peer: Peer,
    pub(crate) locator: Arc<dyn Locator>,
    /// The user's own values; what a responder sets is seen by later calls.
    states: Mutex<States>,
    /// The connection's one lock. Never held across an await, and never while a waker runs.
    state: Mutex<State>,
    /// Places for calls that are out.
    pub(super) places: Arc<Semaphore>,
    /// A box receiver in the place of the dispatcher and the locator.
    pub(super) switch: Switch,
    /// The reason, once the transport is closed.
    pub(super) ended: watch::Sender<Option<CloseReason>>,
    handles: AtomicUsize,
}

/// What the lock guards.
#[derive(Debug)]
pub(super) struct State {
    pub(super) dispatcher: Dispatcher<Waker>,
    /// Whole boxes, waiting to be written.
    pub(super) outbound: Vec<u8>,
    pub(super) phase: Phase,
    /// When the driver's alarm goes off.
    pub(super) alarm: Option<Instant>,
    /// Who waits for room in the outbound buffer.
    waiting: Vec<Waker>,
    driver: Waker,
    /// The driver was woken, or it is about to look at the outbound buffer anyway.
    driver_awake: bool,
}

/// How far a connection has come.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Calls go out.
    Open,
    /// No new calls; until this instant, answers to the old ones may arrive.
    Closing(Instant),
    /// Nothing is received any more; what is written may still go out.
    Over(CloseReason),
}

impl Shared {
    pub(super) fn new(settings: Settings, peer: Peer, locator: Arc<dyn Locator>, states: States) -> Self {
        let state = State {
            dispatcher: Dispatcher::new(),
            outbound: Vec::new(),
            phase: Phase::Open,
            alarm: None,
            waiting: Vec::new(),
            driver: Waker::noop().clone(),
            driver_awake: false,
        };
        Self {
            state: Mutex::new(state),
            places: Arc::new(Semaphore::new(settings.most_calls.min(Semaphore::MAX_PERMITS))),
            switch: Switch::default(),
            ended: watch::Sender::new(None),
            handles: AtomicUsize::new(0),
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

    pub(crate) fn states(&self) -> MutexGuard<'_, States> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends to the outbound buffer and sees to it that it is written.
    pub(crate) fn write<R>(&self, append: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let mut state = self.lock();
        let result = append(&mut state.outbound);
        let limit = self.settings.most_outbound;
        if state.outbound.len() > limit {
            state.outbound = Vec::new();
            self.end_locked(state, CloseReason::NotReading { limit });
        } else {
            self.wake_driver(state, false);
        }
        result
    }

    /// Lets the lock go and wakes the driver, unless it is awake already and not `always` wanted.
    pub(super) fn wake_driver(&self, mut state: MutexGuard<'_, State>, always: bool) {
        if always || !state.driver_awake {
            state.driver_awake = true;
            let driver = state.driver.clone();
            drop(state);
            driver.wake();
        }
    }

    /// The driver says that it will look at the outbound buffer before it sleeps.
    pub(super) fn driver_is_awake(&self) {
        self.lock().driver_awake = true;
    }

    /// Gives the driver what is to be written in exchange for an empty buffer. When there is nothing, the driver
    /// sleeps until somebody writes.
    pub(super) fn take_outbound(&self, empty: &mut Vec<u8>, driver: &Waker) -> bool {
        let mut state = self.lock();
        if state.outbound.is_empty() {
            state.driver.clone_from(driver);
            state.driver_awake = false;
            return false;
        }
        std::mem::swap(&mut state.outbound, empty);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
        true
    }

    /// Begins to close: no new calls, the old ones may still be answered.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Open) {
            state.phase = Phase::Closing(super::after(self.settings.close_timeout));
            let waiting = std::mem::take(&mut state.waiting);
            self.wake_driver(state, true);
            self.places.close();
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    /// Ends the connection. The first reason stays; everybody who waits learns it.
    pub(crate) fn end(&self, reason: CloseReason) {
        self.end_locked(self.lock(), reason);
    }

    fn end_locked(&self, mut state: MutexGuard<'_, State>, reason: CloseReason) {
        if matches!(state.phase, Phase::Over(_)) {
            return;
        }
        state.phase = Phase::Over(reason);
        let mut waiting = std::mem::take(&mut state.waiting);
        state.dispatcher.close(|waker| waiting.push(waker));
        self.wake_driver(state, true);
        self.places.close();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The reason, once the connection is over.
    pub(super) fn over(&self) -> Option<CloseReason> {
        match &self.lock().phase {
            Phase::Over(reason) => Some(reason.clone()),
            Phase::Open | Phase::Closing(_) => None,
        }
    }

    /// The reason, if there is nothing left to do: the connection is over, or it closes and all is `idle` and answered.
    pub(super) fn finished(&self, idle: bool) -> Option<CloseReason> {
        let state = self.lock();
        match &state.phase {
            Phase::Over(reason) => Some(reason.clone()),
            Phase::Closing(_) if idle && state.outbound.is_empty() && !state.dispatcher.is_awaited() => {
                self.end_locked(state, CloseReason::Closed);
                self.over()
            }
            Phase::Open | Phase::Closing(_) => None,
        }
    }

    /// Ends what is due: the patience of calls, and the time for closing. Says when to look again.
    pub(super) fn ring(&self, woken: &mut Vec<Waker>, driver: &Waker) -> Option<Instant> {
        let mut state = self.lock();
        state.driver.clone_from(driver);
        if let Phase::Closing(until) = state.phase
            && until <= super::now()
        {
            self.end_locked(state, CloseReason::Closed);
            return None;
        }
        if state.alarm.is_some_and(|alarm| alarm <= super::now()) {
            state.alarm = state.dispatcher.expire(super::now(), |waker| woken.push(waker));
        }
        match state.phase {
            Phase::Open => state.alarm,
            Phase::Closing(until) => Some(state.alarm.map_or(until, |alarm| alarm.min(until))),
            Phase::Over(_) => None,
        }
    }

    /// Waits until callers may add to the outbound buffer, or learn that they no longer may.
    pub(super) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.outbound.len() < self.settings.outbound_mark || state.refusal().is_some() {
            return Poll::Ready(());
        }
        if !state.waiting.last().is_some_and(|last| last.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Appends a box that has no type.
    pub(super) fn send_box(&self, sent: &AmpBox) -> Result<(), SendBoxError> {
        let limit = self.settings.boxes.bytes;
        match sent.encoded_len() {
            _ if sent.is_empty() => return Err(SendBoxError::Empty),
            length if length > limit => return Err(SendBoxError::TooLong { limit }),
            _ => {}
        }
        if let Some(reason) = self.over() {
            return Err(SendBoxError::Closed(reason));
        }
        self.write(|buffer| sent.encode(buffer));
        Ok(())
    }

    pub(super) fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
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

impl State {
    /// Why no more calls go out, if so.
    pub(super) fn refusal(&self) -> Option<CloseReason> {
        match &self.phase {
            Phase::Open => None,
            Phase::Closing(_) => Some(CloseReason::Closed),
            Phase::Over(reason) => Some(reason.clone()),
        }
    }
}
