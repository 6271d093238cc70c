//! How buffered bytes are counted, at either end.

/// What a chunk costs beyond its bytes: single bytes must not hold more memory than they count for.
pub(crate) const OVERHEAD: usize = 256;

/// What every stream may have unacknowledged and unread, whatever the others have.
pub(crate) const MIN_WINDOW: usize = 2048;

/// The cost of a chunk, as its sender counts it.
pub(crate) fn cost(bytes: usize) -> usize {
    bytes + OVERHEAD
}

/// An acknowledgement that is owed to the peer.
pub(crate) trait Receipt {
    /// How many bytes it holds beside itself: the peer may have given its Transmit a long tag.
    fn held(&self) -> usize;
}

/// The cost of a chunk that waits for its reader, and so does its receipt. To a peer with short tags it is what that counts.
pub(crate) fn received_cost(bytes: usize, receipt: &impl Receipt) -> usize {
    cost(bytes) + receipt.held()
}
