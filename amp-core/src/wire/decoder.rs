use bytes::{Buf, Bytes, BytesMut};

use super::{BoxLimits, Excerpt, MAX_KEY, RawBox, WireError, is_ascending, length_at};

/// If more than this would stay allocated behind a box, the box is copied out: such a buffer was made for a large box, and is not shared.
const LARGE_BUFFER: usize = 128 * 1024;

/// Cuts a byte stream into boxes, however it is chopped. It inspects lengths as they arrive, values never.
///
/// Read into [`buffer`](Self::buffer), then call [`next_box`](Self::next_box) until it has no more. After an error there is no
/// position to continue from; the decoder repeats the error.
#[doc(alias("parse", "parseString", "BinaryBoxProtocol"))]
#[derive(Debug)]
pub struct BoxDecoder {
    buffer: BytesMut,
    /// The size of the allocation that the buffer is a part of, or was before a caller [appended](Self::buffer) to it.
    allocation: usize,
    limits: BoxLimits,
    walk: Walk,
}

/// Progress of the walk through the current box; counted from its start.
#[derive(Clone, Copy, Debug)]
struct Walk {
    /// Where the next pair begins.
    at: usize,
    /// The beginning of the previous key, as long as beginnings show that each key sorts after the one before it; else
    /// [`UNKNOWN`], which no key sorts after.
    prefix: u32,
    pairs: usize,
}

const UNKNOWN: u32 = u32::MAX;

impl Walk {
    const START: Self = Self { at: 0, prefix: 0, pairs: 0 };
}

impl BoxDecoder {
    /// A decoder at the start of a stream.
    #[must_use]
    pub fn new(limits: BoxLimits) -> Self {
        Self::with_leftover(limits, BytesMut::new())
    }

    /// A decoder for a stream whose first bytes were already read.
    #[must_use]
    pub fn with_leftover(limits: BoxLimits, buffer: BytesMut) -> Self {
        Self { allocation: buffer.capacity(), buffer, limits, walk: Walk::START }
    }

    /// The received bytes that were not yet handed out as boxes. Append to it; do not take from it.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Makes room for a read of `size` bytes, or of half as many if the buffer then keeps its size, or of the rest of the current
    /// box.
    ///
    /// `BytesMut::reserve` alone would hide the size of the allocation that boxes are slices of.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn reserve(&mut self, size: usize) {
        if self.buffer.capacity() - self.buffer.len() < size / 2 && !self.has_room_for_box() {
            self.reserve_anew(size);
        }
    }

    /// Whether the current box ends within the buffer, as far as it was walked. Then it is not moved for a larger read: most
    /// bytes of a bulk transfer would be copied once more.
    #[cfg(feature = "tokio")]
    fn has_room_for_box(&self) -> bool {
        let end = self.walk.at + super::END.len();
        // The length of a box that has hardly begun is unknown.
        self.walk.pairs > 0 && (self.buffer.len() + 1..=self.buffer.capacity()).contains(&end)
    }

    #[cfg(feature = "tokio")]
    fn reserve_anew(&mut self, size: usize) {
        if self.allocation >= size && self.buffer.try_reclaim(size / 2) {
            return;
        }
        let length = self.buffer.len();
        if self.buffer.capacity() == self.allocation && length > size / 2 {
            // Nothing was cut off it. It grows by doubling, so that a large box is not copied for each read.
            self.buffer.reserve(size / 2);
            self.allocation = self.buffer.capacity();
        } else {
            // Behind many copied bytes there is room for a whole read, or large boxes would be copied at each read. Otherwise the
            // size is always the same: the allocator can reuse one.
            self.move_to(if length <= size / 4 { size } else { length + size });
        }
    }

    /// Releases the buffer, if it [may](Self::gives_back).
    #[cfg(feature = "tokio")]
    pub(crate) fn give_back(&mut self, max: usize) -> bool {
        let gives = self.gives_back(max);
        if gives {
            self.move_to(self.buffer.len());
        }
        gives
    }

    /// Whether the buffer may be released: not if it is as small as `max` or holds more than half of that, because then the next
    /// read would want a larger one again. More bytes than that are moved out of an allocation that is more than four times as
    /// large, such as the beginning of a box behind a large one; an allocation that has grown for its own box is smaller.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn gives_back(&self, max: usize) -> bool {
        self.allocation > max && self.buffer.len() <= (max / 2).max(self.allocation / 4)
    }

    /// Moves the bytes that were not handed out to a buffer with room for `capacity`.
    #[cfg(feature = "tokio")]
    fn move_to(&mut self, capacity: usize) {
        let mut buffer = BytesMut::with_capacity(capacity);
        buffer.extend_from_slice(&self.buffer);
        self.allocation = buffer.capacity();
        self.buffer = buffer;
    }

    /// The received bytes that were not yet handed out as boxes.
    #[cfg(feature = "testing")]
    pub(crate) fn pending(&self) -> &[u8] {
        &self.buffer
    }

    /// Returns how many received bytes belong to a box that is not whole yet.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Returns how many bytes the buffer has room for behind the last whole box.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Returns how many bytes the buffer keeps allocated, including those in front of its contents, from which boxes were cut
    /// that may be dropped.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn allocation(&self) -> usize {
        self.allocation
    }

    /// Returns the minimum number of bytes until the end of the current box. Reading that many never reads into the next box.
    #[cfg(feature = "testing")]
    pub(crate) fn missing(&self) -> usize {
        let at = self.walk.at;
        // A key, once its length is known, has the length of its value behind it.
        let key = length_at(&self.buffer, at).map_or(0, |key| key + 2);
        (at + key + 2).saturating_sub(self.buffer.len())
    }

    /// Takes back the bytes that follow the last whole box.
    #[must_use]
    pub fn into_leftover(self) -> BytesMut {
        self.buffer
    }

    /// Returns the next whole box, or `None` until more bytes are appended.
    ///
    /// # Errors
    /// If the bytes are not boxes, or a box exceeds a limit. Boxes before it were handed out (`wire.md` 2.1).
    #[inline]
    pub fn next_box(&mut self) -> Result<Option<RawBox>, WireError> {
        let mut walk = self.walk;
        let whole = walk.go_on(&self.buffer, self.limits);
        if matches!(whole, Ok(true)) {
            self.walk = Walk::START;
            // Not the capacity: the buffer grows in another way only if a program appends to it itself.
            let pinned = self.allocation.max(walk.at);
            if pinned > LARGE_BUFFER && pinned / 2 > walk.at {
                return Ok(Some(walk.boxed(self.copy_out(walk.at), walk.at)));
            }
            return Ok(Some(walk.boxed(self.buffer.split_to(walk.at).freeze(), pinned)));
        }
        self.walk = walk;
        whole.map(|_| None)
    }

    /// Takes out `length` bytes in memory of their own, so that they do not keep a large buffer.
    #[cold]
    fn copy_out(&mut self, length: usize) -> Bytes {
        let bytes = Bytes::copy_from_slice(&self.buffer[..length]);
        self.buffer.advance(length);
        bytes
    }
}

