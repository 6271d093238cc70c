use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::counters::Counters;
use super::socket::Socket;

/// A local socket whose bytes are counted, so that the progress of a long transfer can be seen.
///
/// Closed before the transfer is complete, or before its stream is open, it is reset: a part does not look whole. The reset is
/// set up from the start, because a process that exits or is killed drops nothing.
pub(super) struct LocalSocket<T: Socket> {
    inner: T,
    counters: Arc<Counters>,
    read: Progress,
    written: Progress,
    completion: Completion,
}

impl<T: Socket> LocalSocket<T> {
    pub(super) fn new(inner: T, counters: &Arc<Counters>) -> Self {
        inner.set_reset_on_close(true);
        Self {
            inner,
            counters: Arc::clone(counters),
            read: Progress::default(),
            written: Progress::default(),
            completion: Completion::default(),
        }
    }

    pub(super) fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Counts its stream as one that is open.
    pub(super) fn count_open(&self) -> impl Drop + use<T> {
        self.counters.open()
    }

    /// The progress of reads from it.
    pub(super) fn read(&self) -> Progress {
        self.read.clone()
    }

    /// The progress of writes to it.
    pub(super) fn written(&self) -> Progress {
        self.written.clone()
    }

    pub(super) fn completion(&self) -> Completion {
        self.completion.clone()
    }
}

impl<T: Socket> Drop for LocalSocket<T> {
    fn drop(&mut self) {
        if self.completion.is_complete() {
            self.inner.set_reset_on_close(false);
        }
    }
}

impl<T: Socket> AsyncRead for LocalSocket<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.inner).poll_read(cx, buffer);
        let count = buffer.filled().len() - before;
        self.counters.sent(count);
        self.read.add(count);
        result
    }
}

impl<T: Socket> AsyncWrite for LocalSocket<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = result {
            self.counters.received(count);
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

/// Whether everything was transferred.
#[derive(Clone, Debug, Default)]
pub(super) struct Completion(Arc<AtomicBool>);

impl Completion {
    pub(super) fn is_complete(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn complete(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Number of bytes of one socket that were transferred in one direction.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU64>);

impl Progress {
    /// Waits until nothing was transferred for `timeout`.
    pub(super) async fn stalled(&self, timeout: impl Fn() -> Duration) {
        let mut before = None;
        while before != Some(self.get()) {
            before = Some(self.get());
            tokio::time::sleep(timeout()).await;
        }
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}
