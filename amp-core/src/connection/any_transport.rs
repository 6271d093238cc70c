//! The transport of a connection: the first one, or one that has replaced it.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::proto::{Attachment, Carries};

/// A transport that carries attachments beside the bytes, as a unix socket carries descriptors.
pub trait AttachedWrite: AsyncWrite + Unpin {
    /// Whether it can send these attachments, all with one byte. Others are refused before anything of their box is written. It
    /// runs under no lock of the connection.
    fn carries(attachments: &[Attachment]) -> bool
    where
        Self: Sized;

    /// Writes a part of `bytes`, which are not empty, as [`poll_write`](AsyncWrite::poll_write) does. The attachments go with the
    /// first byte: all of them are sent if it returns that a byte was written, and none otherwise.
    ///
    /// # Errors
    /// If the transport has failed: the connection writes no more.
    fn poll_write_attached(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
        attachments: &[Attachment],
    ) -> Poll<io::Result<usize>>;
}

/// A byte stream, which may carry attachments.
pub(super) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {
    /// Which attachments it carries.
    fn carries(&self) -> Option<Carries> {
        None
    }

    /// The writer of attachments.
    fn attached(&mut self) -> Option<Pin<&mut dyn AttachedWrite>> {
        None
    }

    /// Whether the peer receives the last bytes even if the transport is closed before the peer has ended its own direction.
    fn outlives_close(&self) -> bool {
        false
    }
}

/// A transport of a user's, and how it writes attachments.
pub(super) struct Adapted<T> {
    transport: T,
    carries: Option<Carries>,
    attached: fn(&mut T) -> Option<Pin<&mut dyn AttachedWrite>>,
}

impl<T: AsyncRead + AsyncWrite> Adapted<T> {
    /// One that carries only bytes.
    pub(super) fn plain(transport: T) -> Self {
        Self { transport, carries: None, attached: |_| None }
    }
}

impl<T: AsyncRead + AttachedWrite + 'static> Adapted<T> {
    /// One that carries attachments.
    pub(super) fn attaching(transport: T) -> Self {
        Self { transport, carries: Some(T::carries), attached: |transport| Some(Pin::new(transport)) }
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for Adapted<T> {
    fn carries(&self) -> Option<Carries> {
        self.carries
    }

    fn attached(&mut self) -> Option<Pin<&mut dyn AttachedWrite>> {
        (self.attached)(&mut self.transport)
    }
}

/// A transport of any type.
pub struct BoxedTransport(Box<dyn Transport>);

impl BoxedTransport {
    /// A transport that carries only bytes.
    pub fn new(transport: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self(Box::new(Adapted::plain(transport)))
    }

    /// A transport that carries attachments, too.
    pub fn attaching(transport: impl AsyncRead + AttachedWrite + Send + 'static) -> Self {
        Self(Box::new(Adapted::attaching(transport)))
    }
}

impl fmt::Debug for BoxedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxedTransport").finish_non_exhaustive()
    }
}

impl Transport for BoxedTransport {
    fn carries(&self) -> Option<Carries> {
        self.0.carries()
    }

    fn attached(&mut self) -> Option<Pin<&mut dyn AttachedWrite>> {
        self.0.attached()
    }

    fn outlives_close(&self) -> bool {
        self.0.outlives_close()
    }
}

/// The transport of a connection. The first one keeps its type, so that a connection does not pay for a replacement that never
/// happens.
pub(super) enum Current<T> {
    First(T),
    Replaced(BoxedTransport),
    /// It is being replaced. Nothing is read or written meanwhile.
    Away,
}

impl<T: Transport + 'static> Current<T> {
    /// Takes the transport out.
    pub(super) fn take(&mut self) -> Option<BoxedTransport> {
        match std::mem::replace(self, Self::Away) {
            Self::First(transport) => Some(BoxedTransport(Box::new(transport))),
            Self::Replaced(transport) => Some(transport),
            Self::Away => None,
        }
    }

    pub(super) fn is_away(&self) -> bool {
        matches!(self, Self::Away)
    }
}

impl<T: Transport> Transport for Current<T> {
    fn carries(&self) -> Option<Carries> {
        match self {
            Self::First(transport) => transport.carries(),
            Self::Replaced(transport) => transport.carries(),
            Self::Away => None,
        }
    }

    fn attached(&mut self) -> Option<Pin<&mut dyn AttachedWrite>> {
        match self {
            Self::First(transport) => transport.attached(),
            Self::Replaced(transport) => transport.attached(),
            Self::Away => None,
        }
    }

    fn outlives_close(&self) -> bool {
        match self {
            Self::First(transport) => transport.outlives_close(),
            Self::Replaced(transport) => transport.outlives_close(),
            Self::Away => false,
        }
    }
}

fn away() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the transport is being replaced")
}

impl<T: AsyncRead + Unpin> AsyncRead for Adapted<T> {
    #[inline]
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Adapted<T> {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write(cx, bytes)
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}

impl AsyncRead for BoxedTransport {
    #[inline]
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncWrite for BoxedTransport {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl<T: Transport> AsyncRead for Current<T> {
    #[inline]
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::First(transport) => Pin::new(transport).poll_read(cx, buffer),
            Self::Replaced(transport) => Pin::new(transport).poll_read(cx, buffer),
            Self::Away => Poll::Ready(Err(away())),
        }
    }
}

impl<T: Transport> AsyncWrite for Current<T> {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::First(transport) => Pin::new(transport).poll_write(cx, bytes),
            Self::Replaced(transport) => Pin::new(transport).poll_write(cx, bytes),
            Self::Away => Poll::Ready(Err(away())),
        }
    }

    #[inline]
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::First(transport) => Pin::new(transport).poll_flush(cx),
            Self::Replaced(transport) => Pin::new(transport).poll_flush(cx),
            // Everything before the barrier was written and flushed.
            Self::Away => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::First(transport) => Pin::new(transport).poll_shutdown(cx),
            Self::Replaced(transport) => Pin::new(transport).poll_shutdown(cx),
            Self::Away => Poll::Ready(Err(away())),
        }
    }
}
