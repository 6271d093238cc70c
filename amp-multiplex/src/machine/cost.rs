//! How buffered bytes are counted, at either end.

/// What a chunk costs beyond its bytes: single bytes must not hold more memory than they count for.
pub(crate) const OVERHEAD: usize = 256;

/// What every stream may have unacknowledged and unread, whatever the others have.
pub(crate) const MIN_WINDOW: usize = 2048;

/// The cost of a chunk.
pub(crate) fn cost(bytes: usize) -> usize {
    bytes + OVERHEAD
}
