use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::counts::Counts;
use super::pool::{Holder, Pool, STEP};

/// Memory that one connection holds, in steps, over all its meters.
pub(crate) struct Account {
    /// `None` where the account shares no pool, as at a client.
    pool: Option<Arc<Pool>>,
    counts: Arc<Counts>,
    /// As long as anything is counted, there is a holder to notify when it is too much.
    holder: Arc<dyn Holder>,
}

impl Account {
    /// The account of a holder that shares the pool with others, if there is one.
    pub(crate) fn new(pool: Option<Arc<Pool>>, holder: Arc<dyn Holder>) -> Arc<Self> {
        Arc::new(Self { pool, counts: Arc::default(), holder })
    }

    /// An account without a holder.
    #[cfg(test)]
    pub(crate) fn unshared() -> Arc<Self> {
        Self::new(None, Arc::new(Nobody))
    }

    /// Whether asks are to be refused: memory is short, and this connection holds more than its share.
    #[inline]
    pub(crate) fn is_memory_short(&self) -> bool {
        let reserved = self.reserved();
        reserved > 0 && self.pool.as_ref().is_some_and(|pool| pool.is_memory_short(reserved))
    }

    /// The same for credit of streams, which is withheld when memory is shorter.
    #[inline]
    fn withholds_credit(&self) -> bool {
        let reserved = self.reserved();
        reserved > 0 && self.pool.as_ref().is_some_and(|pool| pool.withholds_credit(reserved))
    }

