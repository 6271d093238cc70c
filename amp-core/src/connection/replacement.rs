//! The asynchronous part of replacing a connection's transport. The state holds back the bytes behind the barrier.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::any_transport::BoxedTransport;
use crate::panics::{Panic, caught};

/// Makes the new transport from the old one.
pub(super) type Replacement = Box<dyn FnOnce(PreviousTransport) -> Replacing + Send>;

/// A running replacement.
pub(super) type Replacing = Pin<Box<dyn Future<Output = io::Result<BoxedTransport>> + Send>>;

/// The transport that a connection ran over until now. Reading it begins with the leftover: bytes that were read already and
/// belong to the next transport.
#[derive(Debug)]
pub struct PreviousTransport {
    leftover: Bytes,
    transport: BoxedTransport,
}

impl PreviousTransport {
    pub(super) fn new(leftover: Bytes, transport: BoxedTransport) -> Self {
        Self { leftover, transport }
    }

    /// Bytes that were read and not yet taken.
    #[must_use]
    pub fn leftover(&self) -> &Bytes {
        &self.leftover
    }

    /// Returns the bytes that were read and not yet taken, and the transport behind them.
    #[must_use]
    pub fn into_parts(self) -> (Bytes, BoxedTransport) {
        (self.leftover, self.transport)
    }
}

impl AsyncRead for PreviousTransport {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.leftover.is_empty() {
            return Pin::new(&mut self.transport).poll_read(cx, buffer);
        }
        let count = self.leftover.len().min(buffer.remaining());
        buffer.put_slice(&self.leftover[..count]);
        self.leftover.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PreviousTransport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}

/// The driver's next step in replacing the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    /// It runs, or is to be run once everything before the barrier is written.
    Replace,
    /// The transport stays: reading goes on.
    Resume,
    /// The peer has answered before it was asked.
    Refuse,
}

/// The replacement to run when both ends have agreed.
#[derive(Default)]
pub(super) struct NextReplacement(Mutex<Option<Replacement>>);

impl NextReplacement {
    /// The slot is empty: one replacement is in progress at a time.
    pub(super) fn set(&self, replacement: Replacement) {
        let before = self.slot().replace(replacement);
        drop(before);
    }

    pub(super) fn take(&self) -> Option<Replacement> {
        self.slot().take()
    }

    /// Begins to replace the transport.
    pub(super) fn run(&self, previous: PreviousTransport) -> Replacing {
        let Some(replacement) = self.take() else { return Box::pin(async { Err(io::ErrorKind::NotFound.into()) }) };
        caught(AssertUnwindSafe(|| replacement(previous)))
            .unwrap_or_else(|panic| Box::pin(async move { Err(failed(&panic)) }))
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Replacement>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Polls it once. A panic ends it.
pub(super) fn poll_replacing(replacing: &mut Replacing, cx: &mut Context<'_>) -> Poll<io::Result<BoxedTransport>> {
    caught(AssertUnwindSafe(|| replacing.as_mut().poll(cx))).unwrap_or_else(|panic| Poll::Ready(Err(failed(&panic))))
}

/// The connection ends with it, so the panic is logged.
fn failed(panic: &Panic) -> io::Error {
    io::Error::other(format!("what replaces the transport has panicked: {panic}"))
}

impl fmt::Debug for NextReplacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NextReplacement").finish_non_exhaustive()
    }
}
