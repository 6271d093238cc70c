use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Socket;

/// What a forward has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Streams that are open now.
    pub open: u64,
    /// Streams that were opened, those that have ended included.
    pub total: u64,
    /// Streams that could not be opened. A client that left before is not counted.
    pub refused: u64,
    /// Bytes that were read from local sockets and sent to the peer.
    pub sent: u64,
    /// Bytes that came from the peer and were written to local sockets.
    pub received: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    open: AtomicU64,
    total: AtomicU64,
    refused: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Counters {
    /// Counts one more stream, open until the guard is dropped.
    fn open(self: &Arc<Self>) -> impl Drop + use<> {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.total.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> Counts {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            open: value(&self.open),
            total: value(&self.total),
            refused: value(&self.refused),
            sent: value(&self.sent),
            received: value(&self.received),
        }
    }
}

struct Open(Arc<Counters>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A local socket whose bytes are counted as they pass, so that the progress of a long transfer can be seen. Closed before all
/// has passed, and before its stream is open, it is reset: nothing of it looks whole. So it is from the start, because a process
/// that exits or is killed drops nothing.
pub(super) struct Counted<T: Socket> {
    inner: T,
    counters: Arc<Counters>,
    written: Moved,
    read: Moved,
    whole: Whole,
}

/// Whether all that was to pass has passed.
#[derive(Clone, Debug, Default)]
pub(super) struct Whole(Arc<AtomicBool>);

impl Whole {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<T: Socket> Drop for Counted<T> {
    fn drop(&mut self) {
        if self.whole.get() {
            self.inner.resets_on_close(false);
        }
    }
}

/// How many bytes one socket has taken, or said.
#[derive(Clone, Debug, Default)]
pub(super) struct Moved(Arc<AtomicU64>);

impl Moved {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Done when nothing has moved for a while.
    pub(super) async fn rests(&self, a_while: impl Fn() -> Duration) {
        let mut before = None;
        while before != Some(self.get()) {
            before = Some(self.get());
            tokio::time::sleep(a_while()).await;
        }
    }
}

impl<T: Socket> Counted<T> {
    pub(super) fn new(inner: T, counters: &Arc<Counters>) -> Self {
        inner.resets_on_close(true);
        Self {
            inner,
            counters: Arc::clone(counters),
            written: Moved::default(),
            read: Moved::default(),
            whole: Whole::default(),
        }
    }

    pub(super) fn socket(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Counts its stream as one that is open.
    pub(super) fn open(&self) -> impl Drop + use<T> {
        self.counters.open()
    }

    pub(super) fn written(&self) -> Moved {
        self.written.clone()
    }

    pub(super) fn read(&self) -> Moved {
        self.read.clone()
    }

    pub(super) fn whole(&self) -> Whole {
        self.whole.clone()
    }

    fn count(&self, counter: impl Fn(&Counters) -> &AtomicU64, bytes: usize) {
        counter(&self.counters).fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl<T: Socket> AsyncRead for Counted<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buffer);
        let count = buffer.filled().len() - before;
        self.count(|counters| &counters.sent, count);
        self.read.add(count);
        result
    }
}

impl<T: Socket> AsyncWrite for Counted<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = result {
            self.count(|counters| &counters.received, count);
            self.written.add(count);
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
