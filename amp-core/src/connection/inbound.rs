use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

use super::pending::Pending;
use crate::proto::most_held;
use crate::reason::CloseReason;
use crate::responder::Ask;
use crate::settings::Settings;

/// The peer's asks at this end: what they hold, and which may still begin. It is looked at for every ask, without the
/// connection's lock.
#[derive(Debug)]
pub(super) struct Inbound {
    /// Bytes of asks that have no answer.
    held: AtomicUsize,
    most_held: usize,
    most_held_by_notifications: usize,
    pending: Pending,
    /// Set under the lock.
    intake: AtomicU8,
    /// Whether so much waits to be written that no more responders should start. Set under the lock.
    is_congested: AtomicBool,
    has_complained: AtomicBool,
    /// Whether the peer's bytes behind the box that is handled now may belong to another transport.
    stops_reading: AtomicBool,
}

/// What may still begin at an end. Whatever else ends a connection lets begin what came in the same read (`wire.md` line 32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intake {
    Open,
    /// It closes in order: nothing that somebody waits for.
    Draining,
    /// Nothing.
    Aborted,
}

const OPEN: u8 = 0;
const DRAINING: u8 = 1;
const ABORTED: u8 = 2;

impl Intake {
    /// Settles an ask that may not begin any more.
    #[cold]
    pub(super) fn refuse(self, ask: Ask) {
        if self == Self::Aborted { ask.discard() } else { ask.refuse_draining() }
    }
}

impl Inbound {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            held: AtomicUsize::new(0),
            most_held: settings.most_inbound,
            most_held_by_notifications: most_held(settings.most_inbound, settings.boxes.bytes),
            pending: Pending::default(),
            intake: AtomicU8::new(OPEN),
            is_congested: AtomicBool::new(false),
            has_complained: AtomicBool::new(false),
            stops_reading: AtomicBool::new(false),
        }
    }

    /// One more ask that has no answer, and its bytes.
    pub(super) fn hold(&self, bytes: usize) {
        self.pending.add();
        self.held.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The bytes count no more. Whether what waits because much is held may start now.
    pub(super) fn release(&self, bytes: usize) -> bool {
        if bytes == 0 {
            return false;
        }
        let before = self.held.fetch_sub(bytes, Ordering::AcqRel);
        before > self.most_held && before - bytes <= self.most_held
    }

    /// The ask has its answer, and its bytes count no more. Whether closing, or what waits to start, may have waited for that.
    pub(super) fn settle(&self, bytes: usize) -> bool {
        // Both, whatever the first one says.
        self.release(bytes) | self.pending.remove()
    }

    /// Whether every ask has its answer.
    pub(super) fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }

    /// Whether the asks that have no answer hold more than they may.
    pub(super) fn is_full(&self) -> bool {
        self.held.load(Ordering::Relaxed) > self.most_held
    }

    /// Whether the notifications that wait, and all else that does, hold more than a peer may make this end hold.
    pub(super) fn check_notifications(&self) -> Result<(), CloseReason> {
        let limit = self.most_held_by_notifications;
        if self.held.load(Ordering::Relaxed) > limit {
            Err(CloseReason::TooManyNotifications { limit })
        } else {
            Ok(())
        }
    }

    #[inline]
    pub(super) fn intake(&self) -> Intake {
        match self.intake.load(Ordering::Relaxed) {
            OPEN => Intake::Open,
            DRAINING => Intake::Draining,
            _ => Intake::Aborted,
        }
    }

    /// This end closes in order.
    pub(super) fn drain(&self) {
        self.intake.store(DRAINING, Ordering::Relaxed);
    }

    pub(super) fn abort(&self) {
        self.intake.store(ABORTED, Ordering::Relaxed);
    }

    /// Closing begins, for whatever reason: the last ask that is settled tells.
    pub(super) fn close(&self) {
        self.pending.close();
    }

    #[inline]
    pub(super) fn is_congested(&self) -> bool {
        self.is_congested.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_congested(&self, is_congested: bool) {
        self.is_congested.store(is_congested, Ordering::Relaxed);
    }

    /// The reader stops behind the box that it handles now.
    pub(super) fn stop_reading(&self) {
        self.stops_reading.store(true, Ordering::Relaxed);
    }

    /// Whether the reader is to stop behind the box that was handled just now, on its own thread.
    #[inline]
    pub(super) fn takes_stop(&self) -> bool {
        self.stops_reading.load(Ordering::Relaxed) && self.stops_reading.swap(false, Ordering::Relaxed)
    }

    /// Whether nothing was complained of on this connection before.
    pub(super) fn is_first_complaint(&self) -> bool {
        !self.has_complained.swap(true, Ordering::Relaxed)
    }
}
