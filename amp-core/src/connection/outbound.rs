//! What is to be written: who adds to it, who waits for room, and when the driver is woken.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use super::shared::Shared;
use super::state::{Phase, State};
use crate::boxes::SendBoxError;
use crate::reason::CloseReason;
use crate::wire::AmpBox;

impl Shared {
    /// Appends to the outbound buffer and sees to it that it is written.
    pub(super) fn write(&self, append: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.lock();
        if state.sealed {
            return tracing::debug!(peer = %self.peer, "an answer came after the connection had ended");
        }
        let start = state.outbound.len();
        append(&mut state.outbound);
        state.begin_to_announce(start, self.settings.boxes);
        let limit = self.settings.most_outbound;
        if state.outbound.len() > limit {
            state.discard();
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

    /// Lets the lock go, and wakes the driver if its `alarm` was set to an earlier instant.
    pub(super) fn wake_driver_for(&self, state: MutexGuard<'_, State>, alarm: bool) {
        if alarm {
            wake(state);
        }
    }

    /// Gives the driver what is to be written in exchange for an empty buffer, and wakes those who waited for the room.
    /// When there is nothing, the driver sleeps until somebody writes.
    pub(super) fn take_outbound(&self, empty: &mut Vec<u8>, driver: &Waker) -> bool {
        let mut state = self.lock();
        let taken = !state.outbound.is_empty();
        let mut next = [None, None];
        if taken {
            state.taken();
            std::mem::swap(&mut state.outbound, empty);
            self.congested.store(false, Ordering::Relaxed);
            next = [state.next_call(&self.settings), state.next_notification(&self.settings)];
        } else {
            state.driver.clone_from(driver);
            state.driver_awake = false;
        }
        let waited_for = state.is_waited_for();
        drop(state);
        next.into_iter().flatten().for_each(Waker::wake);
        if waited_for && self.make_way() {
            driver.wake_by_ref();
        }
        taken
    }

    /// Throws away what is to be written, and lets the driver sleep until it ends. Those who waited for the room learn that
    /// nothing goes out any more when it does.
    pub(super) fn discard_outbound(&self, driver: &Waker) {
        let mut state = self.lock();
        state.discard();
        self.congested.store(false, Ordering::Relaxed);
        state.driver.clone_from(driver);
        state.driver_awake = false;
    }

    /// Calls those who wait for room, in their order, as long as there is some. Whether there is still when it stops.
    /// The driver's next turn calls more.
    fn make_way(&self) -> bool {
        loop {
            let mut state = self.lock();
            let Some(next) = state.call_next(&self.settings) else { return state.is_waited_for() };
            drop(state);
            next.wake();
        }
    }

    /// Whether so much waits to be written that no more responders should start.
    pub(super) fn is_congested(&self) -> bool {
        self.congested.load(Ordering::Relaxed)
    }

    /// Takes what is still to be written, and lets nothing more be appended.
    pub(super) fn seal(&self) -> Vec<u8> {
        let mut state = self.lock();
        state.say_why(self.settings.boxes);
        state.sealed = true;
        // Nothing waits to be written any more: what goes on without an answer may start.
        self.congested.store(false, Ordering::Relaxed);
        std::mem::take(&mut state.outbound)
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
        let mut state = self.lock();
        if let Phase::Over(reason) = &state.phase {
            return Err(SendBoxError::Closed(reason.clone()));
        }
        // A box without a type is not this connection's to add to: it may be another connection's, with an announcement of its own.
        state.missed |= !std::mem::replace(&mut state.announced, true);
        drop(state);
        self.write(|buffer| sent.encode(buffer));
        Ok(())
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
