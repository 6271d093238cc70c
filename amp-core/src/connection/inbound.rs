use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

use super::unsettled::Unsettled;
use super::workload::Workload;
use crate::memory::{Account, Meter};
use crate::proto::{ConnectionState, Intake, Waiter, max_held};
use crate::reason::CloseReason;
use crate::settings::Settings;

/// The peer's asks at this end: the memory that they hold, and which may still begin. Every ask looks at it, without the
/// connection's lock.
#[derive(Debug)]
pub(super) struct Inbound {
    /// Memory of asks that have no answer.
    held: Meter,
    /// The part of it that the futures of their responders hold.
    futures: AtomicUsize,
    /// Nothing is refused while the asks hold no more than this: a connection that otherwise holds much may still ask for little.
    few: usize,
    max_held: usize,
    max_held_by_notifications: usize,
    unsettled: Unsettled,
    workload: Workload,
    /// The word that the connection's state has [published](Self::publish): the stage of the intake, and whether so many bytes
    /// wait to be written that no more responders should start.
    published: AtomicU8,
    /// Whether the peer's bytes behind the current box may belong to another transport.
    stops_reading: AtomicBool,
}

/// Memory that the asks of a connection must hold before the server's shortage of memory affects it.
const FEW: usize = 8 * 1024;

const OPEN: u8 = 0;
const DRAINING: u8 = 1;
const ENDED: u8 = 2;
const ABORTED: u8 = 3;
/// So many bytes wait to be written that no more responders should start.
const CONGESTED: u8 = 4;

/// The word that is published.
fn encode(intake: Intake, is_congested: bool) -> u8 {
    let intake = match intake {
        Intake::Open => OPEN,
        Intake::Draining => DRAINING,
        Intake::Ended => ENDED,
        Intake::Aborted => ABORTED,
    };
    if is_congested { intake | CONGESTED } else { intake }
}

/// Decodes a published word.
#[inline]
fn decode(word: u8) -> (Intake, bool) {
    let intake = match word & !CONGESTED {
        OPEN => Intake::Open,
        DRAINING => Intake::Draining,
        ENDED => Intake::Ended,
        // `ABORTED`: no other is encoded.
        _ => Intake::Aborted,
    };
    (intake, word & CONGESTED != 0)
}

impl Inbound {
    pub(super) fn new(settings: &Settings, account: &Arc<Account>) -> Self {
        Self {
            held: Meter::new(account),
            futures: AtomicUsize::new(0),
            few: FEW.min(settings.max_inbound),
            max_held: settings.max_inbound,
            max_held_by_notifications: max_held(
                settings.max_inbound,
                settings.boxes.bytes,
                settings.boxes.decoded_bytes,
            ),
            unsettled: Unsettled::default(),
            workload: Workload::default(),
            published: AtomicU8::new(encode(Intake::Open, false)),
            stops_reading: AtomicBool::new(false),
        }
    }

    /// Counts one more ask that has no answer, and its bytes.
    pub(super) fn hold(&self, bytes: usize) {
        self.unsettled.add();
        self.held.charge(bytes);
    }

    /// Counts more bytes of an ask that is counted.
    pub(super) fn hold_more(&self, bytes: usize) {
        self.held.charge(bytes);
    }

    /// Counts the future of a responder that goes on as a task.
    pub(super) fn hold_future(&self, bytes: usize) {
        self.futures.fetch_add(bytes, Ordering::Relaxed);
        self.held.charge(bytes);
    }

    /// The future is dropped. Returns whether an ask that waits because much memory is held may start now.
    pub(super) fn release_future(&self, bytes: usize) -> bool {
        let may_start = self.release(bytes);
        self.futures.fetch_sub(bytes, Ordering::Relaxed);
        may_start
    }

    /// Whether the futures alone hold as much as all asks may. The rest of what the asks hold is no reason to refuse one that
    /// waited: others may wait for it.
    pub(super) fn has_large_futures(&self) -> bool {
        self.futures.load(Ordering::Relaxed) > self.max_held
    }

    /// Counts more bytes of an ask that is counted, as long as all of them hold no more than they may. A notification was
    /// promised to run.
    pub(super) fn reserve(&self, bytes: usize, wants_answer: bool) -> bool {
        if !wants_answer {
            let begins = self.intake() != Intake::Aborted;
            if begins {
                self.held.charge(bytes);
            }
            return begins;
        }
        !self.held.is_memory_short() && self.held.try_charge(bytes, self.max_held)
    }

    #[inline]
    pub(super) fn workload(&self) -> &Workload {
        &self.workload
    }

    /// Releases the bytes. Returns whether an ask that waits because much memory is held may start now.
    pub(super) fn release(&self, bytes: usize) -> bool {
        bytes > 0 && self.release_some(bytes)
    }

    #[inline]
    fn release_some(&self, bytes: usize) -> bool {
        let before = self.held.release_charged(bytes);
        before > self.max_held && before - bytes <= self.max_held
    }

    /// The ask has its answer, and its bytes are released. Returns whether closing, or a waiting ask, may have waited for that.
    pub(super) fn settle(&self, bytes: usize) -> bool {
        // Both run, whatever the first one returns.
        self.release_some(bytes) | self.unsettled.remove()
    }

    /// Whether every ask has its answer.
    pub(super) fn is_settled(&self) -> bool {
        self.unsettled.is_empty()
    }

    /// Whether the asks that have no answer hold more than they may.
    pub(super) fn is_full(&self) -> bool {
        self.held.held() > self.max_held
    }

    /// Whether new asks are to be refused: the asks hold more than they may, or the server's memory is short and this connection
    /// holds more than its share.
    pub(super) fn refuses(&self) -> bool {
        self.held.held() > self.few && (self.is_full() || self.held.is_memory_short())
    }

    /// Checks that waiting notifications, together with everything else that waits, hold no more than a peer may make this end
    /// hold. A peer that keeps to its credit is not to blame for futures.
    pub(super) fn check_notifications(&self) -> Result<(), CloseReason> {
        let limit = self.max_held_by_notifications;
        if self.held.held().saturating_sub(self.futures.load(Ordering::Relaxed)) > limit {
            Err(CloseReason::TooManyNotifications { limit })
        } else {
            Ok(())
        }
    }

    /// Publishes the state that is looked at without the lock. Called under the lock, before it is released, wherever that state
    /// may have changed.
    pub(super) fn publish<W: Waiter>(&self, state: &mut ConnectionState<W>) {
        let word = encode(state.intake(), !state.sending().has_room());
        self.published.store(word, Ordering::Relaxed);
        if state.is_closing() {
            // From now on the settling of the last ask wakes the driver.
            self.unsettled.close();
        }
    }

    #[inline]
    pub(super) fn intake(&self) -> Intake {
        decode(self.published.load(Ordering::Relaxed)).0
    }

    #[inline]
    pub(super) fn is_congested(&self) -> bool {
        decode(self.published.load(Ordering::Relaxed)).1
    }

    /// The reader stops behind the current box.
    pub(super) fn stop_reading(&self) {
        self.stops_reading.store(true, Ordering::Relaxed);
    }

    /// Whether the reader must stop behind the box that was handled just now, on its own thread.
    #[inline]
    pub(super) fn takes_stop(&self) -> bool {
        self.stops_reading.load(Ordering::Relaxed) && self.stops_reading.swap(false, Ordering::Relaxed)
    }
}
