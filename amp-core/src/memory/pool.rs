use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// A meter counts this many bytes without reporting to the account of its connection, and reports more in steps of this size
/// while it holds little.
pub(super) const STEP: usize = 8 * 1024;

/// Memory that the connections of a server may hold together.
///
/// As it fills, connections that hold more than their share of a mark, which is the mark divided by the number of holders, are
/// refused first: asks from three quarters on, credit of streams from seven eighths on. Over the maximum the largest holder is
/// ended, and until its memory is released nothing begins for connections that hold more than a step. A connection that holds
/// little never notices.
pub(crate) struct Pool {
    max: usize,
    state: Mutex<State>,
    /// Bytes of an account over which memory is short for it. `usize::MAX` while there is room for all.
    short_over: AtomicUsize,
    /// Bytes over which it withholds credit.
    credit_withheld_over: AtomicUsize,
}

/// The owner of an account.
pub(crate) trait Holder: Send + Sync {
    /// Ends it: it holds more than any other, and all together too much. It may be called under any lock, and so must take none,
    /// and must drop no user object.
    fn end_for(self: Arc<Self>, excess: Excess);
}

/// Why a holder is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    /// How many bytes it held.
    pub(crate) held: usize,
    /// The maximum of all holders together.
    pub(crate) limit: usize,
}

#[derive(Default)]
struct State {
    /// Bytes reserved by holders that are not being ended.
    total: usize,
    /// How many of these belong to open connections: a mark is shared among them.
    count: usize,
    /// Bytes reserved by holders that are being ended.
    ending: usize,
    /// The maximum of all holders together, including those that are being ended: over it the next one is ended. The memory of
    /// the latter is being released, but that takes time, in which the others must not grow without a bound.
    limit: usize,
    /// By their accounts' addresses. Not hashed: with few holders, entries change often.
    holders: BTreeMap<usize, Share>,
}

struct Share {
    reserved: usize,
    holder: Weak<dyn Holder>,
    /// It is being ended: its reservation is being released.
    is_ending: bool,
    /// Its connection has ended, even if it still holds something.
    has_ended: bool,
}

impl Pool {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            state: Mutex::default(),
            short_over: AtomicUsize::new(usize::MAX),
            credit_withheld_over: AtomicUsize::new(usize::MAX),
        })
    }

    /// Whether memory is short for an account that has `reserved` bytes: its asks are refused.
    #[inline]
    pub(super) fn is_memory_short(&self, reserved: usize) -> bool {
        reserved > self.short_over.load(Ordering::Relaxed)
    }

    /// Whether an account that has `reserved` bytes withholds credit.
    #[inline]
    pub(super) fn withholds_credit(&self, reserved: usize) -> bool {
        reserved > self.credit_withheld_over.load(Ordering::Relaxed)
    }

    /// The account with the address has reserved more or less than before, or its connection has ended. The new values are read
    /// under the lock: the last caller decides. Ends the largest holders while all of them together have too much.
    pub(super) fn change(&self, account: usize, holds: impl FnOnce() -> (usize, bool), holder: &Arc<dyn Holder>) {
        let mut state = self.lock();
        let (reserved, has_ended) = holds();
        state.set(account, reserved, has_ended, holder);
        let mut ended = Vec::new();
        state.limit = if state.total + state.ending <= self.max { self.max } else { state.limit.max(self.max) };
        while (state.total > self.max || state.total + state.ending > state.limit)
            && let Some(largest) = state.end_largest()
        {
            state.limit = state.total + state.ending + self.max / 32;
            ended.push(largest);
        }
        self.publish(&state);
        // Dropping a holder locks it again.
        drop(state);
        for (holder, held) in ended {
            // None if its account is being dropped, which is forgotten then.
            if let Some(holder) = holder.upgrade() {
                holder.end_for(Excess { held, limit: self.max });
            }
        }
    }

    /// The account with the address is dropped.
    pub(super) fn forget(&self, account: usize) {
        let mut state = self.lock();
        let share = state.remove(account);
        self.publish(&state);
        drop(state);
        drop(share);
    }

    /// Returns the reservations of all holders.
    pub(crate) fn reserved(&self) -> usize {
        let state = self.lock();
        state.total + state.ending
    }

    /// Returns the reservations of all holders that are not being ended.
    #[cfg(test)]
    pub(super) fn total(&self) -> usize {
        self.lock().total
    }

    fn publish(&self, state: &State) {
        let held = state.total + state.ending;
        // Over the maximum, which lasts while others are being ended, nothing begins for any holder: their memory is released
        // later than new connections arrive.
        let share = |mark: usize| match held {
            held if held < mark => usize::MAX,
            held if held > self.max => STEP.min(mark / state.count.max(1)),
            _ => mark / state.count.max(1),
        };
        self.short_over.store(share(self.max / 4 * 3), Ordering::Relaxed);
        self.credit_withheld_over.store(share(self.max / 8 * 7), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set(&mut self, account: usize, reserved: usize, has_ended: bool, holder: &Arc<dyn Holder>) {
        match self.holders.get_mut(&account) {
            Some(share) if share.is_ending => {
                // A reservation that it makes now is no reason to end others.
                let left = reserved.min(share.reserved);
                self.ending -= share.reserved - left;
                share.reserved = left;
            }
            Some(share) if reserved > 0 => {
                self.total = self.total - share.reserved + reserved;
                share.reserved = reserved;
                if has_ended && !std::mem::replace(&mut share.has_ended, true) {
                    self.count -= 1;
                }
            }
            Some(_) => drop(self.remove(account)),
            None if reserved > 0 => {
                (self.total, self.count) = (self.total + reserved, self.count + usize::from(!has_ended));
                let holder = Arc::downgrade(holder);
                self.holders.insert(account, Share { reserved, holder, is_ending: false, has_ended });
            }
            None => {}
        }
    }

    fn remove(&mut self, account: usize) -> Option<Share> {
        let share = self.holders.remove(&account)?;
        if share.is_ending {
            self.ending -= share.reserved;
        } else {
            (self.total, self.count) = (self.total - share.reserved, self.count - usize::from(!share.has_ended));
        }
        Some(share)
    }

    /// Marks the largest holder as being ended. Returns it and its reservation.
    fn end_largest(&mut self) -> Option<(Weak<dyn Holder>, usize)> {
        let staying = self.holders.values_mut().filter(|share| !share.is_ending);
        let largest = staying.max_by_key(|share| share.reserved)?;
        largest.is_ending = true;
        (self.total, self.count) = (self.total - largest.reserved, self.count - usize::from(!largest.has_ended));
        self.ending += largest.reserved;
        Some((Weak::clone(&largest.holder), largest.reserved))
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("max", &self.max).field("total", &self.lock().total).finish_non_exhaustive()
    }
}
