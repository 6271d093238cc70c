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
    /// Where the pair before it begins.
    last: usize,
    pairs: usize,
    ascending: bool,
}

impl Walk {
    const START: Self = Self { at: 0, last: 0, pairs: 0, ascending: true };
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

    /// Takes back the bytes that follow the last whole box.
    #[must_use]
    pub fn into_leftover(self) -> BytesMut {
        self.buffer
    }

    /// The next whole box, or `None` until more bytes are appended.
    ///
    /// # Errors
    /// When the bytes are not boxes, or a box crosses a limit. Boxes before it were handed out (`wire.md` 2.1).
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
    #[inline]
    fn go_on(&mut self, bytes: &[u8], limits: BoxLimits) -> Result<bool, WireError> {
        while let Some(length) = length_at(bytes, self.at) {
            let key_end = self.at + 2 + length;
            if length == 0 {
                if key_end > limits.bytes {
                    return Err(WireError::BoxTooLong { limit: limits.bytes });
                }
                self.at = key_end;
                return Ok(true);
            }
            if length > MAX_KEY {
                return Err(key_too_long(bytes, length));
            }
            if self.pairs == limits.pairs {
                return Err(WireError::TooManyPairs { limit: limits.pairs });
            }
            // Behind the key come at least the length of its value and the end of the box.
            if key_end + 4 > limits.bytes {
                return Err(WireError::BoxTooLong { limit: limits.bytes });
            }
            let Some(value_length) = length_at(bytes, key_end) else { break };
            let end = key_end + 2 + value_length;
            if end + 2 > limits.bytes {
                return Err(WireError::BoxTooLong { limit: limits.bytes });
            }
            self.ascending &= self.pairs == 0 || is_less(bytes, self.last, self.at);
            (self.last, self.at) = (self.at, end);
            self.pairs += 1;
        }
        Ok(false)
    }
}

#[cold]
fn key_too_long(bytes: &[u8], length: usize) -> WireError {
    WireError::KeyTooLong { length, start: Excerpt::of(bytes) }
}

/// Compares the keys of two pairs; nearly always their first bytes tell.
#[inline]
fn is_less(bytes: &[u8], one: usize, other: usize) -> bool {
    match (bytes.get(one + 2), bytes.get(other + 2)) {
        (Some(a), Some(b)) if a != b => a < b,
        _ => whole_key(bytes, one) < whole_key(bytes, other),
    }
}

#[cold]
fn whole_key(bytes: &[u8], pair: usize) -> Option<&[u8]> {
    bytes.get(pair + 2..pair + 2 + length_at(bytes, pair)?)
}
