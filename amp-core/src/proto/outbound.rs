use super::attachments::{Attachment, Attachments};

/// So many bytes of bulk lie in the outbound buffer, if nothing else does: more has left the cache before it is written.
pub(crate) const MAX_BULK: usize = 96 * 1024;
/// So many bytes hold all bulk, with the piece that crosses [`MAX_BULK`].
pub(crate) const BULK_CAPACITY: usize = MAX_BULK / 8 * 11;
/// A piece of bulk of so many bytes is followed by others.
const LARGE_BULK: usize = MAX_BULK / 8;
/// What bulk is promised at least.
const LEAST_BULK: usize = 64;

/// Whole boxes in the order in which they are written, and how much room is left for more.
///
/// Waiters that were woken for room come later. So each is promised a part of it, and the promises of one turn of the driver
/// together are no more than the room that there was.
#[derive(Debug)]
pub(crate) struct Outbound {
    /// With a barrier, what is behind it.
    bytes: Vec<u8>,
    /// From so many bytes on there is no room.
    high_water: usize,
    /// What was promised in this turn, in bytes.
    promised: usize,
    bulk: Bulk,
    /// The first tag of which no ask has left to be written. Tags leave in their order, so one number says which have.
    first_unsent: u64,
    barrier: Option<Barrier>,
    /// What is in front of the barrier and was not taken. It is apart from what is held, so that no code of a user's runs while bytes
    /// are moved.
    before: Vec<u8>,
    /// None is behind the barrier.
    attachments: Attachments,
    /// Attachments whose bytes were thrown away, until they can be dropped under no lock.
    discarded: Attachments,
}

/// What was still to be written when nothing more could be appended.
#[derive(Debug)]
pub(crate) struct LastBytes {
    pub(crate) bytes: Vec<u8>,
    pub(crate) attachments: Attachments,
    /// Whether a barrier held something, which is never written.
    pub(crate) is_cut: bool,
    /// What was attached to bytes that were thrown away. It is to be dropped under no lock.
    pub(crate) discarded: Attachments,
}

/// A place behind a box: what is appended later stays until the barrier is lifted.
#[derive(Clone, Copy, Debug)]
struct Barrier {
    /// Where the box begins that it was set behind, until that is taken.
    last_box: Option<usize>,
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

    /// How many bytes wait to be written, on both sides of a barrier.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.before.len()
    }

    /// How many bytes the buffers hold, filled or not.
    #[inline]
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.before.capacity()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How long the buffer is that boxes are [appended to](Self::buffer).
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.bytes.len()
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
        if added >= LARGE_BULK && self.bytes.capacity() < BULK_CAPACITY {
            // At once: to double for each piece would copy those before it, and end at nearly twice as much.
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

    /// Whether bulk has room, however much of the buffer calls have.
    pub(super) fn has_room_for_bulk(&self) -> bool {
        self.bulk.length < self.max_bulk()
    }

    /// Whether bulk has room for a waiter that was woken for it and is slow. It still finds some when others have brought more than
    /// usual, or it might never.
    pub(super) fn has_room_for_late_bulk(&self) -> bool {
        self.bulk.length < 2 * self.max_bulk()
    }

    pub(super) fn has_room_to_promise_bulk(&self) -> bool {
        self.bulk.length + self.bulk.promised < self.max_bulk()
    }

    pub(super) fn promise_bulk(&mut self) {
        self.bulk.promised += self.bulk.usual.max(LEAST_BULK);
    }

    /// A turn of the driver begins to promise: what was promised before has been used or is not.
    pub(super) fn promise_anew(&mut self) {
        (self.promised, self.bulk.promised) = (0, 0);
    }

    /// Whether there is something to be written now.
    #[inline]
    pub(super) fn has_unheld(&self) -> bool {
        let unheld = if self.barrier.is_some() { &self.before } else { &self.bytes };
        !unheld.is_empty()
    }

    /// Takes out everything that is not held by a barrier, in exchange for an empty buffer. No tag from `next_tag` on was used.
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

    /// Attaches to the box that begins at `start`, the last one.
    pub(super) fn attach(&mut self, start: usize, attachments: Vec<Attachment>) {
        self.attachments.attach(start, attachments);
    }

    /// What is in the buffer will be written, but for what a barrier holds, whatever becomes of the connection.
    pub(super) fn leaves(&mut self, next_tag: u64) {
        self.first_unsent = self.barrier.map_or(next_tag, |barrier| barrier.next_tag);
    }

    /// What is in the buffer is never written.
    pub(super) fn discard(&mut self) {
        self.emptied();
        (self.bytes, self.before) = (Vec::new(), Vec::new());
        if let Some(barrier) = &mut self.barrier {
            barrier.last_box = barrier.last_box.map(|_| 0);
        }
        self.discarded.append(0, std::mem::take(&mut self.attachments));
    }

    /// Takes the attachments whose bytes were thrown away.
    #[must_use = "they are to be dropped under no lock"]
    pub(super) fn take_discarded(&mut self) -> Attachments {
        std::mem::take(&mut self.discarded)
    }

    /// Puts the last box of the connection, in front of the box that the barrier is behind: what is behind that may belong to another
    /// protocol. Nothing when that box was taken.
    pub(super) fn put_last(&mut self, put: impl FnOnce(&mut Vec<u8>)) {
        let Some(barrier) = self.barrier else { return put(&mut self.bytes) };
        if let Some(at) = barrier.last_box {
            let mut last = Vec::new();
            put(&mut last);
            self.before.splice(at..at, last);
        }
    }

    /// Takes out the last bytes, but for what a barrier holds: that was meant for another transport.
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

    /// Holds nothing any more.
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

    /// What boxes are appended to that go before the barrier, if there is one.
    pub(super) fn before_barrier(&mut self) -> &mut Vec<u8> {
        if self.barrier.is_some() { &mut self.before } else { &mut self.bytes }
    }

    /// Whether the ask with the tag was taken to be written: the peer may have it.
    pub(super) fn has_left(&self, tag: u64) -> bool {
        tag < self.first_unsent
    }

    /// How much bulk there may be: beside large calls as much as what they take, up to half of the buffer.
    fn max_bulk(&self) -> usize {
        self.bulk.others.max(MAX_BULK).clamp(1, (self.high_water / 2).max(1))
    }

    fn emptied(&mut self) {
        let others = self.bytes.len().saturating_sub(self.bulk.length);
        (self.bulk.length, self.bulk.others) = (0, others);
    }
}
