//! The fixed count of an ask. Each part is free where it is held, because it is included here.

/// Counted for each ask beside the bytes of its box.
pub(crate) const FIXED: usize = TASK + FUTURE + DECODED;

/// Its task, and its places in queues and maps.
const TASK: usize = 512;
/// Bytes of its responder's future. What that has beyond these is counted in addition.
pub(crate) const FUTURE: usize = 512;
/// Bytes that its arguments decode to, beside those of its box. What they have beyond these is counted in addition.
pub(crate) const DECODED: usize = 512;
