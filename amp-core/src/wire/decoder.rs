use bytes::BytesMut;

use super::{BoxLimits, Excerpt, MAX_KEY, RawBox, WireError, length_at};

/// Cuts a byte stream into boxes, however it is chopped: lengths are looked at as they come, values never.
///
/// Read into [`buffer`](Self::buffer), then call [`next_box`](Self::next_box) until it has no more.
/// After an error the stream has no place to go on from; the decoder repeats the error.
#[derive(Debug)]
pub struct BoxDecoder {
    buffer: BytesMut,
    limits: BoxLimits,
    walk: Walk,
}

/// How far the current box was walked; counted from its start.
#[derive(Clone, Copy, Debug)]
struct Walk {
    /// Where the next pair begins.
    at: usize,
    /// Where the pair before it begins, and how its key begins: no other is behind it when that is not known.
    last: usize,
    prefix: u32,
    pairs: usize,
    ascending: bool,
}

impl Walk {
    const START: Self = Self { at: 0, last: 0, prefix: 0, pairs: 0, ascending: true };
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
        Self { buffer, limits, walk: Walk::START }
    }

    /// What was received and not yet handed out as boxes. Append to it; do not take from it.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// How many received bytes belong to a box that is not whole yet.
    #[must_use]
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// How many bytes the buffer has room for behind the last whole box.
    #[cfg(feature = "tokio")]
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Takes back the bytes that follow the last whole box.
    #[must_use]
    pub fn into_leftover(self) -> BytesMut {
        self.buffer
    }

    /// The next whole box, or `None` until more bytes are appended.
    ///
    /// # Errors
    /// When the bytes are not boxes, or a box crosses a limit. Boxes before it were handed out (`wire.md` 2.1).
    #[inline]
    pub fn next_box(&mut self) -> Result<Option<RawBox>, WireError> {
        let mut walk = self.walk;
        let whole = walk.go_on(&self.buffer, self.limits);
        if matches!(whole, Ok(true)) {
            self.walk = Walk::START;
            return Ok(Some(RawBox::new(self.buffer.split_to(walk.at).freeze(), walk.ascending)));
        }
        self.walk = walk;
        whole.map(|_| None)
    }
}

impl Walk {
    /// Walks on as far as lengths have come. Whether the box is whole; then `at` is its end.
    ///
    /// How long the box is counts where the walk stops: what has come needs no more room.
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
            if length > MAX_KEY || self.pairs == limits.pairs {
                return self.refuse(bytes, length, limits);
            }
            let Some(value_length) = length_at(bytes, key_end) else {
                // Behind the key come at least the length of its value and the end of the box.
                return self.fits(key_end + 4, limits).map(|()| false);
            };
            let prefix = prefix(bytes, key_at, length);
            self.ascending &= self.prefix < prefix.unwrap_or(0) || is_less(bytes, self.last, self.at, self.pairs);
            (self.last, self.prefix, self.at) = (self.at, prefix.unwrap_or(u32::MAX), key_end + 2 + value_length);
            self.pairs += 1;
        }
        // The first pair is not claimed yet.
        let claimed = if self.pairs == 0 { 0 } else { self.at + 2 };
        self.fits(claimed, limits).map(|()| false)
    }

    #[inline]
    fn fits(&self, bytes: usize, limits: BoxLimits) -> Result<(), WireError> {
        if bytes > limits.bytes { Err(WireError::BoxTooLong { limit: limits.bytes }) } else { Ok(()) }
    }

    /// What is wrong with the key that has just begun, or with the pairs before it.
    #[cold]
    fn refuse(&self, bytes: &[u8], length: usize, limits: BoxLimits) -> Result<bool, WireError> {
        if self.pairs > 0 {
            self.fits(self.at + 2, limits)?;
        }
        Err(if length > MAX_KEY {
            WireError::KeyTooLong { length, start: Excerpt::of(bytes) }
        } else {
            WireError::TooManyPairs { limit: limits.pairs }
        })
    }
}

/// The first four bytes of a key, a shorter one filled up with zeros: smaller means a smaller key, and nearly always they
/// tell. At the very end of what has come there may be no four.
#[inline]
fn prefix(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    let word = *bytes.get(at..)?.first_chunk()?;
    let unused = 32 - 8 * length.min(4);
    Some(u32::from_be_bytes(word) >> unused << unused)
}

/// Compares the keys of two pairs; nothing is before the first one.
#[cold]
fn is_less(bytes: &[u8], one: usize, other: usize, pairs: usize) -> bool {
    pairs == 0 || whole_key(bytes, one) < whole_key(bytes, other)
}

fn whole_key(bytes: &[u8], pair: usize) -> Option<&[u8]> {
    bytes.get(pair + 2..pair + 2 + length_at(bytes, pair)?)
}
