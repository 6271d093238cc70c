use std::io;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe;

/// A byte stream of two one-way streams. Shutting it down closes the one that is written: over a pipe nothing else tells
/// the peer that there is no more.
pub(super) struct Halves {
    read: Box<dyn AsyncRead + Send + Unpin>,
    write: Option<Box<dyn AsyncWrite + Send + Unpin>>,
}

impl Halves {
    pub(super) fn new(
        read: impl AsyncRead + Send + Unpin + 'static,
        write: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        Self { read: Box::new(read), write: Some(Box::new(write)) }
    }

    /// This process's standard input and output, each as what it is.
    pub(super) fn standard() -> io::Result<Self> {
        let (input, output) = (io::stdin(), io::stdout());
        let read: Box<dyn AsyncRead + Send + Unpin> = if is_pipe(&input)? {
            Box::new(pipe::Receiver::from_owned_fd(input.as_fd().try_clone_to_owned()?)?)
        } else {
            // Not pollable for sure: tokio reads it on its blocking threads.
            Box::new(tokio::io::stdin())
        };
        let write: Box<dyn AsyncWrite + Send + Unpin> = if is_pipe(&output)? {
            Box::new(pipe::Sender::from_owned_fd(output.as_fd().try_clone_to_owned()?)?)
        } else {
            Box::new(tokio::io::stdout())
        };
        Ok(Self { read, write: Some(write) })
    }
}

/// Whether a standard stream is a pipe, found out without a change to it.
fn is_pipe(stream: &impl AsFd) -> io::Result<bool> {
    use std::os::unix::fs::FileTypeExt;
    let file = std::fs::File::from(stream.as_fd().try_clone_to_owned()?);
    Ok(file.metadata()?.file_type().is_fifo())
}

impl AsyncRead for Halves {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Halves {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.write {
            Some(write) => Pin::new(write).poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.write {
            Some(write) => Pin::new(write).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(write) = &mut self.write {
            // Tokio's standard output is written by another thread, and its shutdown does not wait for that.
            ready!(Pin::new(&mut *write).poll_flush(cx))?;
            ready!(Pin::new(write).poll_shutdown(cx))?;
        }
        self.write = None;
        Poll::Ready(Ok(()))
    }
}
