use std::sync::atomic::{AtomicUsize, Ordering};

/// The work that the peer's commands cause in a turn of the driver, counted in decoded list items: it holds up other connections that share
/// the reader's thread.
#[derive(Debug, Default)]
pub(super) struct Workload {
    items: AtomicUsize,
}

/// After this many items, about a third of a millisecond, a turn is over, and other connections have theirs.
const MAX_ITEMS: usize = 1024;
/// A caught panic takes as long as this many items.
const PANIC: usize = 32;
/// A command that an extension has handled counts for this many items: it may wake a task.
const HANDLED: usize = 16;
/// A responder that continues as a task counts for this many items. Hundreds of tasks at once fill the queue of a worker, and
/// push those of other connections behind all of them.
const SPAWNED: usize = 64;

impl Workload {
    pub(super) fn begin_turn(&self) {
        if self.items.load(Ordering::Relaxed) > 0 {
            self.items.store(0, Ordering::Relaxed);
        }
    }

    /// Decoding a command was as much work as so many list items.
    #[cold]
    pub(super) fn add_items(&self, items: usize) {
        self.items.fetch_add(items, Ordering::Relaxed);
    }

    /// A responder has panicked.
    #[cold]
    pub(super) fn add_panic(&self) {
        self.items.fetch_add(PANIC, Ordering::Relaxed);
    }

    /// An extension handles a command, and a task may be spawned for it.
    #[inline]
    pub(super) fn add_handled(&self, starts_task: bool) {
        self.items.fetch_add(if starts_task { SPAWNED } else { HANDLED }, Ordering::Relaxed);
    }

    /// A responder continues as a task.
    #[inline]
    pub(super) fn add_spawned(&self) {
        self.items.fetch_add(SPAWNED, Ordering::Relaxed);
    }

    /// Whether the turn has lasted long enough.
    #[inline]
    pub(super) fn is_enough(&self) -> bool {
        self.items.load(Ordering::Relaxed) > MAX_ITEMS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_ends_after_many_items() {
        let workload = Workload::default();
        workload.add_items(MAX_ITEMS);
        assert!(!workload.is_enough());
        workload.add_items(1);
        assert!(workload.is_enough());
        workload.begin_turn();
        assert!(!workload.is_enough());
        (0..=MAX_ITEMS / PANIC).for_each(|_| workload.add_panic());
        assert!(workload.is_enough());
    }
}
