use std::collections::{HashSet, VecDeque};
use std::task::Waker;

/// Who waits for a place, first come, first served: tickets ascend.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<(u64, Waker)>,
    next: u64,
    /// The first who was called of late.
    called: Option<u64>,
}

impl Queue {
    /// Whether it is the turn of whoever holds the ticket, or of somebody new. Those who were [called](Self::call) are
    /// before everybody who waits.
    pub(super) fn is_turn(&self, ticket: Option<u64>) -> bool {
        self.waiting.front().is_none_or(|(first, _)| ticket.is_some_and(|ticket| ticket <= *first))
    }

    /// Waits on, in the same place, or begins to wait at the end. Gives the ticket, and the waker that was there before: it is
    /// to be dropped under no lock.
    pub(super) fn wait(&mut self, ticket: Option<u64>, waker: &Waker) -> (u64, Option<Waker>) {
        if let Some(ticket) = ticket {
            let before = match self.find(ticket) {
                Ok(at) if self.waiting[at].1.will_wake(waker) => None,
                Ok(at) => Some(std::mem::replace(&mut self.waiting[at].1, waker.clone())),
                Err(at) => {
                    self.waiting.insert(at, (ticket, waker.clone()));
                    None
                }
            };
            return (ticket, before);
        }
        self.next += 1;
        self.waiting.push_back((self.next, waker.clone()));
        (self.next, None)
    }

    /// Waits no more, in whatever way. Gives the waker, which is to be dropped under no lock.
    pub(super) fn leave(&mut self, ticket: u64) -> Option<Waker> {
        let at = self.find(ticket).ok()?;
        self.waiting.remove(at).map(|(_, waker)| waker)
    }

    /// Takes out whose turn it is, to be woken. Whoever comes too late or not at all keeps nobody waiting.
    pub(super) fn call(&mut self) -> Option<Waker> {
        let (ticket, waker) = self.waiting.pop_front()?;
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
        self.waiting.front().map(|(_, waker)| waker)
    }

    /// Lets everybody go.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.waiting).into_iter().map(|(_, waker)| waker)
    }

    fn find(&self, ticket: u64) -> Result<usize, usize> {
        self.waiting.binary_search_by_key(&ticket, |(ticket, _)| *ticket)
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