impl Walk {
    /// Walks on as far as lengths have arrived. Returns whether the box is whole; then `at` is its end.
    ///
    /// The length of the box is checked where the walk stops: received bytes need no more room.
    #[inline]
    fn go_on(&mut self, bytes: &[u8], limits: BoxLimits) -> Result<bool, WireError> {
        while let Some(length) = length_at(bytes, self.at) {
            let key_at = self.at + 2;
            let key_end = key_at + length;
            if length == 0 {
                return self.fits(key_end, limits).map(|()| {
                    self.at = key_end;
                    true
                });
            }
            if length > MAX_KEY {
                return self.refuse(limits, || WireError::KeyTooLong { length, start: Excerpt::of(bytes) });
            }
            if self.pairs == limits.pairs {
                return self.refuse(limits, || WireError::TooManyPairs { limit: limits.pairs });
            }
            let Some(value_length) = length_at(bytes, key_end) else {
                // At least the length of the value and the end of the box follow the key.
                return self.fits(key_end + 4, limits).map(|()| false);
            };
            let prefix = prefix(bytes, key_at, length).unwrap_or(UNKNOWN);
            self.prefix = if self.prefix < prefix { prefix } else { UNKNOWN };
            self.at = key_end + 2 + value_length;
            self.pairs += 1;
        }
        // The first pair is not claimed yet.
        let claimed = if self.pairs == 0 { 0 } else { self.at + 2 };
        self.fits(claimed, limits).map(|()| false)
    }

    /// The box whose `bytes` were walked through.
    #[inline]
    fn boxed(self, bytes: Bytes, pinned: usize) -> RawBox {
        let ascending = self.prefix != UNKNOWN || is_ascending(&bytes);
        RawBox::new(bytes, ascending, pinned)
    }

    #[inline]
    fn fits(&self, bytes: usize, limits: BoxLimits) -> Result<(), WireError> {
        if bytes > limits.bytes { Err(WireError::BoxTooLong { limit: limits.bytes }) } else { Ok(()) }
    }

    /// Returns the fault of the pairs before the key that has just begun, or `own` of that key.
    #[cold]
    fn refuse(&self, limits: BoxLimits, own: impl FnOnce() -> WireError) -> Result<bool, WireError> {
        if self.pairs > 0 {
            self.fits(self.at + 2, limits)?;
        }
        Err(own())
    }
}

/// The first four bytes of a key, a shorter key padded with zeros: smaller means a smaller key, and nearly always they suffice.
/// At the very end of the received bytes there may be fewer than four.
#[inline]
fn prefix(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    const USED: [u32; 5] = [0, 0xff00_0000, 0xffff_0000, 0xffff_ff00, 0xffff_ffff];
    let word = *bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(word) & USED[length.min(4)])
}

#[cfg(all(test, feature = "tokio"))]
mod tests;
