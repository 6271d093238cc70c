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
        Self { bytes: Vec::new(), mark: mark.max(1), promised: 0, bulk, first_unsent: 0 }
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

    /// Takes everything out to be written, in exchange for an empty buffer. No tag from `next_tag` on was used.
    pub(super) fn take(&mut self, empty: &mut Vec<u8>, next_tag: u64) {
        self.leaves(next_tag);
        std::mem::swap(&mut self.bytes, empty);
    }

    /// What is in the buffer will be written, whatever becomes of the connection.
    pub(super) fn leaves(&mut self, next_tag: u64) {
        self.first_unsent = next_tag;
        self.emptied();
    }

    /// What is in the buffer is never written.
    pub(super) fn discard(&mut self) {
        self.emptied();
        self.bytes = Vec::new();
    }

    /// Takes out the last bytes.
    pub(super) fn take_last(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
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
