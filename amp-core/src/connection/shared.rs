use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::sync::watch;

use super::asks_by_tag::AsksByTag;
use super::box_switch::Switch;
use super::callback::Unanswered;
use super::clock::{after, now};
use super::decoders::Decoders;
use super::inbound::Inbound;
use super::memory_holder::MemoryHolder;
use super::replacement::NextReplacement;
use super::states::States;
use crate::boxes::SendBoxError;
use crate::events::{EventKind, Events};
use crate::exposed::ContextRef;
use crate::locator::Locator;
use crate::memory::Account;
use crate::panics::{Panic, drop_caught};
use crate::peer::Peer;
use crate::proto::{Appended, ConnectionState, EndListener, LastBytes, Limits};
use crate::reason::CloseReason;
use crate::settings::Settings;
use crate::wire::{AmpBox, BoxLimits};

/// Progress of the end of a connection.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// Why it ended, once its transport is closed.
    pub(super) reason: Option<CloseReason>,
    /// No responder runs any more.
    pub(super) finished: bool,
}

/// The state that the handles of a connection and its driver share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) peer: Peer,
    pub(super) events: Events,
    pub(super) locator: Arc<dyn Locator>,
    /// The connection's one lock. Never held across an await, and never while a waker runs or is dropped.
    state: Mutex<ConnectionState<Waker>>,
    /// The part that every ask looks at without the lock.
    pub(super) inbound: Inbound,
    /// A box receiver in the place of the dispatcher and the locator.
    pub(super) switch: Switch,
    /// The next transport's constructor.
    pub(super) replacement: NextReplacement,
    /// Asks whose handles make callbacks.
    pub(super) unanswered: Unanswered,
    /// Asks by their tags, once an extension wants them.
    noted: OnceLock<Arc<AsksByTag>>,
    /// The user's own values; a value that a responder sets is seen by later calls.
    states: Mutex<States>,
    /// Progress of the end.
    pub(super) ended: watch::Sender<Ended>,
    /// Account of the memory that the connection holds.
    pub(super) account: Arc<Account>,
    /// Called when the connection holds too much.
    pub(super) holder: Arc<MemoryHolder>,
    pub(super) decoders: Decoders,
    handles: AtomicUsize,
}

impl Shared {
    pub(super) fn new(
        settings: Settings,
        peer: Peer,
        locator: Arc<dyn Locator>,
        states: States,
        (account, holder): (Arc<Account>, Arc<MemoryHolder>),
        (events, decoders): (Events, &Decoders),
    ) -> Self {
        let limits = Limits {
            boxes: settings.boxes,
            max_calls: settings.max_calls,
            outbound_high_water: settings.outbound_high_water,
            max_outbound: settings.max_outbound,
            announces: settings.announces(),
        };
        Self {
            state: Mutex::new(ConnectionState::new(limits, &account)),
            inbound: Inbound::new(&settings, &account),
            switch: Switch::default(),
            replacement: NextReplacement::default(),
            unanswered: Unanswered::default(),
            noted: OnceLock::new(),
            states: Mutex::new(states),
            ended: watch::Sender::default(),
            account,
            holder,
            decoders: decoders.clone(),
            handles: AtomicUsize::new(0),
            settings,
            events,
            peer,
            locator,
        }
    }

    /// A panic of a user's `encode` poisons the lock and has no other effect: the half box is rolled back.
    pub(super) fn lock(&self) -> MutexGuard<'_, ConnectionState<Waker>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn states(&self) -> MutexGuard<'_, States> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The asks by their tags, if an extension wants them.
    #[inline]
    pub(super) fn noted(&self) -> Option<&AsksByTag> {
        self.noted.get().map(|noted| &**noted)
    }

    /// From now on asks are noted by their tags.
    pub(super) fn note_asks(&self) -> &Arc<AsksByTag> {
        self.noted.get_or_init(Arc::default)
    }

