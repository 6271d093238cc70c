use std::collections::VecDeque;

use super::give_back::give_back;
use crate::responder::Ask;

/// Asks that wait for their turn, in the order of arrival. Asks that want an answer do not wait behind notifications which may
/// not start: a running responder may wait for them.
#[derive(Default)]
pub(super) struct Waiting {
    calls: VecDeque<(u64, Ask)>,
    notifications: VecDeque<(u64, Ask)>,
    arrived: u64,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.calls.len() + self.notifications.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Releases the memory of queues that have grown large and are empty.
    pub(super) fn give_back(&mut self) {
        give_back(&mut self.calls);
        give_back(&mut self.notifications);
    }

    /// Takes in an ask, in memory of its own.
    pub(super) fn push(&mut self, ask: Ask) {
        self.arrived += 1;
        let queue = if ask.wants_answer() { &mut self.calls } else { &mut self.notifications };
        queue.push_back((self.arrived, ask.detached()));
    }

    /// Takes out the next ask, when calls or notifications or both may start.
    pub(super) fn next(&mut self, calls: bool, notifications: bool) -> Option<Ask> {
        let arrival =
            |queue: &VecDeque<(u64, Ask)>, may: bool| queue.front().filter(|_| may).map(|(arrived, _)| *arrived);
        let (call, notification) = (arrival(&self.calls, calls), arrival(&self.notifications, notifications));
        let is_call = call.is_some_and(|call| notification.is_none_or(|notification| call < notification));
        let queue = if is_call { &mut self.calls } else { &mut self.notifications };
        if is_call || notification.is_some() { queue.pop_front().map(|(_, ask)| ask) } else { None }
    }

    /// Whether there is a next ask when calls or notifications or both may start.
    pub(super) fn has_next(&self, calls: bool, notifications: bool) -> bool {
        (calls && !self.calls.is_empty()) || (notifications && !self.notifications.is_empty())
    }

    /// Takes out those that want an answer and are `cancelled`.
    pub(super) fn take_cancelled(&mut self, cancelled: impl Fn(&Ask) -> bool) -> Vec<Ask> {
        let calls = std::mem::take(&mut self.calls);
        let (taken, left): (VecDeque<_>, VecDeque<_>) = calls.into_iter().partition(|(_, ask)| cancelled(ask));
        self.calls = left;
        taken.into_iter().map(|(_, ask)| ask).collect()
    }

    /// Takes out those that want an answer.
    pub(super) fn take_calls(&mut self) -> impl Iterator<Item = Ask> + use<> {
        std::mem::take(&mut self.calls).into_iter().map(|(_, ask)| ask)
    }
}