    #[inline]
    pub(super) fn reserved(&self) -> usize {
        self.counts.reserved()
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// A meter's reservation has changed.
    #[cold]
    fn change(&self, before: usize, after: usize) {
        let reserved = self.counts.change(before, after);
        if let Some(pool) = &self.pool
            && pool.needs_report(reserved, self.counts.reported())
        {
            pool.report(self.address(), &self.counts, &self.holder);
        }
    }

    /// The connection has ended.
    pub(crate) fn end(&self) {
        self.counts.end();
        if let Some(pool) = &self.pool {
            pool.report(self.address(), &self.counts, &self.holder);
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if let Some(pool) = &self.pool {
            pool.forget(self.address());
        }
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("reserved", &self.reserved()).finish_non_exhaustive()
    }
}

/// Returns the reservation for `held` bytes. The first step is there from the start, and is not reported to the account.
fn needed(held: usize) -> usize {
    // The steps of a large holder are larger, up to a thirty-second of what it holds: otherwise it would report nearly each
    // change.
    let step = STEP.max((held / 32 + 1).next_power_of_two() / 2);
    held.div_ceil(step).max(1).saturating_mul(step)
}

/// Whether so much more is reserved than held that some of it may have to be released.
#[inline]
fn is_more(reserved: usize, held: usize) -> bool {
    reserved > held + 2 * STEP
}

/// Whether so much more is reserved than held that it is released. Not at the first step: a count that goes up and down would
/// report each time.
fn is_too_much(reserved: usize, held: usize) -> bool {
    reserved - held.min(reserved) > (2 * STEP).max(held / 8)
}

/// Counts one kind of memory that a connection holds, in bytes and from any thread.
/// [`Connection::meter`](crate::Connection::meter) makes it, and shows how it is used.
///
/// The first 8 KiB of each meter are not counted towards the memory of the server. Dropping the meter releases everything that it
/// has counted.
#[derive(Debug)]
pub struct Meter {
    account: Arc<Account>,
    held: AtomicUsize,
    /// The reserved bytes: no less than [`needed`], once the thread that changes it has returned.
    reserved: AtomicUsize,
}

impl Meter {
    pub(crate) fn new(account: &Arc<Account>) -> Self {
        Self { account: Arc::clone(account), held: AtomicUsize::new(0), reserved: AtomicUsize::new(STEP) }
    }

    /// Counts bytes. Returns how many are counted then. If two threads check first and then charge, both may find room: where
    /// there is a limit, use [`try_charge`](Self::try_charge).
    #[inline]
    pub fn charge(&self, bytes: usize) -> usize {
        // Sequentially consistent with `fit`, which does the two in the other order: of two threads one sees the other's change.
        let held = self.held.fetch_add(bytes, Ordering::SeqCst).wrapping_add(bytes);
        if held > STEP && held > self.reserved.load(Ordering::SeqCst) {
            self.fit();
        }
        held
    }

    /// Counts bytes, unless more than `max` would be counted then. Returns whether they are counted.
    #[must_use = "bytes that are not counted are not to be kept"]
    pub fn try_charge(&self, bytes: usize, max: usize) -> bool {
        let add = |held: usize| held.checked_add(bytes).filter(|sum| *sum <= max);
        let is_charged = self.held.fetch_update(Ordering::SeqCst, Ordering::SeqCst, add).is_ok();
        if is_charged {
            // The count is checked once more, as in `charge`.
            self.charge(0);
        }
        is_charged
    }

    /// Counts bytes until the returned guard is dropped.
    pub fn hold(self: &Arc<Self>, bytes: usize) -> Held {
        self.charge(bytes);
        Held { meter: Arc::clone(self), bytes }
    }

    /// Counts bytes until the returned guard is dropped, unless more than `max` would be counted then.
    pub fn try_hold(self: &Arc<Self>, bytes: usize, max: usize) -> Option<Held> {
        self.try_charge(bytes, max).then(|| Held { meter: Arc::clone(self), bytes })
    }

    /// No longer counts bytes that were counted. Returns how many are counted then.
    ///
    /// Releasing more than was charged is a mistake in the program. Then nothing is counted, and with debug assertions it panics.
    #[inline]
    pub fn release(&self, bytes: usize) -> usize {
        let before = self.held.fetch_sub(bytes, Ordering::SeqCst);
        if before < bytes {
            self.repair(bytes - before);
            return 0;
        }
        let held = before - bytes;
        // A meter that holds so little has released its larger reservation.
        if before > STEP && is_more(self.reserved.load(Ordering::SeqCst), held) {
            self.shrink();
        }
        held
    }

    /// Releases bytes that the caller knows to be counted: it does not check for a mistake.
    #[inline]
    pub(crate) fn release_charged(&self, bytes: usize) -> usize {
        let before = self.held.fetch_sub(bytes, Ordering::SeqCst);
        if before > STEP && is_more(self.reserved.load(Ordering::SeqCst), before - bytes) {
            self.shrink();
        }
        before
    }

    /// `bytes` bytes were released that were not counted.
    #[cold]
    fn repair(&self, bytes: usize) {
        self.held.fetch_add(bytes, Ordering::SeqCst);
        // Another thread may have seen the wrong count in the meantime.
        self.fit();
        debug_assert!(false, "{bytes} bytes were released that were not charged");
    }

    /// Returns how many bytes are counted.
    #[inline]
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Whether the memory of the server is short and this connection holds more than its share, so that no further work should
    /// begin for its peer.
    #[inline]
    #[must_use]
    pub fn is_memory_short(&self) -> bool {
        self.account.is_memory_short()
    }

    /// Whether memory is so short that the peer should receive no credit for more, either.
    #[inline]
    #[must_use]
    pub fn withholds_credit(&self) -> bool {
        self.account.withholds_credit()
    }

    /// Releases the excess of the reservation.
    #[cold]
    fn shrink(&self) {
        if is_too_much(self.reserved.load(Ordering::SeqCst), self.held.load(Ordering::SeqCst)) {
            self.fit();
        }
    }

    /// Reserves as much as is held now.
    #[cold]
    fn fit(&self) {
        loop {
            let (before, after) = (self.reserved.load(Ordering::SeqCst), needed(self.held.load(Ordering::SeqCst)));
            if before == after {
                return;
            }
            if self.reserved.compare_exchange(before, after, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                self.account.change(before, after);
            }
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        let reserved = *self.reserved.get_mut();
        if reserved > STEP {
            self.account.change(reserved, STEP);
        }
    }
}

/// Bytes that a [`Meter`] counts until this is dropped; store it beside the memory that it counts.
#[derive(Debug)]
#[must_use = "dropping it no longer counts the bytes"]
pub struct Held {
    meter: Arc<Meter>,
    bytes: usize,
}

impl Held {
    /// Returns the number of bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.meter.release(self.bytes);
    }
}

/// Counts one kind of memory that a connection holds, where one thread at a time does: its owner knows the amount.
#[derive(Debug)]
pub(crate) struct Reservation {
    account: Arc<Account>,
    reserved: usize,
}

impl Reservation {
    pub(crate) fn new(account: &Arc<Account>) -> Self {
        Self { account: Arc::clone(account), reserved: STEP }
    }

    /// Returns how much is reserved, which is not less than what is held.
    #[inline]
    pub(crate) fn reserved(&self) -> usize {
        self.reserved
    }

    /// `held` bytes are held now.
    #[inline]
    pub(crate) fn fit(&mut self, held: usize) {
        if held > self.reserved || is_more(self.reserved, held) {
            self.refit(held);
        }
    }

    #[cold]
    fn refit(&mut self, held: usize) {
        if held > self.reserved || is_too_much(self.reserved, held) {
            self.change(needed(held));
        }
    }

    /// At most `held` bytes are held now.
    #[inline]
    pub(crate) fn shrink(&mut self, held: usize) {
        if self.reserved > STEP {
            self.fit(held);
        }
    }

    fn change(&mut self, after: usize) {
        let before = std::mem::replace(&mut self.reserved, after);
        self.account.change(before, after);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.reserved > STEP {
            self.change(STEP);
        }
    }
}

#[cfg(test)]
struct Nobody;

#[cfg(test)]
impl Holder for Nobody {
    fn end_for(self: Arc<Self>, _: super::Excess) {}
}
