use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::task::Waker;

/// Who waits for a place, first come, first served: tickets ascend. Coming and leaving cost the logarithm of how many wait,
/// in whatever order they leave: it happens under the connection's lock.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: BTreeMap<u64, Waker>,
    next: u64,
    /// The first who was called of late.
    called: Option<u64>,
}

impl Queue {
    /// Whether it is the turn of whoever holds the ticket, or of somebody new. Those who were [called](Self::call) are
    /// before everybody who waits.
    pub(super) fn is_turn(&self, ticket: Option<u64>) -> bool {
        self.waiting.first_key_value().is_none_or(|(first, _)| ticket.is_some_and(|ticket| ticket <= *first))
    }

    /// Waits on, in the same place, or begins to wait at the end. Gives the ticket, and the waker that was there before: it is
    /// to be dropped under no lock.
    pub(super) fn wait(&mut self, ticket: Option<u64>, waker: &Waker) -> (u64, Option<Waker>) {
        let ticket = ticket.unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        let before = match self.waiting.entry(ticket) {
            Entry::Occupied(place) if place.get().will_wake(waker) => None,
            Entry::Occupied(mut place) => Some(place.insert(waker.clone())),
            Entry::Vacant(place) => {
                place.insert(waker.clone());
                None
            }
        };
        (ticket, before)
    }

    /// Waits no more, in whatever way. Gives the waker, which is to be dropped under no lock.
    pub(super) fn leave(&mut self, ticket: u64) -> Option<Waker> {
        self.waiting.remove(&ticket)
    }

    /// Takes out whose turn it is, to be woken. Whoever comes too late or not at all keeps nobody waiting.
    pub(super) fn call(&mut self) -> Option<Waker> {
        let (ticket, waker) = self.waiting.pop_first()?;
        self.called = Some(self.called.map_or(ticket, |first| first.min(ticket)));
        Some(waker)
    }

    /// Who was called until now has had time enough.
    pub(super) fn call_anew(&mut self) {
        self.called = None;
    }

    /// Whether whoever holds the ticket was called of late.
    pub(super) fn is_called(&self, ticket: Option<u64>) -> bool {
        self.is_turn(ticket) && self.called.is_some_and(|first| ticket.is_some_and(|ticket| ticket >= first))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whose turn it is, if anybody waits. It stays in its place until it leaves.
    pub(super) fn first(&self) -> Option<&Waker> {
        self.waiting.first_key_value().map(|(_, waker)| waker)
    }

    /// Lets everybody go.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.waiting).into_values()
    }
}

/// Who waits without a ticket, first come, first woken; each waker once, however often it comes.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    waiting: VecDeque<Waker>,
    /// What the wakers of the queue wake: who looks again is found without a walk past the others.
    known: HashSet<(usize, usize)>,
}

impl Crowd {
    pub(super) fn wait(&mut self, waker: &Waker) {
        if self.known.insert(identity(waker)) {
            self.waiting.push_back(waker.clone());
        }
    }

    pub(super) fn call(&mut self) -> Option<Waker> {
        let waker = self.waiting.pop_front()?;
        self.known.remove(&identity(&waker));
        Some(waker)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Lets everybody go.
    pub(super) fn clear(&mut self) -> VecDeque<Waker> {
        self.known.clear();
        std::mem::take(&mut self.waiting)
    }
}

/// Two wakers with the same identity wake the same: `Waker::will_wake`, as something to look up. Nobody else gets the
/// address while the waker is held.
fn identity(waker: &Waker) -> (usize, usize) {
    (waker.data().addr(), std::ptr::from_ref(waker.vtable()).addr())
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
            let mut queue = Queue::default();
            for _ in 0..WAITING {
                queue.wait(None, Waker::noop());
            }
            // The middle is the farthest from both ends: what moves up behind who leaves is the most there.
            for ticket in (1..=WAITING / 2).rev().chain(WAITING / 2 + 1..=WAITING) {
                assert!(queue.leave(ticket).is_some());
            }
            done.send(queue.is_empty())
        });
        // The limit only turns a quadratic walk, which takes an hour, into a failure.
        assert_eq!(left.recv_timeout(Duration::from_secs(120)), Ok(true));
    }

    #[test]
    fn who_was_called_and_waits_on_is_before_who_came_later_in_whatever_order_they_come_back() {
        let mut queue = Queue::default();
        let tickets: Vec<u64> = (0..4).map(|_| queue.wait(None, Waker::noop()).0).collect();
        for _ in 0..3 {
            assert!(queue.call().is_some());
        }
        assert!(queue.is_called(Some(tickets[0])) && queue.is_called(Some(tickets[2])));
        assert!(queue.leave(tickets[1]).is_none(), "it was taken out");
        for back in [2, 0] {
            queue.wait(Some(tickets[back]), Waker::noop());
        }
        assert!(queue.is_turn(Some(tickets[0])) && !queue.is_turn(Some(tickets[2])) && !queue.is_turn(None));
        assert!(queue.leave(tickets[0]).is_some());
        assert!(queue.is_turn(Some(tickets[2])) && !queue.is_turn(Some(tickets[3])));
        assert_eq!(queue.clear().count(), 2);
        assert!(queue.is_empty() && queue.is_turn(None));
    }
}
