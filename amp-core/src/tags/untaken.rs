/// What is held by the answers that have come and that their callers have not taken.
#[derive(Debug, Default)]
pub(super) struct Untaken(usize);

/// From so many bytes on further answers no longer share the buffer that they were read into: a few bytes hold all of it.
pub(super) const MAX_SHARED: usize = 24 * 1024;

impl Untaken {
    /// How many bytes that are.
    #[inline]
    pub(super) fn held(&self) -> usize {
        self.0
    }

    /// Whether one more may share the buffer that it was read into.
    #[inline]
    pub(super) fn shares(&self) -> bool {
        self.0 < MAX_SHARED
    }

    #[inline]
    pub(super) fn add(&mut self, bytes: usize) {
        self.0 += bytes;
    }

    #[inline]
    pub(super) fn remove(&mut self, bytes: usize) {
        self.0 -= bytes;
    }
}
