use super::attachments::{Attachment, Attachments};

/// Bytes of bulk that may lie in the outbound buffer, if nothing else does: more than this has left the cache before it is
/// written.
pub(crate) const MAX_BULK: usize = 96 * 1024;
/// Capacity for all bulk, with the piece that exceeds [`MAX_BULK`].
pub(crate) const BULK_CAPACITY: usize = MAX_BULK / 8 * 11;
/// A piece of bulk of at least this many bytes is followed by others.
const LARGE_BULK: usize = MAX_BULK / 8;
/// The least that bulk is promised.
const LEAST_BULK: usize = 64;

/// Whole boxes in the order in which they are written, and the room that is left for more.
///
/// A woken waiter runs later. So each is promised a part of the room, and the promises of one turn of the driver together do not
/// exceed the room that there was.
#[derive(Debug)]
pub(crate) struct Outbound {
    /// With a barrier, the bytes behind it.
    bytes: Vec<u8>,
    /// High-water mark: from this many bytes on there is no room.
    high_water: usize,
    /// Bytes promised in this turn.
    promised: usize,
    bulk: Bulk,
    /// The first tag whose ask has not left to be written. Tags leave in order, so one number says which have left.
    first_unsent: u64,
    barrier: Option<Barrier>,
    /// Bytes in front of the barrier that were not taken. They are apart from the held bytes, so that no user code runs while
    /// bytes are moved.
    before: Vec<u8>,
    /// No attachment is behind the barrier.
    attachments: Attachments,
    /// Attachments whose bytes were discarded, until they can be dropped under no lock.
    discarded: Attachments,
}

/// Bytes that were still to be written when nothing more could be appended.
#[derive(Debug)]
pub(crate) struct LastBytes {
    pub(crate) bytes: Vec<u8>,
    pub(crate) attachments: Attachments,
    /// Whether a barrier held bytes, which are never written.
    pub(crate) is_cut: bool,
    /// Attachments of discarded bytes. To be dropped under no lock.
    pub(crate) discarded: Attachments,
}

/// A position behind a box: bytes appended later stay until the barrier is lifted.
#[derive(Clone, Copy, Debug)]
struct Barrier {
    /// Start of the box behind which the barrier is set, until that box is taken.
    last_box: Option<usize>,
    /// No ask before it has this tag or a later one.
    next_tag: u64,
}

/// The share of bulk in the buffer, all in bytes.
#[derive(Debug)]
struct Bulk {
    length: usize,
    /// Promised in this turn.
    promised: usize,
    /// Bytes that one waiter usually appends: the largest recent amount.
    usual: usize,
    /// How many other bytes there were when the buffer was taken last.
    others: usize,
}

impl Outbound {
    pub(super) fn new(high_water: usize) -> Self {
        let bulk = Bulk { length: 0, promised: 0, usual: MAX_BULK / 4, others: 0 };
        Self {
            bytes: Vec::new(),
            high_water: high_water.max(1),
            promised: 0,
            bulk,
            first_unsent: 0,
            barrier: None,
            before: Vec::new(),
            attachments: Attachments::default(),
            discarded: Attachments::default(),
        }
    }

