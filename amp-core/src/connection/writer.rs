use std::io::ErrorKind;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::any_transport::Transport;
use crate::proto::{Attachments, BULK_CAPACITY, ConnectionState, MAX_BULK};
use crate::reason::CloseReason;

/// Maximum bytes of one write: a little more than this leaves a runt segment on loopback.
const MAX_WRITTEN: usize = 65_000;
/// A write buffer that has grown over this is not kept for the next batch. A buffer filled by bulk alone is kept: growing doubles
/// it.
const MAX_KEPT: usize = 3 * MAX_BULK;
/// The same when nothing is to be written. Occasional bulk still fits.
const MAX_PAUSED: usize = BULK_CAPACITY;
/// A buffer of this size is kept however long nothing is written, and however little.
pub(super) const MAX_IDLE: usize = 32 * 1024;

/// The writing half of the driver: the bytes taken from the outbound buffer.
#[derive(Debug)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// How many of the bytes are written.
    written: usize,
    /// Length of the largest of the recent batches, if it is over a quarter of [`MAX_IDLE`].
    recent: usize,
    /// Attachments of bytes that are not written.
    attachments: Attachments,
    is_flushed: bool,
    /// Whether the transport accepted bytes in this turn.
    has_written: bool,
    /// Why nothing can be written any more: the transport is not written, flushed or shut down again.
    broken: Option<CloseReason>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            written: 0,
            recent: 0,
            attachments: Attachments::default(),
            is_flushed: true,
            has_written: false,
            broken: None,
        }
    }

    /// Whether a part of the taken bytes is not written yet.
    pub(super) fn has_rest(&self) -> bool {
        self.written < self.bytes.len()
    }

    /// Returns the capacity of the buffer.
    #[inline]
    pub(super) fn buffered(&self) -> usize {
        self.bytes.capacity()
    }

    /// Whether everything is written and flushed, or never will be.
    pub(super) fn is_idle(&self) -> bool {
        self.broken.is_some() || (!self.has_rest() && self.is_flushed)
    }

    #[inline]
    pub(super) fn begin_turn(&mut self) {
        self.has_written = false;
    }

    /// Whether the transport accepted bytes in this turn.
    #[inline]
    pub(super) fn has_written(&self) -> bool {
        self.has_written
    }

    pub(super) fn broken(&self) -> Option<&CloseReason> {
        self.broken.as_ref()
    }

    /// Discards the written bytes, once there is no [rest](Self::has_rest): under no lock, because a large buffer is freed.
    pub(super) fn clear(&mut self) {
        self.clear_to(MAX_KEPT);
    }

    /// Releases a large buffer that is written, unless batches of such a size are usual.
    #[inline]
    pub(super) fn give_back(&mut self) {
        if self.bytes.capacity() > MAX_IDLE && !self.has_rest() {
            self.clear_to(if self.recent > 0 { MAX_PAUSED } else { MAX_IDLE });
        }
    }

    /// Nothing was written for a while: releases a large buffer that is written.
    #[cold]
    pub(super) fn release(&mut self) {
        self.recent = 0;
        self.give_back();
    }

    /// Moves a short rest to a buffer of its own size. Returns whether it is short.
    #[cold]
    pub(super) fn shorten(&mut self) -> bool {
        let is_short = self.bytes.len() - self.written <= MAX_WRITTEN;
        if is_short && self.attachments.is_empty() {
            self.bytes = self.bytes.split_off(self.written);
            self.written = 0;
        }
        is_short
    }

    fn clear_to(&mut self, most: usize) {
        self.written = 0;
        if self.bytes.capacity() > most {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
    }

    /// Takes the next bytes to write, once it is [cleared](Self::clear). Returns whether there were any.
    #[inline]
    pub(super) fn take(&mut self, state: &mut ConnectionState<Waker>, woken: &mut Vec<Waker>) -> bool {
        let taken = state.sending().take(&mut self.bytes, &mut self.attachments, woken);
        if taken && (self.recent > 0 || self.bytes.len() > MAX_IDLE / 4) {
            self.note_batch();
        }
        taken
    }

    #[cold]
    fn note_batch(&mut self) {
        let recent = self.bytes.len().max(self.recent - self.recent / 8);
        self.recent = if recent > MAX_IDLE / 4 { recent } else { 0 };
    }

    /// The attachments of the taken bytes. Once writing has failed they are dropped by the next [`poll`](Self::poll).
    #[cold]
    pub(super) fn attach(&mut self, attachments: Attachments) {
        self.attachments.append(0, attachments);
    }

    /// Writes the taken bytes, and flushes. An error is the last one.
    pub(super) fn poll<T: Transport>(&mut self, transport: &mut T, cx: &mut Context<'_>) -> Result<(), CloseReason> {
        if self.broken.is_some() {
            self.attachments = Attachments::default();
            return Ok(());
        }
        let written = self.poll_write(transport, cx);
        if let Err(reason) = &written {
            self.broken = Some(reason.clone());
            self.attachments = Attachments::default();
        }
        written
    }

    fn poll_write<T: Transport>(&mut self, transport: &mut T, cx: &mut Context<'_>) -> Result<(), CloseReason> {
        while self.has_rest() {
            self.is_flushed = false;
            // In equal parts: a runt costs as much as any other write.
            let left = self.bytes.len() - self.written;
            let end = self.written + left.div_ceil(left.div_ceil(MAX_WRITTEN).max(1));
            let written = if self.attachments.is_empty() {
                Pin::new(&mut *transport).poll_write(cx, &self.bytes[self.written..end])
            } else {
                self.poll_write_attached(transport, end, cx)
            };
            match written? {
                Poll::Ready(0) => return Err(std::io::Error::from(ErrorKind::WriteZero).into()),
                Poll::Ready(count) => {
                    self.written += count;
                    self.has_written = true;
                }
                Poll::Pending => return Ok(()),
            }
        }
        self.is_flushed = Pin::new(transport).poll_flush(cx)?.is_ready();
        Ok(())
    }

    /// Writes up to the next attachment at most, or that attachment with the bytes behind it.
    #[cold]
    fn poll_write_attached<T: Transport>(
        &mut self,
        transport: &mut T,
        end: usize,
        cx: &mut Context<'_>,
    ) -> Poll<std::io::Result<usize>> {
        match self.attachments.first() {
            Some((offset, attachments)) if offset == self.written => {
                let end = self.attachments.second().map_or(end, |next| next.min(end));
                let Some(attached) = transport.attached() else { return Poll::Ready(Err(carries_none())) };
                let written = attached.poll_write_attached(cx, &self.bytes[offset..end], attachments);
                if matches!(written, Poll::Ready(Ok(count)) if count > 0) {
                    drop(self.attachments.take_first());
                }
                written
            }
            first => {
                let end = first.map_or(end, |(offset, _)| offset.min(end));
                Pin::new(transport).poll_write(cx, &self.bytes[self.written..end])
            }
        }
    }

    /// Appends the last bytes, which are written behind the rest. There may be very many: where there is no rest they are not
    /// copied.
    pub(super) fn append(&mut self, last: Vec<u8>, attachments: Attachments) {
        if self.has_rest() {
            self.attachments.append(self.bytes.len(), attachments);
            self.bytes.reserve_exact(last.len());
            self.bytes.extend_from_slice(&last);
        } else {
            (self.bytes, self.written) = (last, 0);
            self.attachments.append(0, attachments);
        }
    }

    /// Releases the buffer: nothing will be written any more.
    pub(super) fn finish(&mut self) {
        (self.bytes, self.written) = (Vec::new(), 0);
    }

    /// Writes all that is left, and flushes. Ready with an error that was not returned before.
    pub(super) fn poll_all<T: Transport>(
        &mut self,
        transport: &mut T,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), CloseReason>> {
        self.poll(transport, cx)?;
        if self.is_idle() { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

/// The check was made before the box was appended.
fn carries_none() -> std::io::Error {
    std::io::Error::new(ErrorKind::Unsupported, "the transport carries no attachments")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::any_transport::Adapted;

    #[tokio::test]
    async fn what_is_written_is_given_back_when_it_was_large_and_there_is_no_rest_of_it() {
        let (ours, theirs) = tokio::io::duplex(300_000);
        let mut transport = Adapted::plain(ours);
        let mut cx = Context::from_waker(Waker::noop());
        let mut writer = Writer::new();
        writer.append(vec![7; 200_000], Attachments::default());
        writer.give_back();
        assert!(writer.has_rest(), "it is not written");
        writer.poll(&mut transport, &mut cx).expect("it is open");
        assert!(!writer.has_rest());
        writer.give_back();
        assert_eq!((writer.bytes.capacity(), writer.has_rest()), (0, false));
        writer.append(vec![7; 1000], Attachments::default());
        writer.poll(&mut transport, &mut cx).expect("it is open");
        writer.give_back();
        assert!(writer.bytes.capacity() >= 1000, "a small one is kept");
        drop(theirs);
    }

    #[tokio::test]
    async fn the_last_bytes_are_taken_over_or_stand_behind_the_rest_in_a_buffer_of_their_size() {
        let (ours, mut theirs) = tokio::io::duplex(1000);
        let mut transport = Adapted::plain(ours);
        let mut cx = Context::from_waker(Waker::noop());
        let mut writer = Writer::new();
        let first = vec![1; 100_000];
        let at = first.as_ptr();
        writer.append(first, Attachments::default());
        assert_eq!((writer.bytes.as_ptr(), writer.buffered()), (at, 100_000));
        writer.poll(&mut transport, &mut cx).expect("it is open");
        assert!(writer.has_rest());
        writer.append(vec![2; 50_000], Attachments::default());
        assert_eq!(writer.buffered(), 150_000);
        let mut got = vec![0; 150_000];
        let written = std::future::poll_fn(|cx| writer.poll_all(&mut transport, cx));
        let (written, read) = tokio::join!(written, tokio::io::AsyncReadExt::read_exact(&mut theirs, &mut got));
        assert!(written.is_ok() && read.is_ok());
        assert!(got[..100_000].iter().all(|byte| *byte == 1) && got[100_000..].iter().all(|byte| *byte == 2));
        writer.finish();
        assert_eq!((writer.buffered(), writer.has_rest()), (0, false));
    }
}
