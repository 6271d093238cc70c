/// The answers that have come and that their callers have not taken.
#[derive(Debug, Default)]
pub(super) struct Untaken {
    count: usize,
    bytes: usize,
}

/// From so many untaken answers on further ones no longer share the buffer that they were read into: a few bytes hold all of it.
pub(super) const MAX_SHARED: usize = 128;

impl Untaken {
    /// How many bytes they hold.
    #[inline]
    pub(super) fn held(&self) -> usize {
        self.bytes
    }

    /// Whether one more may share the buffer that it was read into.
    #[inline]
    pub(super) fn shares(&self) -> bool {
        self.count < MAX_SHARED
    }

    /// One more, which holds so many bytes.
    #[inline]
    pub(super) fn add(&mut self, bytes: usize) {
        (self.count, self.bytes) = (self.count + 1, self.bytes + bytes);
    }

    #[inline]
    pub(super) fn remove(&mut self, bytes: usize) {
        (self.count, self.bytes) = (self.count - 1, self.bytes - bytes);
    }
}
