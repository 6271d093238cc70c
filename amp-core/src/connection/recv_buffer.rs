use std::io::ErrorKind;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::escaped::Escaped;
use crate::events::{EventKind, Events};
use crate::reason::CloseReason;
use crate::wire::{BoxDecoder, BoxLimits, RawBox, WireError};

/// The first read buffer in bytes; a read that fills it doubles the next.
const SMALL_READ: usize = 8 * 1024;
/// The largest read buffer: a value of the longest kind, or two of half as many bytes, with the rest of their boxes.
const LARGE_READ: usize = 66 * 1024;

/// A buffer of this size is kept although nothing is to be read: later bursts are read into it again.
const MAX_IDLE: usize = 4 * SMALL_READ;
/// A buffer of this size is kept between the bursts of one transfer, until the driver [releases](RecvBuffer::give_back) it.
const MAX_KEPT: usize = 2 * LARGE_READ;

/// Bytes read from the transport, and the size of the next read.
pub(super) struct RecvBuffer {
    decoder: BoxDecoder,
    read_size: usize,
    /// Whether the last read filled its buffer.
    is_filled: bool,
    /// Whether reading has reached the end or has failed: the transport is not read again.
    is_at_end: bool,
}

impl RecvBuffer {
    pub(super) fn new(limits: BoxLimits) -> Self {
        Self { decoder: BoxDecoder::new(limits), read_size: SMALL_READ, is_filled: false, is_at_end: false }
    }

