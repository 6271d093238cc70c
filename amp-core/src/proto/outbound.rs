use super::attachments::{Attachment, Attachments};

/// So many bytes of bulk lie in the outbound buffer, if nothing else does: more has left the cache before it is written.
pub(crate) const MOST_BULK: usize = 96 * 1024;
/// What bulk is promised at least.
const LEAST_BULK: usize = 64;

/// Whole boxes in the order in which they are written, and how much room is left for more.
///
/// Waiters that were woken for room come later. So each is promised a part of it, and the promises of one turn of the driver
/// together are no more than the room that there was.
#[derive(Debug)]
pub(crate) struct Outbound {
    bytes: Vec<u8>,
    /// The high-water mark: from so many bytes on there is no room.
    mark: usize,
    /// What was promised in this turn, in bytes.
    promised: usize,
    bulk: Bulk,
    /// The first tag of which no ask has left to be written. Tags leave in their order, so one number says which have.
    first_unsent: u64,
    /// What is behind it stays until it is lifted.
    barrier: Option<Barrier>,
    /// None is behind the barrier.
    attachments: Attachments,
    /// Attachments whose bytes were thrown away. They are dropped under no lock.
    discarded: Attachments,
}

/// A place between two boxes.
#[derive(Clone, Copy, Debug)]
struct Barrier {
    at: usize,
    /// No ask before it has this tag or a later one.
    next_tag: u64,
}

/// The part of bulk in the buffer, all in bytes.
#[derive(Debug)]
struct Bulk {
    length: usize,
    /// What was promised in this turn.
    promised: usize,
    /// What one waiter brings: the most of late.
    usual: usize,
    /// How much else was there when the buffer was taken last.
    others: usize,
}

impl Outbound {
    pub(super) fn new(mark: usize) -> Self {
        let bulk = Bulk { length: 0, promised: 0, usual: MOST_BULK / 4, others: 0 };
        Self {
            bytes: Vec::new(),
            mark: mark.max(1),
            promised: 0,
            bulk,
            first_unsent: 0,
            barrier: None,
            attachments: Attachments::default(),
            discarded: Attachments::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What boxes are appended to. The rest of it stays as it is.
    #[inline]
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// What was appended from `start` on is bulk.
    pub(super) fn added_bulk(&mut self, start: usize) {
        let added = self.bytes.len() - start;
        self.bulk.length += added;
        self.bulk.usual = added.max(self.bulk.usual - self.bulk.usual / 8);
    }

    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.bytes.len() < self.mark
    }

    /// Whether there is room beside what was promised.
    pub(super) fn has_room_to_promise(&self) -> bool {
        self.bytes.len() + self.promised < self.mark
    }

    pub(super) fn promise(&mut self) {
        self.promised += (self.mark / 16).max(1);
    }

    /// Whether bulk has room, however much of the buffer calls have.
    pub(super) fn has_room_for_bulk(&self) -> bool {
        self.bulk.length < self.most_bulk()
    }

    /// Whether bulk has room for a waiter that was woken for it and is slow. It still finds some when others have brought more than
    /// usual, or it might never.
    pub(super) fn has_room_for_late_bulk(&self) -> bool {
        self.bulk.length < 2 * self.most_bulk()
    }

    pub(super) fn has_room_to_promise_bulk(&self) -> bool {
        self.bulk.length + self.bulk.promised < self.most_bulk()
    }

    pub(super) fn promise_bulk(&mut self) {
        self.bulk.promised += self.bulk.usual.max(LEAST_BULK);
    }

    /// A turn of the driver begins to promise: what was promised before has been used or is not.
    pub(super) fn promise_anew(&mut self) {
        (self.promised, self.bulk.promised) = (0, 0);
    }

    /// Whether there is something to be written now.
    pub(super) fn has_unheld(&self) -> bool {
        self.barrier.map_or(self.bytes.len(), |barrier| barrier.at) > 0
    }

    /// Takes out everything that is not held by a barrier, in exchange for an empty buffer. No tag from `next_tag` on was used.
    pub(super) fn take(&mut self, empty: &mut Vec<u8>, next_tag: u64) {
        self.leaves(next_tag);
        std::mem::swap(&mut self.bytes, empty);
        if self.barrier.is_some() {
            self.take_back_held(empty);
        }
    }

    /// Keeps what is behind the barrier of the bytes that were taken.
    #[cold]
    fn take_back_held(&mut self, taken: &mut Vec<u8>) {
        if let Some(barrier) = &mut self.barrier {
            self.bytes = taken.split_off(barrier.at);
            barrier.at = 0;
        }
    }

    /// Takes the attachments of the bytes that were just taken.
    pub(super) fn take_attachments(&mut self) -> Attachments {
        std::mem::take(&mut self.attachments)
    }

    #[inline]
    pub(super) fn has_attachments(&self) -> bool {
        !self.attachments.is_empty()
    }

    /// Attaches to the box that begins at `start`, the last one.
    pub(super) fn attach(&mut self, start: usize, attachments: Vec<Attachment>) {
        self.attachments.attach(start, attachments);
    }

    /// What is in the buffer will be written, but for what a barrier holds, whatever becomes of the connection.
    pub(super) fn leaves(&mut self, next_tag: u64) {
        self.first_unsent = self.barrier.map_or(next_tag, |barrier| barrier.next_tag);
        self.emptied();
    }

    /// What is in the buffer is never written.
    pub(super) fn discard(&mut self) {
        self.emptied();
        self.bytes = Vec::new();
        self.discarded.append(0, std::mem::take(&mut self.attachments));
        if let Some(barrier) = &mut self.barrier {
            barrier.at = 0;
        }
    }

    /// Takes out the last bytes, but for what a barrier holds: that was meant for another transport. Whether there was any.
    pub(super) fn take_last(&mut self) -> (Vec<u8>, bool) {
        let mut last = std::mem::take(&mut self.bytes);
        let unheld = self.barrier.map_or(last.len(), |barrier| barrier.at);
        let is_cut = unheld < last.len();
        last.truncate(unheld);
        (last, is_cut)
    }

    /// Holds what is appended from now on. No tag from `next_tag` on was used.
    pub(super) fn hold(&mut self, next_tag: u64) {
        self.barrier = Some(Barrier { at: self.bytes.len(), next_tag });
    }

    /// Holds nothing any more.
    pub(super) fn lift(&mut self) {
        self.barrier = None;
    }

    #[inline]
    pub(super) fn is_holding(&self) -> bool {
        self.barrier.is_some()
    }

    /// Whether everything before the barrier was taken.
    pub(super) fn is_at_barrier(&self) -> bool {
        self.barrier.is_some_and(|barrier| barrier.at == 0)
    }

    /// Inserts a box before the barrier, or appends it when there is none.
    pub(super) fn put_before_barrier(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let Some(barrier) = &mut self.barrier else { return put(&mut self.bytes) };
        let held = self.bytes.split_off(barrier.at);
        put(&mut self.bytes);
        barrier.at = self.bytes.len();
        self.bytes.extend_from_slice(&held);
    }

    /// Whether the ask with the tag was taken to be written: the peer may have it.
    pub(super) fn has_left(&self, tag: u64) -> bool {
        tag < self.first_unsent
    }

    /// How much bulk there may be: beside large calls as much as what they take, up to half of the buffer.
    fn most_bulk(&self) -> usize {
        self.bulk.others.max(MOST_BULK).clamp(1, (self.mark / 2).max(1))
    }

    fn emptied(&mut self) {
        let others = self.bytes.len().saturating_sub(self.bulk.length);
        (self.bulk.length, self.bulk.others) = (0, others);
    }
}
