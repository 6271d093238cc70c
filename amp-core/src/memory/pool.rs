use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::account::{Account, Holder};

/// What the connections of a server may hold together.
///
/// As it fills, those that hold more than their share of a mark, which is the mark divided by the number of those that hold
/// something, are refused first: asks from three quarters on, credit of streams from seven eighths on. Over the maximum the
/// largest holder is ended. One that holds no more than its share never notices.
#[derive(Debug)]
pub(crate) struct Pool {
    max: usize,
    state: Mutex<State>,
    /// From how many bytes on an account is refused asks. `usize::MAX` while there is room for all.
    refuses_asks: AtomicUsize,
    /// From how many bytes on an account withholds credit.
    withholds_credit: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    /// What is reserved by all accounts but those that are being ended.
    total: usize,
    /// By the address of the account: those that have reserved something, but for those that are being ended.
    holders: HashMap<usize, (Weak<Account>, usize)>,
}

impl Pool {
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            max,
            state: Mutex::default(),
            refuses_asks: AtomicUsize::new(usize::MAX),
            withholds_credit: AtomicUsize::new(usize::MAX),
        })
    }

    /// Whether an account that has `reserved` so much is refused asks.
    #[inline]
    pub(super) fn refuses_asks(&self, reserved: usize) -> bool {
        reserved > self.refuses_asks.load(Ordering::Relaxed)
    }

    /// Whether an account that has `reserved` so much withholds credit.
    #[inline]
    pub(super) fn withholds_credit(&self, reserved: usize) -> bool {
        reserved > self.withholds_credit.load(Ordering::Relaxed)
    }

    /// An account has reserved more or less than before. Ends the largest holders while all of them together have too much.
    ///
    /// It may be called under the lock of a connection, so that whoever is ended is told in a task of its own.
    pub(super) fn change(&self, account: &Arc<Account>) {
        let mut state = self.lock();
        state.update(account);
        let mut ended = Vec::new();
        while state.total > self.max
            && let Some(largest) = state.take_largest()
        {
            ended.push(largest);
        }
        self.publish(&state);
        // An account that is dropped locks it again.
        drop(state);
        for (account, held) in ended {
            if let Some(account) = account {
                account.end(Excess { held, limit: self.max });
            }
        }
    }

    /// An account is dropped.
    pub(super) fn forget(&self, address: usize) {
        let mut state = self.lock();
        state.remove(address);
        self.publish(&state);
    }

    /// What all that are not being ended have reserved.
    #[cfg(test)]
    pub(super) fn total(&self) -> usize {
        self.lock().total
    }

    fn publish(&self, state: &State) {
        let share = |mark: usize| if state.total < mark { usize::MAX } else { mark / state.holders.len().max(1) };
        self.refuses_asks.store(share(self.max / 4 * 3), Ordering::Relaxed);
        self.withholds_credit.store(share(self.max / 8 * 7), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes over what the account has reserved now. Read under the lock: the last one to come here has the last word.
    fn update(&mut self, account: &Arc<Account>) {
        let (address, reserved) = (Arc::as_ptr(account).addr(), account.reserved());
        self.remove(address);
        if reserved > 0 && !account.is_ending() {
            self.total += reserved;
            self.holders.insert(address, (Arc::downgrade(account), reserved));
        }
    }

    fn remove(&mut self, address: usize) {
        if let Some((_, reserved)) = self.holders.remove(&address) {
            self.total -= reserved;
        }
    }

    /// Takes out the largest holder, which is to be ended: what it has reserved is on its way back. It may have been dropped.
    fn take_largest(&mut self) -> Option<(Option<Arc<Account>>, usize)> {
        let largest = self.holders.iter().max_by_key(|(_, (_, reserved))| *reserved).map(|(address, _)| *address)?;
        let (account, reserved) = self.holders.remove(&largest)?;
        self.total -= reserved;
        let account = account.upgrade();
        if let Some(account) = &account {
            account.begin_ending();
        }
        Some((account, reserved))
    }
}

/// Why an account is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Excess {
    /// How many bytes it held.
    pub(crate) held: usize,
    /// What all may hold together.
    pub(crate) limit: usize,
}

impl dyn Holder {
    /// Tells a holder that is still there.
    pub(super) fn tell(holder: &Weak<Self>, excess: Excess) {
        if let Some(holder) = holder.upgrade() {
            holder.end_for(excess);
        }
    }
}
