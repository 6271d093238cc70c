//! The cost of buffered bytes, at either end.

/// Cost of a chunk beyond its bytes: single bytes must not hold more memory than they count for.
pub(crate) const OVERHEAD: usize = 256;

/// Bytes that every stream may have unacknowledged and unread, however much the others have.
pub(crate) const MIN_WINDOW: usize = 2048;

/// Returns the cost of a chunk, as its sender counts it.
pub(crate) fn cost(bytes: usize) -> usize {
    bytes + OVERHEAD
}

/// An acknowledgement that is owed to the peer.
pub(crate) trait Receipt {
    /// Returns how many bytes it holds beside itself: the peer may have sent its Transmit with a long tag.
    fn held(&self) -> usize;
}

/// Returns the cost of a chunk that waits for its reader together with its receipt. For a peer with short tags it equals the cost
/// that the peer counts.
pub(crate) fn received_cost(bytes: usize, receipt: &impl Receipt) -> usize {
    cost(bytes) + receipt.held()
}
