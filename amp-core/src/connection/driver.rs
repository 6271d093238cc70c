use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Sleep;

use super::responders::Responders;
use super::shared::Shared;
use crate::dispatcher::UnknownTag;
use crate::packet::{Packet, ReplyPacket};
use crate::reason::CloseReason;
use crate::responder::{Answering, Ask};
use crate::wire::BoxDecoder;

/// The first read buffer in bytes; a read that fills it doubles the next.
const SMALL_READ: usize = 8 * 1024;
const LARGE_READ: usize = 64 * 1024;
/// The most bytes of one write: a little more than this leaves a runt segment on loopback.
const MOST_WRITTEN: usize = 60_000;
/// A write buffer that has grown over this is not kept for the next batch.
const MOST_KEPT: usize = 128 * 1024;

/// The future that reads, writes and answers for one connection. [`Builder::start`](crate::Builder::start) spawns it.
///
/// # Cancel safety
/// Dropping it ends the connection with [`CloseReason::DriverDropped`].
#[must_use = "a connection does nothing until its driver is polled"]
pub struct Driver(Pin<Box<dyn Future<Output = CloseReason> + Send>>);

impl Driver {
    pub(super) fn new<T>(transport: T, shared: Arc<Shared>) -> Self
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let running = Running {
            decoder: BoxDecoder::new(shared.settings.boxes),
            responders: Responders::new(Arc::clone(&shared)),
            transport,
            read_size: SMALL_READ,
            writing: Vec::new(),
            written: 0,
            replies: Vec::new(),
            woken: Vec::new(),
            alarm: None,
            broken: None,
            latch: Latch(shared),
        };
        Self(Box::pin(running.drive()))
    }
}

