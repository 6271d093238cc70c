use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// The work that the peer's commands cause in a turn, counted in decoded items: it holds up other connections that share the
/// reader's thread.
#[derive(Debug, Default)]
pub(super) struct Workload {
    /// List items decoded in this turn of the driver, plus other work that takes as long.
    items: AtomicUsize,
    /// How many more commands of few items make the peer light again, after one with very many.
    heavy_for: AtomicU32,
    /// A command of more bytes than this may be as heavy as one that was.
    suspect_over: AtomicUsize,
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
/// A peer that has sent this many items in one command may do so again: an ask that is large enough for that is decoded on
/// another thread.
const HEAVY: usize = 1024;
/// A command that has this fraction of the bytes of a heavy one may be heavy as well: a peer that shortens them step by step has few steps.
const SUSPECT: usize = 4;
/// A later ask that was decoded there and had few items pays for so many of the heavy command's, and all of them make the peer light again: the
/// next heavy one may be decoded on the reader's thread.
const PAID_ITEMS: usize = 16;

impl Workload {
    pub(super) fn begin_turn(&self) {
        if self.items.load(Ordering::Relaxed) > 0 {
            self.items.store(0, Ordering::Relaxed);
        }
    }

    /// A command of `bytes` bytes was decoded, which was as much work as `items` list items.
    #[cold]
    pub(super) fn add_command(&self, items: usize, bytes: usize) {
        self.items.fetch_add(items, Ordering::Relaxed);
        if items > HEAVY {
            let before = if self.is_heavy() { self.suspect_over.load(Ordering::Relaxed) } else { usize::MAX };
            self.suspect_over.store(before.min(bytes / SUSPECT), Ordering::Relaxed);
            let asks = u32::try_from(items / PAID_ITEMS).unwrap_or(u32::MAX);
            self.heavy_for.fetch_max(asks, Ordering::Relaxed);
        }
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

    fn is_heavy(&self) -> bool {
        self.heavy_for.load(Ordering::Relaxed) > 0
    }

    /// Whether a command of so many bytes may be heavy, because another one recently was.
    #[inline]
    pub(super) fn is_suspect(&self, bytes: usize) -> bool {
        self.is_heavy() && bytes > self.suspect_over.load(Ordering::Relaxed)
    }

    /// A command is decoded on another thread, one at a time. Returns whether it is [heavy](Self::is_heavy), as far as is known:
    /// it makes the peer lighter, unless it turns out to have very many items.
    #[cold]
    pub(super) fn decode_apart(&self) -> bool {
        let lighter = |left: u32| left.checked_sub(1);
        self.heavy_for.fetch_update(Ordering::Relaxed, Ordering::Relaxed, lighter).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_ends_after_many_items_and_a_heavy_command_is_remembered() {
        let workload = Workload::default();
        for _ in 0..MAX_ITEMS / HEAVY {
            workload.add_command(HEAVY, 1000);
        }
        assert!(!workload.is_enough() && !workload.is_heavy());
        workload.add_command(1, 1000);
        assert!(workload.is_enough());
        workload.begin_turn();
        assert!(!workload.is_enough());
        workload.add_command(HEAVY + 1, 1000);
        workload.begin_turn();
        assert!(workload.is_heavy());
    }

    #[test]
    fn a_command_nearly_as_long_as_a_heavy_one_is_suspect_until_the_peer_is_light_again() {
        let workload = Workload::default();
        assert!(!workload.is_suspect(usize::MAX));
        workload.add_command(HEAVY + 1, 4000);
        assert!(workload.is_suspect(1001) && !workload.is_suspect(1000));
        // A longer one changes nothing, and a shorter one does.
        workload.add_command(HEAVY + 1, 8000);
        assert!(workload.is_suspect(1001));
        workload.add_command(HEAVY + 1, 400);
        assert!(workload.is_suspect(101) && !workload.is_suspect(100));
        (0..HEAVY / PAID_ITEMS).for_each(|_| assert!(workload.decode_apart()));
        assert!(!workload.is_suspect(usize::MAX));
        workload.add_command(HEAVY + 1, 4000);
        assert!(!workload.is_suspect(1000), "the short one is forgotten");
    }

    #[test]
    fn a_heavier_command_is_paid_for_by_more_light_ones() {
        let workload = Workload::default();
        workload.add_command(10 * HEAVY, 1000);
        workload.add_command(HEAVY + 1, 1000);
        for _ in 0..10 * HEAVY / PAID_ITEMS {
            assert!(workload.is_heavy() && workload.decode_apart());
        }
        assert!(!workload.is_heavy());
        workload.add_command(usize::MAX, 1000);
        assert!(workload.is_heavy());
    }

    #[test]
    fn many_light_commands_behind_it_make_a_heavy_one_forgotten_and_another_heavy_one_does_not() {
        let workload = Workload::default();
        assert!(!workload.decode_apart());
        workload.add_command(HEAVY + 1, 1000);
        for _ in 0..HEAVY / PAID_ITEMS - 1 {
            assert!(workload.decode_apart());
            workload.add_command(HEAVY, 1000);
        }
        assert!(workload.is_heavy() && workload.decode_apart());
        workload.add_command(HEAVY + 1, 1000);
        for _ in 0..HEAVY / PAID_ITEMS {
            assert!(workload.is_heavy() && workload.decode_apart());
        }
        assert!(!workload.is_heavy() && !workload.decode_apart());
    }
}
