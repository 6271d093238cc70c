use std::collections::VecDeque;
use std::task::Waker;

/// Who waits for a place, first come, first served. Whoever is woken and does not come gives way when it leaves.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<(u64, Waker)>,
    next: u64,
}

impl Queue {
    /// Whether it is the turn of whoever holds the ticket, or of somebody new.
    pub(super) fn is_turn(&self, ticket: Option<u64>) -> bool {
        self.waiting.front().is_none_or(|(first, _)| Some(*first) == ticket)
    }

    /// Waits on, or begins to wait at the end.
    pub(super) fn wait(&mut self, ticket: Option<u64>, waker: &Waker) -> u64 {
        if let Some(ticket) = ticket
            && let Ok(at) = self.find(ticket)
        {
            self.waiting[at].1.clone_from(waker);
            return ticket;
        }
        self.next += 1;
        self.waiting.push_back((self.next, waker.clone()));
        self.next
    }

    /// Waits no more, in whatever way.
    pub(super) fn leave(&mut self, ticket: u64) {
        if let Ok(at) = self.find(ticket) {
            self.waiting.remove(at);
        }
    }

    /// Whose turn it is, if anybody waits.
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
