use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Handle;
use tokio::time::Sleep;

use super::ending::{Latch, finish, part};
use super::extension::Claims;
use super::pace::Pace;
use super::reading::SMALL_READ;
use super::require_time;
use super::responders::Responders;
use super::shared::Shared;
use super::state::MOST_BULK;
use crate::packet::ReplyPacket;
use crate::reason::CloseReason;
use crate::responder::Answering;
use crate::wire::BoxDecoder;

/// The most bytes of one write: a little more than this leaves a runt segment on loopback.
const MOST_WRITTEN: usize = 65_000;
/// A write buffer that has grown over this is not kept for the next batch. What bulk alone fills is: growing doubles it.
const MOST_KEPT: usize = 3 * MOST_BULK;

/// The future that reads, writes and answers for one connection. [`Builder::start`](crate::Builder::start) spawns it.
///
/// # Cancel safety
/// Dropping it ends the connection with [`CloseReason::DriverDropped`].
///
/// # Panics
/// At its first poll, outside a tokio runtime with time enabled; the connection has ended then, as if it were dropped. When it
/// is polled again after it has given the reason.
#[must_use = "a connection does nothing until its driver is polled"]
pub struct Driver(Pin<Box<dyn Future<Output = CloseReason> + Send>>);

impl Driver {
    pub(super) fn new<T>(transport: T, shared: Arc<Shared>, claims: Claims) -> Self
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let running = Running {
            decoder: BoxDecoder::new(shared.settings.boxes),
            responders: Responders::new(Arc::clone(&shared), claims),
            transport,
            read_size: SMALL_READ,
            is_filled: false,
            is_read: false,
            is_at_end: false,
            pace: Pace::new(),
            writing: Vec::new(),
            written: 0,
            replies: Vec::new(),
            woken: Vec::new(),
            has_delivered: false,
            has_heard: false,
            announces: shared.settings.announces(),
            peer_announces: false,
            greets: false,
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

pub(super) struct Running<T> {
    pub(super) transport: T,
    /// Before everything that may still have something to say: who is dropped with the driver is told that it was.
    pub(super) latch: Latch,
    pub(super) decoder: BoxDecoder,
    pub(super) read_size: usize,
    /// Whether the last read took as much as there was room for.
    pub(super) is_filled: bool,
    /// Whether the turn before has read for this one, or left it boxes.
    pub(super) is_read: bool,
    /// Whether reading has come to the end or has failed: the transport is not read again.
    pub(super) is_at_end: bool,
    pub(super) pace: Pace,
    /// What is being written, and how much of it is written.
    pub(super) writing: Vec<u8>,
    pub(super) written: usize,
    pub(super) responders: Responders,
    /// Replies of this batch, not yet delivered.
    pub(super) replies: Vec<(Option<u64>, ReplyPacket)>,
    pub(super) woken: Vec<Waker>,
    /// Whether callers were woken in this turn.
    pub(super) has_delivered: bool,
    /// Whether the peer's first box has come.
    pub(super) has_heard: bool,
    /// Whether this end announces.
    pub(super) announces: bool,
    /// Whether the peer has announced, and this end does so too: what is this library's own is understood.
    pub(super) peer_announces: bool,
    /// Whether it has just announced: this end does so too, if only by a greeting.
    pub(super) greets: bool,
    pub(super) alarm: Option<Pin<Box<Sleep>>>,
    /// Why nothing can be written any more: the transport is not written, flushed or shut down again.
    pub(super) broken: Option<CloseReason>,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Running<T> {
    async fn drive(mut self) -> CloseReason {
        require_time();
        if let Ok(runtime) = Handle::try_current() {
            let _ = self.shared().runtime.set(runtime);
        }
        let reason = poll_fn(|cx| self.poll(cx)).await;
        self.shared().announce_end();
        let Self { transport, mut writing, written, latch, decoder, mut responders, broken, is_at_end, .. } = self;
        writing.drain(..written);
        writing.append(&mut latch.0.seal());
        drop(decoder);
        // What is said of them now is no answer and not written.
        responders.stop_answering();
        let shared = Arc::clone(&latch.0);
        let writes = broken.is_none() && reason.lets_write();
        // A peer that has said why it ends sends no more.
        let is_at_end = is_at_end || matches!(reason, CloseReason::EndedByPeer { .. });
        let mut parting = pin!(async {
            if writes {
                // A peer that does not read its last answers has had its time.
                let _ = tokio::time::timeout(shared.settings.linger, part(transport, &writing, is_at_end)).await;
            } else {
                drop(transport);
            }
            shared.transport_closed();
        });
        // What was accepted and wants no answer goes on meanwhile, and longer.
        let mut finishing = pin!(finish(responders, Arc::clone(&shared)));
        let (mut parted, mut finished) = (false, false);
        poll_fn(|cx| {
            parted = parted || parting.as_mut().poll(cx).is_ready();
            finished = finished || finishing.as_mut().poll(cx).is_ready();
            if parted && finished { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        drop(latch);
        reason
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
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
                // Responders that have begun in this turn tell when they are done.
                Poll::Pending => self.responders.poll(cx),
            }
        }
        let written = self.poll_write(cx).unwrap_or_else(|reason| {
            // Answers that have already come are still read.
            self.shared().writing_failed(reason.clone());
            self.broken = Some(reason);
            true
        });
        self.poll_alarm(cx);
        if let Some(reason) = self.shared().end_turn(written && !self.is_read) {
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

    /// Writes what is queued. Whether everything is written.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<bool, CloseReason> {
        if self.broken.is_some() {
            self.latch.0.discard_outbound(cx.waker());
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
            // In equal parts: a runt costs as much as any other.
            let left = self.writing.len() - self.written;
            let end = self.written + left.div_ceil(left.div_ceil(MOST_WRITTEN).max(1));
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
