use std::ops::Range;

use bytes::BytesMut;

use super::{BoxLimits, Excerpt, MAX_KEY, RawBox, WireError, length_at};

/// Cuts a byte stream into boxes, however it is chopped: every length is looked at once, values never.
///
/// Read into [`buffer`](Self::buffer), then call [`next_box`](Self::next_box) until it has no more.
/// After an error the stream has no place to go on from; the decoder repeats the error.
#[derive(Debug)]
pub struct BoxDecoder {
    buffer: BytesMut,
    limits: BoxLimits,
    /// Where the next length stands, counted from the start of the current box.
    at: usize,
    /// The key whose value length comes next.
    key: Option<Range<usize>>,
    /// The key of the pair before.
    last_key: Range<usize>,
    pairs: usize,
    ascending: bool,
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
        Self { buffer, limits, at: 0, key: None, last_key: 0..0, pairs: 0, ascending: true }
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
        loop {
            let key = match self.key.take() {
                Some(key) => key,
                None => match length_at(&self.buffer, self.at) {
                    None => return Ok(None),
                    Some(0) => return self.end_of_box().map(Some),
                    Some(length) => self.begin_key(length)?,
                },
            };
            let Some(length) = length_at(&self.buffer, key.end) else {
                self.key = Some(key);
                return Ok(None);
            };
            self.begin_value(key, length)?;
        }
    }

    fn begin_key(&self, length: usize) -> Result<Range<usize>, WireError> {
        if length > MAX_KEY {
            return Err(WireError::KeyTooLong { length, start: Excerpt::of(&self.buffer) });
        }
        if self.pairs == self.limits.pairs {
            return Err(WireError::TooManyPairs { limit: self.limits.pairs });
        }
        let key = self.at + 2..self.at + 2 + length;
        // Behind the key come at least the length of its value and the end of the box.
        if key.end + 4 > self.limits.bytes {
            return Err(WireError::BoxTooLong { limit: self.limits.bytes });
        }
        Ok(key)
    }

    fn begin_value(&mut self, key: Range<usize>, length: usize) -> Result<(), WireError> {
        let end = key.end + 2 + length;
        if end + 2 > self.limits.bytes {
            self.key = Some(key);
            return Err(WireError::BoxTooLong { limit: self.limits.bytes });
        }
        self.ascending &= self.pairs == 0 || is_less(&self.buffer, &self.last_key, &key);
        self.at = end;
        self.pairs += 1;
        self.last_key = key;
        Ok(())
    }

    fn end_of_box(&mut self) -> Result<RawBox, WireError> {
        let end = self.at + 2;
        if end > self.limits.bytes {
            return Err(WireError::BoxTooLong { limit: self.limits.bytes });
        }
        let raw = RawBox::new(self.buffer.split_to(end).freeze(), self.ascending);
        (self.at, self.pairs, self.ascending) = (0, 0, true);
        Ok(raw)
    }
}

/// Compares two keys of a buffer; nearly always their first bytes tell.
fn is_less(bytes: &[u8], one: &Range<usize>, other: &Range<usize>) -> bool {
    match (bytes.get(one.start), bytes.get(other.start)) {
        (Some(a), Some(b)) if a != b => a < b,
        _ => bytes[one.clone()] < bytes[other.clone()],
    }
}
