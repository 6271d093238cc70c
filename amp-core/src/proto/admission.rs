use super::credit::Credit;
use super::outbound::Outbound;
use super::queue::{Queue, RoomQueue};
use super::waiter::Waiter;

/// The resource that an ask needs before it goes out, besides room in the outbound buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// A place among the outstanding calls.
    Call,
    /// Credit of the peer.
    Notify,
    /// Nothing: a responder sends it, and the place that it would wait for may wait for that responder. Callbacks do not wait for
    /// each other; each goes out when there is room.
    Callback,
    /// Nothing, and it has a part of the buffer of its own. It takes no place.
    Bulk,
}

impl Lane {
    /// Whether it may wait for a resource that only the peer's responders release.
    pub(crate) fn is_limited(self) -> bool {
        matches!(self, Self::Call | Self::Notify)
    }
}

/// Order of sending: the first waiter of each lane's queue may send, as soon as the resource of its lane is available.
///
/// Calls and notifications are woken when there is a place or credit for the first waiter, which stays first until it sends or
/// leaves. Waiters that need only room are taken out of their queue when they are woken, so that a slow one blocks no other.
pub(crate) struct Admission<W: Waiter> {
    max_calls: usize,
    credit: Credit,
    calls: Queue<W>,
    notifications: Queue<W>,
    callbacks: Queue<W>,
    bulk: Queue<W>,
    /// Waiters for room without a place in a queue.
    room: RoomQueue<W>,
}

impl<W: Waiter> Admission<W> {
    pub(super) fn new(max_calls: usize, credit: Credit) -> Self {
        Self {
            max_calls: max_calls.max(1),
            credit,
            calls: Queue::default(),
            notifications: Queue::default(),
            callbacks: Queue::default(),
            bulk: Queue::default(),
            room: RoomQueue::default(),
        }
    }

    /// Whether the holder of the ticket, or a new waiter, may send now, while `out` calls take a place.
    #[inline]
    pub(super) fn admits(&self, lane: Lane, ticket: Option<u64>, outbound: &Outbound, out: usize) -> bool {
        match lane {
            Lane::Call => self.has_place(outbound, out) && self.calls.is_first(ticket),
            Lane::Notify => self.has_credit(outbound) && self.notifications.is_first(ticket),
            Lane::Callback => outbound.has_room(),
            Lane::Bulk => {
                (outbound.has_room_for_bulk() && self.bulk.is_first(ticket))
                    || (outbound.has_room_for_late_bulk() && self.bulk.was_woken(ticket))
            }
        }
    }

    /// Keeps waiting in the same place, or begins to wait at the end. Returns the ticket, and the previous waiter.
    pub(super) fn wait(&mut self, lane: Lane, ticket: Option<u64>, waiter: &W) -> (u64, Option<W>) {
        self.queue(lane).wait(ticket, waiter)
    }

    /// Leaves the queue, for whatever reason. Returns the waiter that was there.
    pub(super) fn leave(&mut self, lane: Lane, ticket: u64) -> Option<W> {
        self.queue(lane).leave(ticket)
    }

    /// Waits for room without a place in a queue.
    pub(super) fn wait_for_room(&mut self, waiter: &W) {
        self.room.wait(waiter);
    }

    /// The call to wake because there is a place. It stays the first until it leaves.
    pub(super) fn next_call(&self, outbound: &Outbound, out: usize) -> Option<W> {
        self.has_place(outbound, out).then(|| self.calls.first().cloned()).flatten()
    }

    /// The notification to wake because there is credit and room. It stays the first until it leaves.
    pub(super) fn next_notification(&self, outbound: &Outbound) -> Option<W> {
        self.has_credit(outbound).then(|| self.notifications.first().cloned()).flatten()
    }

    /// A turn of the driver begins to promise room again, from zero.
    pub(super) fn forget_promises(&mut self, outbound: &mut Outbound) {
        outbound.promise_anew();
        self.bulk.forget_woken();
    }

    /// Takes out the waiters to wake because there is room, as many as it can be promised to.
    pub(super) fn promise_room(&mut self, outbound: &mut Outbound, woken: &mut Vec<W>) {
        if !self.is_room_waited_for() {
            return;
        }
        while outbound.has_room_to_promise()
            && let Some(next) = self.callbacks.wake_first().or_else(|| self.room.wake_first())
        {
            outbound.promise();
            woken.push(next);
        }
        while outbound.has_room_to_promise_bulk()
            && let Some(next) = self.bulk.wake_first()
        {
            outbound.promise_bulk();
            woken.push(next);
        }
    }

    /// Whether any waiter needs only room. Then the driver must have another turn.
    #[inline]
    pub(super) fn is_room_waited_for(&self) -> bool {
        !(self.bulk.is_empty() && self.callbacks.is_empty() && self.room.is_empty())
    }

    pub(super) fn credit(&mut self) -> &mut Credit {
        &mut self.credit
    }

    /// Takes out all waiters.
    pub(super) fn clear(&mut self, woken: &mut Vec<W>) {
        woken.extend(self.room.clear());
        for queue in [&mut self.bulk, &mut self.calls, &mut self.notifications, &mut self.callbacks] {
            woken.extend(queue.clear());
        }
    }

    fn has_place(&self, outbound: &Outbound, out: usize) -> bool {
        outbound.has_room() && out < self.max_calls
    }

    fn has_credit(&self, outbound: &Outbound) -> bool {
        outbound.has_room() && self.credit.is_left(outbound.len())
    }

    fn queue(&mut self, lane: Lane) -> &mut Queue<W> {
        match lane {
            Lane::Call => &mut self.calls,
            Lane::Notify => &mut self.notifications,
            Lane::Callback => &mut self.callbacks,
            Lane::Bulk => &mut self.bulk,
        }
    }
}