    /// Sets a value of the user's own, and returns the previous one.
    pub(super) fn set_state<T: Send + Sync + 'static>(&self, value: Arc<T>) -> Option<Arc<T>> {
        let before = self.states().set(value);
        self.outlast_encoding(before)
    }

    pub(super) fn remove_state<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let before = self.states().remove();
        self.outlast_encoding(before)
    }

    /// A value that is being encoded may have a clone of the state, and must not drop the last one: the drop would run under the
    /// lock, and may lock the connection again. So this end's clone is kept until the lock is free.
    fn outlast_encoding<T>(&self, before: Option<T>) -> Option<T> {
        if before.is_some() {
            drop(self.lock());
        }
        before
    }

    /// Distinguishes a connection from others; never 0.
    pub(super) fn identity(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Releases the lock where the stage of the connection may have advanced, and wakes.
    pub(super) fn unlock(
        &self,
        mut state: MutexGuard<'_, ConnectionState<Waker>>,
        woken: impl IntoIterator<Item = Waker>,
    ) {
        self.inbound.publish(&mut state);
        drop(state);
        wake(woken);
    }

    /// A box was appended: releases the lock and wakes the driver, if it is to be woken.
    #[inline]
    pub(super) fn appended(&self, mut state: MutexGuard<'_, ConnectionState<Waker>>, driver: Option<Waker>) {
        if !state.sending().has_room() {
            self.inbound.publish(&mut state);
        }
        drop(state);
        wake(driver);
    }

    /// The driver must look at something besides the outbound buffer.
    #[cold]
    #[inline(never)]
    pub(super) fn wake_driver(&self) {
        let driver = self.lock().wake_driver();
        wake(driver);
    }

    /// Appends an answer and ensures that it is written.
    pub(super) fn append_answer(&self, put: impl FnOnce(&mut Vec<u8>, BoxLimits, ContextRef<'_>)) {
        let mut state = self.lock();
        let appended = state.append_answer(self.encoding(put), || self.finish_by());
        self.queued(state, appended);
    }

    /// Calls `put` with the parts of the connection that encoding needs: its limits, and its context.
    #[inline]
    pub(super) fn encoding<'a>(
        &'a self,
        put: impl FnOnce(&mut Vec<u8>, BoxLimits, ContextRef<'_>) + 'a,
    ) -> impl FnOnce(&mut Vec<u8>) + 'a {
        move |buffer| put(buffer, self.settings.boxes, ContextRef::new(&self.encoding_context()))
    }

    /// Appends a box that has no type.
    pub(super) fn send_box(&self, sent: &AmpBox) -> Result<(), SendBoxError> {
        let limit = self.settings.boxes.bytes;
        match sent.encoded_len() {
            _ if sent.is_empty() => return Err(SendBoxError::Empty),
            length if length > limit => return Err(SendBoxError::TooLong { limit }),
            _ => {}
        }
        let mut state = self.lock();
        let appended = state.append_untyped(|buffer| sent.encode(buffer), || self.finish_by());
        self.queued(state, appended.map_err(SendBoxError::Closed)?);
        Ok(())
    }

    #[inline(always)]
    fn queued(&self, state: MutexGuard<'_, ConnectionState<Waker>>, appended: Appended<Waker>) {
        match appended {
            Appended::Queued(driver) => self.appended(state, driver),
            refused => self.not_queued(state, refused),
        }
    }

    #[cold]
    fn not_queued(&self, state: MutexGuard<'_, ConnectionState<Waker>>, refused: Appended<Waker>) {
        match refused {
            Appended::Queued(driver) => self.unlock(state, driver),
            Appended::Sealed => {
                drop(state);
                self.events.tell(EventKind::LATE_ANSWER, |peer, omitted| {
                    tracing::debug!(%peer, omitted, "an answer came after the connection had ended");
                });
            }
            Appended::Overflowed(woken) => self.unlock(state, woken),
        }
    }

    /// Waits until boxes may be appended, or never again.
    pub(super) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        if self.lock().poll_room(cx.waker()) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Begins to close: no new calls; earlier calls may still be answered.
    pub(super) fn close(&self) {
        let until = self.finish_by();
        let mut state = self.lock();
        if let Some(woken) = state.close(CloseReason::Closed, until, until) {
            self.unlock(state, woken);
        }
    }

    /// Writing has failed. Answers that have already arrived may still be read.
    pub(super) fn write_failed(&self, reason: CloseReason) {
        let (until, finish_by) = (after(self.settings.linger), self.finish_by());
        let mut state = self.lock();
        if let Some((woken, discarded)) = state.write_failed(reason, until, finish_by) {
            self.unlock(state, woken);
            drop(discarded);
        }
    }

    /// Ends the connection. The first reason stays, and all waiters receive it.
    pub(super) fn end(&self, reason: CloseReason) {
        let mut state = self.lock();
        let woken = state.end(reason, self.finish_by());
        self.unlock(state, woken);
    }

    /// Ends the connection and its running responders, also when it is over already.
    pub(super) fn abort(&self) {
        let mut state = self.lock();
        let woken = state.abort(CloseReason::Aborted, now());
        self.unlock(state, woken);
    }

    /// Deadline of responders that go on although the connection is over. The driver is woken when it changes.
    pub(super) fn finishes_by(&self, driver: &Waker) -> Instant {
        let mut state = self.lock();
        let before = state.sleep(driver, true);
        let finish_by = state.finish_by();
        drop(state);
        drop(before);
        finish_by.unwrap_or_else(now)
    }

    /// The reason, once the connection is over.
    pub(super) fn over(&self) -> Option<CloseReason> {
        self.lock().over().cloned()
    }

    /// The transport is not replaced. Held bytes are written.
    pub(super) fn keep_transport(&self) {
        let replacement = self.replacement.take();
        let driver = self.lock().transport().end();
        wake(driver);
        drop_caught(replacement);
    }

    /// Takes the bytes still to be written, and lets nothing more be appended.
    pub(super) fn seal(&self) -> LastBytes {
        let mut state = self.lock();
        let last = state.seal();
        // Nothing waits to be written any more: asks that want no answer may start.
        self.inbound.publish(&mut state);
        last
    }

    /// Runs `listener` when the connection has ended: now, if it already has.
    pub(super) fn on_end(&self, listener: EndListener) {
        let late = self.lock().listen(listener);
        self.run_end_listeners(late);
    }

    /// Logs a panic of a responder, or of the locator that finds it.
    #[cold]
    pub(super) fn tell_panic(&self, panic: &Panic) {
        self.inbound.workload().add_panic();
        self.events.tell(EventKind::RESPONDER_PANIC, |peer, omitted| {
            tracing::warn!(%peer, command = panic.command(), omitted, %panic, "a responder panicked");
        });
    }

    /// The transport is closed; `lost` is the reason why the last bytes are lost, if they are. Returns why the connection has
    /// ended, and does so once.
    pub(super) fn transport_closed(&self, lost: Option<CloseReason>) -> CloseReason {
        let mut reason = self.over().unwrap_or(CloseReason::DriverDropped);
        // An orderly close would mean that everything accepted has been sent. Any other reason implies that it may not be.
        if matches!(reason, CloseReason::Closed)
            && let Some(lost) = lost
        {
            // The connection beneath a connection over boxes may have closed in order.
            reason = if matches!(lost, CloseReason::Closed) { CloseReason::Unwritten } else { lost };
        }
        self.ended.send_modify(|ended| {
            ended.reason.get_or_insert_with(|| reason.clone());
        });
        reason
    }

    /// Deadline of responders that go on although the connection is over, if it closes or ends now.
    pub(super) fn finish_by(&self) -> Instant {
        after(self.settings.close_timeout)
    }

    pub(super) fn add_handle(&self) {
        self.handles.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one more handle, unless there is none any more.
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

/// Under no lock: a waker may run the task that it wakes.
#[inline]
pub(super) fn wake(woken: impl IntoIterator<Item = Waker>) {
    woken.into_iter().for_each(Waker::wake);
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("peer", &self.peer).finish_non_exhaustive()
    }
}