    /// Whether there is likely more to read.
    #[inline]
    pub(super) fn is_filled(&self) -> bool {
        self.is_filled
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// Returns the capacity of the buffer that no box was made from. Of a large buffer everything counts, and its boxes count in
    /// addition: they may be dropped first, and a few bytes behind them keep the buffer. The front of a small buffer is part of
    /// what is not counted for an idle connection.
    #[inline]
    pub(super) fn buffered(&self) -> usize {
        let allocation = self.decoder.allocation();
        if allocation > MAX_IDLE { allocation } else { self.decoder.capacity() }
    }

    /// Whether bytes are left that no box was made from.
    pub(super) fn has_rest(&self) -> bool {
        self.decoder.pending_bytes() > 0
    }

    /// The next whole box.
    #[inline]
    pub(super) fn next_box(&mut self) -> Result<Option<RawBox>, WireError> {
        self.decoder.next_box()
    }

    /// Takes out the bytes that belong to the next transport, and starts again for that transport.
    pub(super) fn take_leftover(&mut self, limits: BoxLimits) -> Bytes {
        let before = std::mem::replace(self, Self::new(limits));
        before.decoder.into_leftover().freeze()
    }

    /// Reads once.
    pub(super) fn poll_read<T: AsyncRead + Unpin>(
        &mut self,
        transport: &mut T,
        events: &Events,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), CloseReason>> {
        self.decoder.reserve(self.read_size);
        let buffer = self.decoder.buffer();
        let room = buffer.capacity() - buffer.len();
        let Poll::Ready(read) = pin!(transport.read_buf(buffer)).poll(cx) else {
            // After small reads the transfer is over, however many small ones there are.
            self.decoder.give_back(if self.read_size > MAX_IDLE { MAX_KEPT } else { MAX_IDLE });
            return Poll::Pending;
        };
        let count = match read.map_err(CloseReason::from) {
            Ok(count) => count,
            // A TLS peer that closed without `close_notify`. Boxes mark their own end, so that no truncation can be hidden.
            Err(CloseReason::Io(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                events.tell(EventKind::SILENT_END, |peer, omitted| {
                    tracing::debug!(%peer, omitted, error = %Escaped(error), "the peer has closed without a word");
                });
                0
            }
            Err(reason) => {
                self.is_at_end = true;
                return Poll::Ready(Err(reason));
            }
        };
        if count == 0 {
            self.is_at_end = true;
            return Poll::Ready(Err(match self.decoder.pending_bytes() {
                0 => CloseReason::ClosedByPeer,
                received => CloseReason::ClosedMidBox { received },
            }));
        }
        self.is_filled = count == room;
        if self.is_filled {
            self.read_size = (self.read_size * 2).min(LARGE_READ);
        } else if count < self.read_size / 8 {
            self.read_size = (self.read_size / 2).max(SMALL_READ);
        }
        Poll::Ready(Ok(()))
    }

    /// Whether the buffer is larger than an idle connection may keep, and would be released.
    #[inline]
    pub(super) fn is_large(&self) -> bool {
        self.decoder.gives_back(MAX_IDLE)
    }

    /// Nothing was to be read for a while: a buffer that was made for much is released, and the next one is smaller.
    pub(super) fn give_back(&mut self) {
        if self.decoder.give_back(MAX_IDLE) {
            self.read_size = (self.read_size / 2).max(SMALL_READ);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use std::sync::Arc;

    use tokio::io::AsyncWriteExt;

    use super::*;
    use crate::peer::Peer;

    #[tokio::test]
    async fn a_buffer_that_was_made_for_a_large_box_is_given_back_when_nothing_is_to_be_read() {
        let (mut ours, mut theirs) = tokio::io::duplex(1 << 20);
        let mut buffer = RecvBuffer::new(BoxLimits::DEFAULT);
        let events = Events::new(Peer::other("memory"), Arc::default());
        let pair = |key| [&[0, 1, key, 0xff, 0xff][..], &[7; 65_535]].concat();
        theirs.write_all(&[&pair(b'a')[..], &pair(b'b'), &pair(b'c'), &[0, 0]].concat()).await.expect("room");
        let mut cx = Context::from_waker(Waker::noop());
        while buffer.poll_read(&mut ours, &events, &mut cx).is_ready() {}
        assert!(buffer.decoder.buffer().capacity() >= 3 * 65_536, "what belongs to a box stays");
        assert!(buffer.next_box().expect("no fault").is_some());
        assert!(buffer.poll_read(&mut ours, &events, &mut cx).is_pending());
        assert!(buffer.decoder.allocation() <= MAX_KEPT, "made for more than a read");
        // However often it is looked for more, what is kept is small in the end.
        for _ in 0..3 {
            assert!(buffer.poll_read(&mut ours, &events, &mut cx).is_pending());
            buffer.give_back();
            assert!(!buffer.is_large());
        }
        assert!(buffer.read_size <= MAX_IDLE);
        assert!(buffer.decoder.buffer().capacity() <= MAX_IDLE);
    }

    #[tokio::test]
    async fn a_buffer_is_kept_between_the_bursts_of_a_transfer_and_not_for_small_boxes_behind_it() {
        let (mut ours, mut theirs) = tokio::io::duplex(1 << 20);
        let mut buffer = RecvBuffer::new(BoxLimits::DEFAULT);
        let events = Events::new(Peer::other("memory"), Arc::default());
        let mut cx = Context::from_waker(Waker::noop());
        let mut receive = async |buffer: &mut RecvBuffer, value: u16, boxes: usize| {
            let amp_box = [&b"\0\x01a"[..], &value.to_be_bytes(), &vec![7; value.into()], &[0, 0]].concat();
            theirs.write_all(&amp_box.repeat(boxes)).await.expect("room");
            while buffer.poll_read(&mut ours, &events, &mut cx).is_ready() {
                while buffer.next_box().expect("no fault").is_some() {}
            }
        };
        for _ in 0..3 {
            receive(&mut buffer, 32_000, 8).await;
            assert_eq!(buffer.read_size, LARGE_READ);
            assert!((LARGE_READ..=MAX_KEPT).contains(&buffer.decoder.allocation()));
        }
        let mut kept = 0;
        while buffer.is_large() {
            receive(&mut buffer, 10, 1).await;
            kept += 1;
        }
        assert!(kept <= 3, "{kept} small reads");
    }
}
