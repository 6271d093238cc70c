use std::any::{Any, TypeId};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::sync::watch;

use super::receiver::Switch;
use super::state::{Phase, State};
use super::states::States;
use super::{Connection, after, now};
use crate::boxes::{BoxSender, SendBoxError};
use crate::locator::Locator;
use crate::peer::Peer;
use crate::reason::CloseReason;
use crate::responder::Answering;
use crate::settings::Settings;
use crate::wire::AmpBox;

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
    /// The reason, once the transport is closed.
    pub(super) ended: watch::Sender<Option<CloseReason>>,
    handles: AtomicUsize,
    /// Bytes of asks that have no answer.
    held: AtomicUsize,
    /// Asks that have no answer, wherever they are.
    asks: AtomicUsize,
    /// Whether a settled ask may be what closing waits for.
    closing: AtomicBool,
    complained: AtomicBool,
    /// Whether so much waits to be written that no more responders should start. Set under the lock, and looked at for every
    /// ask without it.
    congested: AtomicBool,
}

impl Shared {
    pub(super) fn new(settings: Settings, peer: Peer, locator: Arc<dyn Locator>, states: States) -> Self {
        Self {
            state: Mutex::new(State::new()),
            switch: Switch::default(),
            ended: watch::Sender::new(None),
            handles: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            asks: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            complained: AtomicBool::new(false),
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

    /// Appends to the outbound buffer and sees to it that it is written.
    fn write(&self, append: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.lock();
        if state.sealed {
            return tracing::debug!(peer = %self.peer, "an answer came after the connection had ended");
        }
        append(&mut state.outbound);
        let limit = self.settings.most_outbound;
        if state.outbound.len() > limit {
            state.outbound = Vec::new();
            self.end_locked(state, CloseReason::NotReading { limit });
        } else {
            self.appended(state, false);
        }
    }

    /// Something was appended to the outbound buffer: the driver writes it. It is woken in any case if it is to look at its
    /// `alarm`.
    #[inline]
    pub(super) fn appended(&self, state: MutexGuard<'_, State>, alarm: bool) {
        if !state.has_room(&self.settings) {
            self.congested.store(true, Ordering::Relaxed);
        }
        self.wake_driver(state, alarm);
    }

    /// Lets the lock go and wakes the driver, unless it is awake already and not `always` wanted.
    #[inline]
    pub(super) fn wake_driver(&self, state: MutexGuard<'_, State>, always: bool) {
        if always || !state.driver_awake {
            wake(state);
        }
    }

    /// The driver begins a turn, at whose end it looks at the outbound buffer. Whether there is still something to read for.
    pub(super) fn begin_turn(&self) -> bool {
        let mut state = self.lock();
        state.driver_awake = true;
        !state.is_over()
    }

    /// Gives the driver what is to be written in exchange for an empty buffer, and wakes those who waited for the room.
    /// When there is nothing, the driver sleeps until somebody writes.
    pub(super) fn take_outbound(&self, empty: &mut Vec<u8>, driver: &Waker) -> bool {
        let mut state = self.lock();
        let taken = !state.outbound.is_empty();
        let mut call = None;
        if taken {
            std::mem::swap(&mut state.outbound, empty);
            self.congested.store(false, Ordering::Relaxed);
            call = state.next_call(&self.settings);
        } else {
            state.driver.clone_from(driver);
            state.driver_awake = false;
        }
        let waited_for = state.is_waited_for();
        drop(state);
        call.into_iter().for_each(Waker::wake);
        if waited_for && self.make_way() {
            driver.wake_by_ref();
        }
        taken
    }

    /// Calls those who wait for room, in their order, as long as there is some. Whether there is still when it stops.
    ///
    /// Some add to the buffer where they are woken, and then the room says when to stop. Tasks come later: of them so
    /// many are called as fit if each brings a sixteenth of the mark, and the driver's next turn calls more.
    fn make_way(&self) -> bool {
        const MOST_ABSENT: usize = 16;
        let (mut absent, mut length) = (0, usize::MAX);
        loop {
            let mut state = self.lock();
            absent += usize::from(state.outbound.len() == length);
            length = state.outbound.len();
            if absent == MOST_ABSENT {
                return state.is_waited_for();
            }
            let Some(next) = state.call_next(&self.settings) else { return false };
            drop(state);
            next.wake();
        }
    }

    /// Whether so much waits to be written that no more responders should start.
    pub(super) fn is_congested(&self) -> bool {
        self.congested.load(Ordering::Relaxed)
    }

    /// Whether the asks that have no answer hold more than they may.
    pub(super) fn is_full(&self) -> bool {
        self.held.load(Ordering::Relaxed) > self.settings.most_inbound
    }

    /// Begins to close: no new calls, the old ones may still be answered.
    pub(super) fn close(&self) {
        let state = self.lock();
        if matches!(state.phase, Phase::Open) {
            self.begin_to_close(state, after(self.settings.close_timeout), CloseReason::Closed);
        }
    }

    /// Writing has failed. Answers that have already come may still be read.
    pub(super) fn writing_failed(&self, reason: CloseReason) {
        let mut state = self.lock();
        if !state.is_over() {
            state.outbound = Vec::new();
            self.congested.store(false, Ordering::Relaxed);
            self.begin_to_close(state, after(self.settings.linger), reason);
        }
    }

    fn begin_to_close(&self, mut state: MutexGuard<'_, State>, until: Instant, reason: CloseReason) {
        state.phase = Phase::Closing(until, reason);
        self.closing.store(true, Ordering::SeqCst);
        let waiting = state.let_go();
        self.wake_driver(state, true);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn end_locked(&self, mut state: MutexGuard<'_, State>, reason: CloseReason) {
        if state.is_over() {
            return;
        }
        state.phase = Phase::Over(reason);
        let mut waiting = state.let_go();
        state.dispatcher.close(|waker| waiting.push(waker));
        self.wake_driver(state, true);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Takes what is still to be written, and lets nothing more be appended.
    pub(super) fn seal(&self) -> Vec<u8> {
        let mut state = self.lock();
        state.sealed = true;
        std::mem::take(&mut state.outbound)
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
            state.alarm = state.dispatcher.expire(now(), |waker| woken.push(waker));
        }
        match state.phase {
            Phase::Open => state.alarm,
            Phase::Closing(until, _) => Some(state.alarm.map_or(until, |alarm| alarm.min(until))),
            Phase::Over(_) => None,
        }
    }

    /// Waits until callers may add to the outbound buffer, or learn that they no longer may.
    pub(super) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.has_room(&self.settings) || state.refusal().is_some() {
            return Poll::Ready(());
        }
        state.others.wait(cx.waker());
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

/// Once for many boxes.
#[cold]
fn wake(mut state: MutexGuard<'_, State>) {
    state.driver_awake = true;
    let driver = state.driver.clone();
    drop(state);
    driver.wake();
}

impl Answering for Shared {
    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn peer(&self) -> &Peer {
        &self.peer
    }

    fn append(&self, put: &mut dyn FnMut(&mut Vec<u8>)) {
        self.write(put);
    }

    /// The first reason stays; everybody who waits learns it.
    fn end(&self, reason: CloseReason) {
        self.end_locked(self.lock(), reason);
    }

    fn is_over(&self) -> bool {
        self.lock().is_over()
    }

    fn hold(&self, bytes: usize) {
        self.asks.fetch_add(1, Ordering::SeqCst);
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    fn release(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn settle(&self) {
        let last = self.asks.fetch_sub(1, Ordering::SeqCst) == 1;
        // Closing says so before it looks at the asks, and this looks the other way round: one of them sees the other.
        if last && self.closing.load(Ordering::SeqCst) {
            self.wake_driver(self.lock(), true);
        }
    }

    fn is_first_complaint(&self) -> bool {
        !self.complained.swap(true, Ordering::Relaxed)
    }

    fn provide(self: Arc<Self>, wanted: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        if wanted == TypeId::of::<Connection>() {
            Some(Arc::new(Connection::of(&self)))
        } else if wanted == TypeId::of::<Peer>() {
            Some(Arc::new(self.peer.clone()))
        } else if wanted == TypeId::of::<Arc<dyn Locator>>() {
            Some(Arc::new(Arc::clone(&self.locator)))
        } else if wanted == TypeId::of::<Arc<dyn BoxSender>>() {
            let sender: Arc<dyn BoxSender> = Arc::new(Connection::of(&self));
            Some(Arc::new(sender))
        } else {
            self.states().value(wanted)
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("peer", &self.peer).finish_non_exhaustive()
    }
}
