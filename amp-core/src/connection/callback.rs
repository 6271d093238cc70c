//! Callbacks: calls that a responder makes. They take no place among [`max_calls`](crate::Settings::max_calls).
//!
//! A call that waits for a place while a responder waits for the call can wait for ever: the places are taken by calls whose
//! responders, at the other end, wait in the same way. The peer's limit of responders bounds callbacks instead, with `BUSY`.
//!
//! A call is a callback if it is made while a responder is polled, or through a handle that came from an ask as long as that has
//! no answer: the responder may have moved it to another task, and no responder waits for it any more once the ask is answered.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

thread_local! {
    /// The connection whose responder this thread polls, by [`Shared::identity`](super::shared::Shared::identity).
    static RESPONDING: Cell<usize> = const { Cell::new(0) };
}

/// Whether a responder, of whichever connection, runs on this thread now.
#[inline]
pub(super) fn is_responding() -> bool {
    responding() != 0
}

/// Whether a responder of this connection runs on this thread now.
pub(super) fn is_responding_for(connection: usize) -> bool {
    responding() == connection
}

#[inline]
fn responding() -> usize {
    // A thread that ends polls no responder any more.
    RESPONDING.try_with(Cell::get).unwrap_or(0)
}

/// Runs a part of a responder of the connection.
#[inline]
pub(super) fn respond<T>(connection: usize, run: impl FnOnce() -> T) -> T {
    /// Restores the value however `run` ends: a responder may be polled while another one is, and it may panic.
    struct Restore(usize);

    impl Drop for Restore {
        fn drop(&mut self) {
            let _ = RESPONDING.try_with(|responding| responding.set(self.0));
        }
    }

    let _restore = Restore(RESPONDING.try_with(|responding| responding.replace(connection)).unwrap_or(0));
    run()
}

/// The asks of one connection that have no answer and a number: those whose responders have a handle of the connection, and those
/// that are noted by their tags. No ask has the number 0.
#[derive(Debug, Default)]
pub(super) struct Unanswered(Mutex<Numbers>);

#[derive(Debug, Default)]
struct Numbers {
    last: u32,
    numbered: BTreeSet<u32>,
}

impl Unanswered {
    /// Returns the number of an ask, which is stored in `place` from now on.
    pub(super) fn number(&self, place: &AtomicU32) -> u32 {
        let mut numbers = self.lock();
        let mut number = place.load(Ordering::Relaxed);
        while number == 0 {
            let next = numbers.last.wrapping_add(1);
            numbers.last = next;
            // An ask that has been unanswered for very long keeps its number.
            if next != 0 && numbers.numbered.insert(next) {
                number = next;
                place.store(number, Ordering::Relaxed);
            }
        }
        number
    }

    /// Whether the ask with the number has no answer.
    pub(super) fn contains(&self, number: u32) -> bool {
        self.lock().numbered.contains(&number)
    }

    /// The ask with the number has its answer.
    pub(super) fn answered(&self, number: u32) {
        self.lock().numbered.remove(&number);
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
