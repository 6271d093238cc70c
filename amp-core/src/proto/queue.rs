use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet, VecDeque};

use super::waiter::Waiter;

/// Waiters with a place, first come, first served: tickets ascend. Entering and leaving cost the logarithm of the number of
/// waiters, in whatever order they leave: it happens under the connection's lock.
#[derive(Debug)]
pub(super) struct Queue<W> {
    waiting: BTreeMap<u64, W>,
    next: u64,
    /// The first ticket whose holder was woken recently.
    woken: Option<u64>,
}

impl<W> Default for Queue<W> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), next: 0, woken: None }
    }
}

impl<W: Waiter> Queue<W> {
    /// Whether the holder of the ticket, or a new waiter, is the first. Those that were [woken](Self::wake_first) are before all
    /// that wait.
    #[inline]
    pub(super) fn is_first(&self, ticket: Option<u64>) -> bool {
        self.waiting.first_key_value().is_none_or(|(first, _)| ticket.is_some_and(|ticket| ticket <= *first))
    }

    /// Keeps waiting in the same place, or begins to wait at the end. Returns the ticket, and the previous waiter, which is to be
    /// dropped under no lock.
    pub(super) fn wait(&mut self, ticket: Option<u64>, waiter: &W) -> (u64, Option<W>) {
        let ticket = ticket.unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        let before = match self.waiting.entry(ticket) {
            Entry::Occupied(place) if place.get().identity() == waiter.identity() => None,
            Entry::Occupied(mut place) => Some(place.insert(waiter.clone())),
            Entry::Vacant(place) => {
                place.insert(waiter.clone());
                None
            }
        };
        (ticket, before)
    }

    /// Leaves the queue, for whatever reason. Returns the waiter, which is to be dropped under no lock.
    pub(super) fn leave(&mut self, ticket: u64) -> Option<W> {
        self.waiting.remove(&ticket)
    }

    /// Takes out the first waiter, to be woken. If it comes late or never, it blocks no other.
    pub(super) fn wake_first(&mut self) -> Option<W> {
        let (ticket, waiter) = self.waiting.pop_first()?;
        self.woken = Some(self.woken.map_or(ticket, |first| first.min(ticket)));
        Some(waiter)
    }

    /// Waiters woken until now have had enough time.
    pub(super) fn forget_woken(&mut self) {
        self.woken = None;
    }

    /// Whether the holder of the ticket was woken recently, or is the first behind those that were.
    pub(super) fn was_woken(&self, ticket: Option<u64>) -> bool {
        self.is_first(ticket) && self.woken.is_some_and(|first| ticket.is_some_and(|ticket| ticket >= first))
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The first waiter, if there is one. It stays in its place until it leaves.
    pub(super) fn first(&self) -> Option<&W> {
        self.waiting.first_key_value().map(|(_, waiter)| waiter)
    }

    /// Takes out all waiters.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = W> + use<W> {
        std::mem::take(&mut self.waiting).into_values()
    }
}

/// Waiters without a ticket, first come, first woken; each once, however often it comes.
pub(super) struct RoomQueue<W: Waiter> {
    waiting: VecDeque<W>,
    /// Finds a waiter without a walk past the others. No other waker can get the identity of one that is held.
    known: HashSet<W::Identity>,
}

impl<W: Waiter> Default for RoomQueue<W> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), known: HashSet::new() }
    }
}

impl<W: Waiter> RoomQueue<W> {
    pub(super) fn wait(&mut self, waiter: &W) {
        if self.known.insert(waiter.identity()) {
            self.waiting.push_back(waiter.clone());
        }
    }

    /// Takes out the first waiter, to be woken.
    pub(super) fn wake_first(&mut self) -> Option<W> {
        let waiter = self.waiting.pop_front()?;
        self.known.remove(&waiter.identity());
        Some(waiter)
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes out all waiters.
    pub(super) fn clear(&mut self) -> VecDeque<W> {
        self.known.clear();
        std::mem::take(&mut self.waiting)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_million_who_wait_leave_from_the_middle_before_anybody_gives_up_on_them() {
        const WAITING: u64 = 1_000_000;
        let (done, left) = mpsc::channel();
        thread::spawn(move || {
            let mut queue = Queue::<u64>::default();
            for _ in 0..WAITING {
                queue.wait(None, &0);
            }
            // The middle is the farthest from both ends: there the most entries would move up.
            for ticket in (1..=WAITING / 2).rev().chain(WAITING / 2 + 1..=WAITING) {
                assert!(queue.leave(ticket).is_some());
            }
            done.send(queue.is_empty())
        });
        // The limit only turns a quadratic walk, which takes an hour, into a failure.
        assert_eq!(left.recv_timeout(Duration::from_secs(120)), Ok(true));
    }

    #[test]
    fn one_that_was_woken_and_waits_on_is_before_those_that_came_later_in_whatever_order_they_come_back() {
        let mut queue = Queue::<u64>::default();
        let tickets: Vec<u64> = (0..4).map(|_| queue.wait(None, &0).0).collect();
        for _ in 0..3 {
            assert!(queue.wake_first().is_some());
        }
        assert!(queue.was_woken(Some(tickets[0])) && queue.was_woken(Some(tickets[2])));
        assert!(queue.leave(tickets[1]).is_none(), "it was taken out");
        for back in [2, 0] {
            queue.wait(Some(tickets[back]), &0);
        }
        assert!(queue.is_first(Some(tickets[0])) && !queue.is_first(Some(tickets[2])) && !queue.is_first(None));
        assert!(queue.leave(tickets[0]).is_some());
        assert!(queue.is_first(Some(tickets[2])) && !queue.is_first(Some(tickets[3])));
        assert_eq!(queue.clear().count(), 2);
        assert!(queue.is_empty() && queue.is_first(None));
    }
}