    /// Returns how many bytes wait to be written, on both sides of a barrier.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.before.len()
    }

    /// Returns the capacity of the buffers.
    #[inline]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.before.capacity()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the length of the buffer that boxes are [appended to](Self::buffer).
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.bytes.len()
    }

    /// The buffer that boxes are appended to. Existing bytes stay as they are.
    #[inline]
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The bytes appended from `start` on are bulk.
    pub(super) fn added_bulk(&mut self, start: usize) {
        let added = self.bytes.len() - start;
        self.bulk.length += added;
        self.bulk.usual = added.max(self.bulk.usual - self.bulk.usual / 8);
        if added >= LARGE_BULK && self.bytes.capacity() < BULK_CAPACITY {
            // Reserved at once: doubling for each piece would copy the earlier pieces, and end at nearly twice as much.
            self.bytes.reserve_exact(BULK_CAPACITY - self.bytes.len());
        }
    }

    #[inline]
    pub(super) fn has_room(&self) -> bool {
        self.len() < self.high_water
    }

    /// Whether there is room beside what was promised.
    pub(super) fn has_room_to_promise(&self) -> bool {
        self.len() + self.promised < self.high_water
    }

    pub(super) fn promise(&mut self) {
        self.promised += (self.high_water / 16).max(1);
    }

    /// Whether bulk has room, however much of the buffer calls use.
    pub(super) fn has_room_for_bulk(&self) -> bool {
        self.bulk.length < self.max_bulk()
    }

    /// Whether bulk has room for a woken waiter that comes late. It still finds room after others have appended more than usual,
    /// or it might be starved.
    pub(super) fn has_room_for_late_bulk(&self) -> bool {
        self.bulk.length < 2 * self.max_bulk()
    }

    pub(super) fn has_room_to_promise_bulk(&self) -> bool {
        self.bulk.length + self.bulk.promised < self.max_bulk()
    }

    pub(super) fn promise_bulk(&mut self) {
        self.bulk.promised += self.bulk.usual.max(LEAST_BULK);
    }

    /// A turn of the driver begins to promise: earlier promises have been used or will not be.
    pub(super) fn promise_anew(&mut self) {
        (self.promised, self.bulk.promised) = (0, 0);
    }

    /// Whether there are bytes to write now.
    #[inline]
    pub(super) fn has_unheld(&self) -> bool {
        let unheld = if self.barrier.is_some() { &self.before } else { &self.bytes };
        !unheld.is_empty()
    }

    /// Takes out all bytes that are not held by a barrier, in exchange for an empty buffer. No tag from `next_tag` on was used.
    #[inline]
    pub(super) fn take(&mut self, empty: &mut Vec<u8>, attachments: &mut Attachments, next_tag: u64) {
        if !self.attachments.is_empty() {
            *attachments = std::mem::take(&mut self.attachments);
        }
        if self.barrier.is_some() {
            return self.take_before_barrier(empty);
        }
        self.first_unsent = next_tag;
        self.emptied();
        std::mem::swap(&mut self.bytes, empty);
    }

    #[cold]
    fn take_before_barrier(&mut self, empty: &mut Vec<u8>) {
        if let Some(barrier) = &mut self.barrier {
            self.first_unsent = barrier.next_tag;
            barrier.last_box = None;
            std::mem::swap(&mut self.before, empty);
        }
    }

    /// Takes out an empty buffer that is larger than `max`, to be dropped under no lock.
    #[cold]
    pub(super) fn release(&mut self, max: usize) -> Vec<u8> {
        if self.bytes.is_empty() && self.bytes.capacity() > max { std::mem::take(&mut self.bytes) } else { Vec::new() }
    }

    /// Attaches to the box that begins at `start`, the last one.
    pub(super) fn attach(&mut self, start: usize, attachments: Vec<Attachment>) {
        self.attachments.attach(start, attachments);
    }

    /// The buffered bytes will be written, except those that a barrier holds, however the connection goes on.
    pub(super) fn leaves(&mut self, next_tag: u64) {
        self.first_unsent = self.barrier.map_or(next_tag, |barrier| barrier.next_tag);
    }

    /// The buffered bytes are never written.
    pub(super) fn discard(&mut self) {
        self.emptied();
        (self.bytes, self.before) = (Vec::new(), Vec::new());
        if let Some(barrier) = &mut self.barrier {
            barrier.last_box = barrier.last_box.map(|_| 0);
        }
        self.discarded.append(0, std::mem::take(&mut self.attachments));
    }

    /// Takes the attachments whose bytes were discarded.
    #[must_use = "they are to be dropped under no lock"]
    pub(super) fn take_discarded(&mut self) -> Attachments {
        std::mem::take(&mut self.discarded)
    }

    /// Puts the last box of the connection in front of the box that the barrier is behind: bytes behind that box may belong to
    /// another protocol. Puts nothing if that box was taken.
    pub(super) fn put_last(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let Some(barrier) = self.barrier else { return put(&mut self.bytes) };
        if let Some(at) = barrier.last_box {
            let mut last = Vec::new();
            put(&mut last);
            self.before.splice(at..at, last);
        }
    }

    /// Takes out the last bytes, except those that a barrier holds: they were meant for another transport.
    pub(super) fn take_last(&mut self) -> LastBytes {
        let bytes = std::mem::take(&mut self.bytes);
        let (bytes, is_cut) = match &mut self.barrier {
            Some(barrier) => {
                barrier.last_box = None;
                (std::mem::take(&mut self.before), !bytes.is_empty())
            }
            None => (bytes, false),
        };
        LastBytes {
            bytes,
            attachments: std::mem::take(&mut self.attachments),
            is_cut,
            discarded: self.take_discarded(),
        }
    }

    /// Sets a barrier behind the last box, which begins at `last_box`. No tag from `next_tag` on was used.
    pub(super) fn hold(&mut self, last_box: usize, next_tag: u64) {
        debug_assert!(self.barrier.is_none(), "one transport is replaced at a time");
        self.emptied();
        self.before = std::mem::take(&mut self.bytes);
        self.barrier = Some(Barrier { last_box: Some(last_box), next_tag });
    }

    /// Lifts the barrier.
    pub(super) fn lift(&mut self) {
        if self.barrier.take().is_some() && !self.before.is_empty() {
            let held = std::mem::replace(&mut self.bytes, std::mem::take(&mut self.before));
            self.bytes.extend(held);
        }
    }

    #[inline]
    pub(super) fn is_holding(&self) -> bool {
        self.barrier.is_some()
    }

    /// Whether everything before the barrier was taken.
    pub(super) fn is_at_barrier(&self) -> bool {
        self.barrier.is_some() && self.before.is_empty()
    }

    /// The buffer for boxes that go before the barrier, if there is one.
    pub(super) fn before_barrier(&mut self) -> &mut Vec<u8> {
        if self.barrier.is_some() { &mut self.before } else { &mut self.bytes }
    }

    /// Whether the ask with the tag was taken to be written: the peer may have it.
    pub(super) fn has_left(&self, tag: u64) -> bool {
        tag < self.first_unsent
    }

    /// Returns how much bulk there may be: beside large calls as much as they take, up to half of the buffer.
    fn max_bulk(&self) -> usize {
        self.bulk.others.max(MAX_BULK).clamp(1, (self.high_water / 2).max(1))
    }

    fn emptied(&mut self) {
        let others = self.bytes.len().saturating_sub(self.bulk.length);
        (self.bulk.length, self.bulk.others) = (0, others);
    }
}
