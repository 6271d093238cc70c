use crate::packet::ReplyPacket;

/// The answers that have come and that their callers have not taken.
#[derive(Debug, Default)]
pub(super) struct Untaken {
    count: usize,
    bytes: usize,
}

/// What an answer holds beside its bytes.
const ANSWER_OVERHEAD: usize = 128;
/// From so many untaken answers on further ones no longer share the buffer that they were read into: a few bytes hold all of it.
pub(super) const MAX_SHARED: usize = 128;

impl Untaken {
    /// How many bytes they hold.
    #[inline]
    pub(super) fn held(&self) -> usize {
        self.bytes
    }

    #[inline]
    pub(super) fn add(&mut self, reply: ReplyPacket) -> ReplyPacket {
        let reply = if self.count < MAX_SHARED { reply } else { reply.detached() };
        self.count += 1;
        self.bytes += reply.raw.as_bytes().len() + ANSWER_OVERHEAD;
        reply
    }

    #[inline]
    pub(super) fn remove(&mut self, reply: &ReplyPacket) {
        self.count -= 1;
        self.bytes -= reply.raw.as_bytes().len() + ANSWER_OVERHEAD;
    }
}
