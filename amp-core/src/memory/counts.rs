use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};

/// What one account counts, and what the pool last read of it. The account changes the former, the pool the latter.
///
/// All of it is sequentially consistent: an account changes its count and then looks whether the pool has to know, the pool notes
/// what it has read and then reads once more. So one of the two sees the other's change.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Below 0 for a moment: a meter changes its own count first, and then this one, so that of two threads the one that releases
    /// may come first.
    reserved: AtomicIsize,
    /// What the pool counts for the account.
    reported: AtomicUsize,
    /// The connection has ended. Memory that is still held is the program's, and takes no share from open connections.
    has_ended: AtomicBool,
}

impl Counts {
    #[inline]
    pub(super) fn reserved(&self) -> usize {
        self.reserved.load(Ordering::SeqCst).max(0).cast_unsigned()
    }

    /// A meter has reserved more or less than before. Returns how much is reserved then.
    pub(super) fn change(&self, before: usize, after: usize) -> usize {
        let change = after.wrapping_sub(before).cast_signed();
        self.reserved.fetch_add(change, Ordering::SeqCst).wrapping_add(change).max(0).cast_unsigned()
    }

    pub(super) fn reported(&self) -> usize {
        self.reported.load(Ordering::SeqCst)
    }

    pub(super) fn end(&self) {
        self.has_ended.store(true, Ordering::SeqCst);
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst)
    }

    /// Returns what is reserved now, and notes it. Under the lock of the pool.
    pub(super) fn read(&self) -> usize {
        self.read_while(|| {})
    }

    /// The same, with `change` between what is read and what is noted.
    fn read_while(&self, mut change: impl FnMut()) -> usize {
        loop {
            let reserved = self.reserved();
            change();
            self.reported.store(reserved, Ordering::SeqCst);
            // An account that has reserved more or less in the meantime may have compared that with the previous report.
            if self.reserved() == reserved {
                return reserved;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_while_it_is_read_is_noted() {
        for (before, after) in [(8, 16), (16, 8), (8, 0), (0, 8)] {
            let counts = Counts::default();
            counts.change(0, before);
            let mut changes = Some(());
            let noted = counts.read_while(|| {
                if changes.take().is_some() {
                    counts.change(before, after);
                }
            });
            assert_eq!((noted, counts.reported()), (after, after), "from {before}");
        }
    }
}
