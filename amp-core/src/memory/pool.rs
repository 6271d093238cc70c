use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::counts::Counts;

/// A meter counts this many bytes without reporting to the account of its connection, and reports more in steps of this size
/// while it holds little.
pub(super) const STEP: usize = 8 * 1024;

/// While there is room for all, an account that holds less than it has reported by no more than this does not report it: a stream
/// that fills and empties its window would report each time.
pub(super) const SLACK: usize = 256 * 1024;

/// Over the maximum a connection that holds more than this fraction of its share begins nothing: a thirty-second part of three quarters is
/// what all of them begin together.
const OVER_MAX: usize = 32;

/// While the memory of holders that were ended is being released, those that stay have to hold less: so many bytes for each that is over the
/// maximum. In a burst of answers all grow at once, and before the first memory is free the maximum is exceeded by a fraction of a fourth.
const MADE_UP: usize = 4;
/// For that nobody is ended who holds no more than this fraction of the maximum divided by the number of holders.
const MODEST: usize = 8;

/// Memory that the connections of a server may hold together.
///
/// As it fills, connections that hold more than their share of a mark, which is the mark divided by the number of holders, are
/// refused first: asks from three quarters on, credit of streams from seven eighths on. Over the maximum the largest holder is
/// ended. Until its memory is released nothing begins for connections that hold more than a small part of their share, and the next ones are
/// ended if more is held all the same. A connection that holds little never notices.
pub(crate) struct Pool {
    max: usize,
    state: Mutex<State>,
    /// Memory is short, or was until a moment ago: accounts report each change.
    is_exact: AtomicBool,
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
    /// By their accounts' addresses. Not hashed: with few holders, entries change often.
    holders: BTreeMap<usize, Share>,
}

struct Share {
    reserved: usize,
    counts: Arc<Counts>,
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
            is_exact: AtomicBool::new(false),
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

    /// Whether an account that has `reserved` bytes and has `reported` others reports to the pool.
    #[inline]
    pub(super) fn needs_report(&self, reserved: usize, reported: usize) -> bool {
        reserved > reported || reported - reserved > if self.is_exact.load(Ordering::SeqCst) { 0 } else { SLACK }
    }

    /// The account with the address has reserved more or less than it has reported, or its connection has ended. Its counts are
    /// read under the lock: the last caller decides. Ends the largest holders while all of them together have too much.
    pub(super) fn report(&self, account: usize, counts: &Arc<Counts>, holder: &Arc<dyn Holder>) {
        let mut state = self.lock();
        state.read(account, counts, holder);
        self.read_all_if_short(&mut state);
        let mut ended = Vec::new();
        // What is being ended takes time to be released, and what is over the maximum meanwhile is made up for by others.
        let may_stay = self.max.saturating_sub(state.held().saturating_sub(self.max).saturating_mul(MADE_UP));
        let modest = (self.max / state.holders.len().max(1) / MODEST).max(STEP);
        while let over = if state.total > self.max { 0 } else { modest }
            && state.total > may_stay
            && let Some(largest) = state.end_largest(over)
        {
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

    /// At the first mark nothing is decided by what accounts have not reported. Reading all of them takes long, and so is
    /// repeated only after memory was plenty by a sixteenth.
    fn read_all_if_short(&self, state: &mut State) {
        let mark = self.short_mark();
        if !self.is_exact.load(Ordering::SeqCst) {
            if state.held() >= mark {
                // First: an account that does not see it is read with its change.
                self.is_exact.store(true, Ordering::SeqCst);
                state.read_all();
            }
        } else if state.held() < mark / 16 * 15 {
            self.is_exact.store(false, Ordering::SeqCst);
        }
    }

    /// From here on asks are refused.
    fn short_mark(&self) -> usize {
        self.max / 4 * 3
    }

    /// The account with the address is dropped.
    pub(super) fn forget(&self, account: usize) {
        let mut state = self.lock();
        let share = state.remove(account);
        self.publish(&state);
        drop(state);
        drop(share);
    }

    /// Returns the reservations of all holders. It changes nothing: an account whose growth was noted here would not report it,
    /// and only a report ends holders.
    pub(crate) fn reserved(&self) -> usize {
        self.lock().holders.values().map(Share::held_now).sum()
    }

    /// Returns what is counted for all holders, including what they have not reported.
    #[cfg(test)]
    pub(super) fn counted(&self) -> usize {
        self.lock().held()
    }

    /// Returns the reservations of all holders that are not being ended.
    #[cfg(test)]
    pub(super) fn total(&self) -> usize {
        self.lock().holders.values().filter(|share| !share.is_ending).map(Share::held_now).sum()
    }

    fn publish(&self, state: &State) {
        let held = state.held();
        // Over the maximum, which lasts while others are being ended, little begins for any holder: their memory is released later
        // than new connections arrive. All together these parts of shares are a small part of the maximum, however many hold them.
        let share = |mark: usize| {
            let share = mark / state.count.max(1);
            match held {
                held if held < mark => usize::MAX,
                held if held > self.max => (share / OVER_MAX).max(STEP).min(share),
                _ => share,
            }
        };
        self.short_over.store(share(self.short_mark()), Ordering::Relaxed);
        self.credit_withheld_over.store(share(self.max / 8 * 7), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// What it has reserved, reported or not. What it reserves while it is being ended does not count.
    fn held_now(&self) -> usize {
        let reserved = self.counts.reserved();
        if self.is_ending { reserved.min(self.reserved) } else { reserved }
    }
}

impl State {
    /// What all holders have reserved, including those that are being ended.
    fn held(&self) -> usize {
        self.total + self.ending
    }

    /// Reads the counts of an account.
    fn read(&mut self, account: usize, counts: &Arc<Counts>, holder: &Arc<dyn Holder>) {
        let reserved = counts.read();
        if !self.holders.contains_key(&account) && reserved > 0 {
            let holder = Arc::downgrade(holder);
            let counts = Arc::clone(counts);
            self.count += 1;
            self.holders.insert(account, Share { reserved: 0, counts, holder, is_ending: false, has_ended: false });
        }
        self.update(account, reserved);
    }

    /// Reads the counts of all accounts.
    fn read_all(&mut self) {
        let all: Vec<_> = self.holders.iter().map(|(account, share)| (*account, share.counts.read())).collect();
        all.into_iter().for_each(|(account, reserved)| self.update(account, reserved));
    }

    fn update(&mut self, account: usize, reserved: usize) {
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
                if share.counts.has_ended() && !std::mem::replace(&mut share.has_ended, true) {
                    self.count -= 1;
                }
            }
            Some(_) => drop(self.remove(account)),
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

    /// Marks the largest holder as being ended, if it holds more than `over` bytes. Returns it and its reservation.
    fn end_largest(&mut self, over: usize) -> Option<(Weak<dyn Holder>, usize)> {
        let staying = self.holders.values_mut().filter(|share| !share.is_ending);
        let largest = staying.max_by_key(|share| share.reserved).filter(|share| share.reserved > over)?;
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