impl Future for Driver {
    type Output = CloseReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

struct Running<T> {
    transport: T,
    /// Before everything that may still have something to say: who is dropped with the driver is told that it was.
    latch: Latch,
    decoder: BoxDecoder,
    read_size: usize,
    /// What is being written, and how much of it is written.
    writing: Vec<u8>,
    written: usize,
    responders: Responders,
    /// Replies of this batch, not yet delivered.
    replies: Vec<(Option<u64>, ReplyPacket)>,
    woken: Vec<Waker>,
    alarm: Option<Pin<Box<Sleep>>>,
    /// Why nothing can be written any more.
    broken: Option<CloseReason>,
}

/// Tells everybody that the connection has ended, however the driver ends.
struct Latch(Arc<Shared>);

impl Drop for Latch {
    fn drop(&mut self) {
        self.0.end(CloseReason::DriverDropped);
        let reason = self.0.over();
        self.0.switch.stop(reason.as_ref().unwrap_or(&CloseReason::DriverDropped));
        self.0.ended.send_replace(reason);
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Running<T> {
    async fn drive(mut self) -> CloseReason {
        let reason = poll_fn(|cx| self.poll(cx)).await;
        let Self { transport, mut writing, written, latch, decoder, responders, broken, .. } = self;
        writing.drain(..written);
        writing.append(&mut latch.0.seal());
        // Responders that run or wait for their turn stop. What is said of them now is no answer and not written.
        drop((decoder, responders));
        if broken.is_none() && !matches!(reason, CloseReason::Io(_)) {
            let at_end = matches!(reason, CloseReason::ClosedByPeer | CloseReason::ClosedMidBox { .. });
            // A peer that does not read its last answers has had its time.
            let _ = tokio::time::timeout(latch.0.settings.linger, part(transport, &writing, at_end)).await;
        } else {
            drop(transport);
        }
        drop(latch);
        reason
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.latch.0
    }

    /// One turn: reads and handles once, writes what there is, rings for calls whose time is up.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        let mut more = false;
        if self.shared().begin_turn() {
            self.responders.poll(cx);
            match self.poll_read(cx) {
                Poll::Ready(Ok(())) => more = true,
                Poll::Ready(Err(reason)) => self.end(reason),
                Poll::Pending => {}
            }
        }
        let written = self.poll_write(cx).unwrap_or_else(|reason| {
            // Answers that have already come are still read.
            self.shared().writing_failed(reason.clone());
            self.broken = Some(reason);
            true
        });
        self.poll_alarm(cx);
        if let Some(reason) = self.shared().end_turn(written) {
            return Poll::Ready(reason);
        }
        if more || self.responders.has_work() {
            // Whoever was woken by this batch takes its answers while they are in the cache; then the next batch is read.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    fn end(&self, reason: CloseReason) {
        let reason = self.broken.clone().unwrap_or(reason);
        if !matches!(reason, CloseReason::ClosedByPeer | CloseReason::Closed) {
            tracing::warn!(peer = %self.shared().peer, reason = &reason as &dyn std::error::Error, "connection ends");
        }
        self.shared().end(reason);
    }

    /// Reads once and handles every whole box of what came.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        let buffer = self.decoder.buffer();
        buffer.reserve(self.read_size);
        let room = buffer.capacity() - buffer.len();
        let count = ready!(pin!(self.transport.read_buf(buffer)).poll(cx))?;
        if count == 0 {
            let received = self.decoder.pending_bytes();
            let mid_box = received > 0;
            return Poll::Ready(Err(if mid_box {
                CloseReason::ClosedMidBox { received }
            } else {
                CloseReason::ClosedByPeer
            }));
        }
        if count == room {
            self.read_size = (self.read_size * 2).min(LARGE_READ);
        } else if count < self.read_size / 8 {
            self.read_size = (self.read_size / 2).max(SMALL_READ);
        }
        let result = self.take_boxes();
        Poll::Ready(self.deliver().and(result))
    }

    fn take_boxes(&mut self) -> Result<(), CloseReason> {
        while let Some(raw) = self.decoder.next_box()? {
            if self.shared().switch.is_switched() {
                self.deliver()?;
                if self.shared().switch.receive(&raw) {
                    continue;
                }
            }
            match Packet::parse(raw)? {
                Packet::Ask { ask, tag } => {
                    self.deliver()?;
                    let answering = Arc::clone(self.shared());
                    self.responders.answer(Ask::new(ask, tag, answering));
                }
                Packet::Reply { tag, reply } => self.replies.push((tag, reply)),
            }
        }
        Ok(())
    }

    /// Hands the replies so far to their callers, under one lock, and wakes them all after it.
    fn deliver(&mut self) -> Result<(), CloseReason> {
        if self.replies.is_empty() {
            return Ok(());
        }
        let shared = Arc::clone(self.shared());
        let mut state = shared.lock();
        let (mut known, mut unknown) = (0_usize, 0_usize);
        for (tag, reply) in self.replies.drain(..) {
            match tag.ok_or(UnknownTag).and_then(|tag| state.dispatcher.answer(tag, reply)) {
                Ok(waiter) => {
                    known += 1;
                    self.woken.extend(waiter);
                }
                Err(_) => unknown += 1,
            }
        }
        self.woken.extend((known > 0).then(|| state.next_call(&shared.settings)).flatten());
        drop(state);
        self.woken.drain(..).for_each(Waker::wake);
        if unknown == 0 {
            return Ok(());
        }
        if !shared.settings.ignore_unknown_answers {
            return Err(CloseReason::UnknownAnswer);
        }
        tracing::warn!(peer = %shared.peer, unknown, "answers to tags that are not out");
        Ok(())
    }

    /// Writes what is queued. Whether everything is written.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<bool, CloseReason> {
        if self.broken.is_some() {
            while self.latch.0.take_outbound(&mut Vec::new(), cx.waker()) {}
            return Ok(true);
        }
        loop {
            if self.written == self.writing.len() {
                self.written = 0;
                if self.writing.capacity() > MOST_KEPT {
                    self.writing = Vec::new();
                }
                self.writing.clear();
                if !self.latch.0.take_outbound(&mut self.writing, cx.waker()) {
                    return Ok(Pin::new(&mut self.transport).poll_flush(cx)?.is_ready());
                }
            }
            let end = self.writing.len().min(self.written + MOST_WRITTEN);
            match Pin::new(&mut self.transport).poll_write(cx, &self.writing[self.written..end])? {
                Poll::Ready(0) => return Err(std::io::Error::from(std::io::ErrorKind::WriteZero).into()),
                Poll::Ready(count) => self.written += count,
                Poll::Pending => return Ok(false),
            }
        }
    }

    /// Ends the patience of calls whose deadline has come, and sleeps until the next one.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) {
        while let Some(next) = self.latch.0.ring(&mut self.woken, cx.waker()) {
            self.woken.drain(..).for_each(Waker::wake);
            let next = tokio::time::Instant::from_std(next);
            let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(next)));
            if alarm.deadline() != next {
                alarm.as_mut().reset(next);
            }
            if alarm.as_mut().poll(cx).is_pending() {
                return;
            }
        }
        self.woken.drain(..).for_each(Waker::wake);
    }
}

/// Writes the last bytes, says that they were the last, and lets the peer read them: a socket that is closed with
/// unread bytes in it is reset, and the peer's unread answers with it.
async fn part<T: AsyncRead + AsyncWrite + Unpin>(mut transport: T, last: &[u8], at_end: bool) -> std::io::Result<()> {
    transport.write_all(last).await?;
    transport.shutdown().await?;
    if !at_end {
        tokio::io::copy(&mut transport, &mut tokio::io::sink()).await?;
    }
    Ok(())
}
