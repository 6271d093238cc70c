use bytes::Bytes;

use super::length_at;

/// One whole box as received: a slice of the receive buffer, its lengths already checked.
#[derive(Clone, Debug)]
pub struct RawBox {
    /// Every pair and the end of the box.
    bytes: Bytes,
    /// Keys strictly ascend, so there are no duplicates either.
    ascending: bool,
    /// The size of the allocation that `bytes` is a slice of. A `u32`, because it lies in padding.
    pinned: u32,
}

impl RawBox {
    #[inline]
    pub(super) fn new(bytes: Bytes, ascending: bool, pinned: usize) -> Self {
        let pinned = u32::try_from(pinned).unwrap_or(u32::MAX);
        Self { bytes, ascending, pinned }
    }

    /// Returns how many bytes of memory live as long as this box or a slice of it: those of the whole allocation.
    pub(crate) fn pinned(&self) -> usize {
        usize::try_from(self.pinned).unwrap_or(usize::MAX)
    }

    /// Returns the box in memory of its own, if it keeps more than twice its own length alive.
    pub(crate) fn detached(self) -> Self {
        let length = self.bytes.len();
        if self.pinned() <= length.saturating_mul(2) {
            return self;
        }
        Self::new(Bytes::copy_from_slice(&self.bytes), self.ascending, length)
    }

    /// A box without pairs.
    #[cfg(feature = "tokio")]
    pub(crate) fn empty() -> Self {
        Self::new(Bytes::from_static(&super::END), true, super::END.len())
    }

    /// The bytes of the box, its end included.
    #[must_use]
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether every key is greater than the one before it.
    #[must_use]
    pub fn is_ascending(&self) -> bool {
        self.ascending
    }

    /// The pairs in the order of arrival.
    #[must_use]
    pub fn pairs(&self) -> Pairs<'_> {
        Pairs::new(&self.bytes)
    }

    /// The pairs from `position` on.
    pub(crate) fn pairs_from(&self, position: usize) -> Pairs<'_> {
        Pairs { bytes: &self.bytes, at: position }
    }

    /// A slice of this box's memory as `Bytes`, without a copy.
    pub(crate) fn slice_of(&self, part: &[u8]) -> Bytes {
        self.bytes.slice_ref(part)
    }
}

/// The pairs of one box, in the order of arrival.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Pairs<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Returns the value of the next pair, if its key is this one with its length before it.
    #[inline(always)]
    pub(crate) fn next_if(&mut self, key: &[u8]) -> Option<&'a [u8]> {
        // Split once: the comparison of the key is then a branch, and the length behind it needs no other check.
        let (head, rest) = self.bytes.get(self.at..)?.split_at_checked(key.len() + 2)?;
        let (found, length) = head.split_last_chunk()?;
        if found != key {
            return None;
        }
        let value = rest.get(..usize::from(u16::from_be_bytes(*length)))?;
        self.at += head.len() + value.len();
        Some(value)
    }

    /// The first byte of the next key, if there is a next pair.
    #[inline]
    pub(crate) fn peek_first(&self) -> Option<u8> {
        self.bytes.get(self.at + 2).copied()
    }

    /// Where the next pair begins.
    pub(crate) fn position(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let key_at = self.at + 2;
        let key_end = key_at + length_at(self.bytes, self.at).filter(|length| *length > 0)?;
        let value_at = key_end + 2;
        let value_end = value_at + length_at(self.bytes, key_end)?;
        let pair = (self.bytes.get(key_at..key_end)?, self.bytes.get(value_at..value_end)?);
        self.at = value_end;
        Some(pair)
    }
}

/// Whether each key of a box sorts after the one before it.
#[cold]
pub(crate) fn is_ascending(pairs: &[u8]) -> bool {
    Pairs::new(pairs).map(|(key, _)| key).is_sorted_by(|one, next| one < next)
}
