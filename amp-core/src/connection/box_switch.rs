use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::boxes::BoxReceiver;
use crate::events::{EventKind, Events};
use crate::panics::caught;
use crate::reason::CloseReason;
use crate::wire::{AmpBox, RawBox};

/// The slot of a box receiver that replaces the dispatcher and the locator.
#[derive(Default)]
pub(super) struct Switch {
    /// Read for every box, so it is not behind a lock.
    switched: AtomicBool,
    slot: Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    /// Empty while the receiver runs: it may switch itself.
    receiver: Option<Box<dyn BoxReceiver>>,
    /// Why no more boxes arrive, once the connection has ended.
    stopped: Option<CloseReason>,
}

impl Switch {
    pub(super) fn is_switched(&self) -> bool {
        self.switched.load(Ordering::Acquire)
    }

    /// Sets or removes the receiver. A receiver that is set when no more boxes arrive is stopped at once.
    pub(super) fn set(&self, receiver: Option<Box<dyn BoxReceiver>>, events: &Events) {
        let mut slot = self.slot();
        if let Some(reason) = slot.stopped.clone() {
            drop(slot);
            receiver.into_iter().for_each(|late| tell(late, &reason, events));
            return;
        }
        self.switched.store(receiver.is_some(), Ordering::Release);
        let before = std::mem::replace(&mut slot.receiver, receiver);
        drop(slot);
        drop(before);
    }

    /// Passes a box to the receiver. Returns `false` if there is none any more.
    pub(super) fn receive(&self, received: &RawBox, events: &Events) -> bool {
        let Some(mut receiver) = self.slot().receiver.take() else { return false };
        guarded(|| receiver.receive_box(AmpBox::from(received)), events);
        let mut slot = self.slot();
        if slot.receiver.is_none() && self.is_switched() {
            slot.receiver = Some(receiver);
        }
        true
    }

    /// Stops the receiver, because no more boxes arrive, and drops it.
    pub(super) fn stop(&self, reason: &CloseReason, events: &Events) {
        let mut slot = self.slot();
        slot.stopped = Some(reason.clone());
        self.switched.store(false, Ordering::Release);
        let receiver = slot.receiver.take();
        drop(slot);
        receiver.into_iter().for_each(|last| tell(last, reason, events));
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the last call to a receiver.
fn tell(mut receiver: Box<dyn BoxReceiver>, reason: &CloseReason, events: &Events) {
    guarded(move || receiver.stop(reason), events);
}

/// Runs user code. A panic costs one box.
fn guarded(run: impl FnOnce(), events: &Events) {
    if let Err(panic) = caught(AssertUnwindSafe(run)) {
        events.tell(EventKind::PANIC, |peer, omitted| {
            tracing::warn!(%peer, omitted, %panic, "a box receiver panicked");
        });
    }
}

impl std::fmt::Debug for Switch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Switch").field("switched", &self.is_switched()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::BytesMut;

    use super::*;
    use crate::peer::Peer;
    use crate::wire::{BoxDecoder, BoxLimits};

    struct Never;

    impl BoxReceiver for Never {
        fn receive_box(&mut self, _: AmpBox) {
            panic!("it was switched away")
        }
    }

    #[test]
    fn a_box_whose_receiver_was_switched_away_just_now_is_not_lost() {
        let bytes = BytesMut::from(&b"\0\x01k\0\x01v\0\0"[..]);
        let raw = BoxDecoder::with_leftover(BoxLimits::DEFAULT, bytes).next_box().unwrap().unwrap();
        let (switch, events) = (Switch::default(), Events::new(Peer::other("test"), Arc::default()));
        switch.set(Some(Box::new(Never)), &events);
        assert!(switch.is_switched());
        // Between the look and the box, another thread restores the dispatcher.
        switch.set(None, &events);
        assert!(!switch.receive(&raw, &events), "the dispatcher takes it");
    }
}
