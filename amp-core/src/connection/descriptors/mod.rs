//! Connections over descriptors: pipes, sockets, terminals and files, each driven according to its kind.
//!
//! No flag of an open file description that another process may share is changed: a socket is read and written with
//! `MSG_DONTWAIT`, a pipe is reopened, and anything else is read and written by threads.

mod child;
mod kind;
mod socket;
mod standard;
#[cfg(test)]
mod tests;
mod thread;

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, Interest, ReadBuf};
use tokio::net::unix::pipe;

use super::any_transport::Transport;
use crate::events::{EventKind, EventLimit};

pub(super) use child::spawn_on;
use kind::Kind;
use socket::Socket;
use thread::{ThreadReader, ThreadWriter};

/// A byte stream of two one-way streams, or of one socket that is both.
pub(super) struct Halves {
    /// `None` once nothing more is to be read.
    read: Option<Input>,
    /// `None` once it was shut down.
    write: Option<Output>,
    is_shut_down: bool,
    /// Time for which a pipe is still read after the connection has left it.
    linger: Duration,
}

enum Input {
    Pipe(pipe::Receiver),
    Socket(Arc<Socket>),
    Thread(ThreadReader),
}

enum Output {
    Pipe(pipe::Sender),
    Socket(Arc<Socket>),
    Thread(ThreadWriter),
}

impl Halves {
    /// Two descriptors that others may share, each driven according to its kind.
    pub(super) fn shared(read: OwnedFd, write: OwnedFd, linger: Duration) -> io::Result<Self> {
        kind::check(&read, &write)?;
        let (read, write) = if kind::is_same_socket(&read, &write)? {
            // One registration: its end is signalled by shutting it down, which no second descriptor can prevent.
            let socket = Arc::new(Socket::new(read, Interest::READABLE | Interest::WRITABLE)?);
            (Input::Socket(Arc::clone(&socket)), Output::Socket(socket))
        } else {
            (Input::new(read)?, Output::new(write)?)
        };
        Ok(Self { read: Some(read), write: Some(write), is_shut_down: false, linger })
    }

    /// The ends of two pipes that this process has made and does not share.
    pub(super) fn own(read: OwnedFd, write: OwnedFd, linger: Duration) -> io::Result<Self> {
        let read = Input::Pipe(pipe::Receiver::from_owned_fd(read)?);
        let write = Output::Pipe(pipe::Sender::from_owned_fd(write)?);
        Ok(Self { read: Some(read), write: Some(write), is_shut_down: false, linger })
    }

    /// The standard streams of this process, which are replaced by others from now on.
    pub(super) fn standard(linger: Duration) -> io::Result<Self> {
        standard::take(|read, write| Self::shared(read, write, linger))
    }

    /// A peer that still writes into a pipe would get `EPIPE` or `SIGPIPE` although it only has to read the end, so the pipe is
    /// emptied in the meantime.
    fn leave_input(&mut self) {
        if let Some(Input::Pipe(mut pipe)) = self.read.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let linger = self.linger;
            runtime.spawn(async move {
                let (mut bytes, mut lost) = ([0; 4096], 0);
                let emptied = async {
                    while let Ok(count @ 1..) = pipe.read(&mut bytes).await {
                        lost += count;
                    }
                };
                let _ = tokio::time::timeout(linger, emptied).await;
                if lost > 0 {
                    EventLimit::of_process().tell(EventKind::LOST_BYTES, |omitted| {
                        let what = "what a peer wrote into a pipe behind the end of its connection is lost";
                        tracing::warn!(omitted, bytes = lost, "{what}");
                    });
                }
            });
        }
    }
}

impl Drop for Halves {
    fn drop(&mut self) {
        if self.is_shut_down {
            self.leave_input();
        }
    }
}

impl Input {
    fn new(descriptor: OwnedFd) -> io::Result<Self> {
        Ok(match kind::of(&descriptor)? {
            Kind::Socket => Self::Socket(Arc::new(Socket::new(descriptor, Interest::READABLE)?)),
            Kind::Pipe => match kind::reopen_to_read(&descriptor) {
                Some(pipe) => Self::Pipe(pipe),
                None => Self::Thread(ThreadReader::new(descriptor)?),
            },
            Kind::Other => Self::Thread(ThreadReader::new(descriptor)?),
        })
    }
}

impl Output {
    fn new(descriptor: OwnedFd) -> io::Result<Self> {
        Ok(match kind::of(&descriptor)? {
            Kind::Socket => Self::Socket(Arc::new(Socket::new(descriptor, Interest::WRITABLE)?)),
            Kind::Pipe => match kind::reopen_to_write(&descriptor) {
                Some(pipe) => Self::Pipe(pipe),
                None => Self::Thread(ThreadWriter::new(descriptor)?),
            },
            Kind::Other => Self::Thread(ThreadWriter::new(descriptor)?),
        })
    }
}

impl Transport for Halves {
    /// A socket that is closed with unread bytes is reset, and the peer's unread answers are lost. A pipe loses nothing of the
    /// other direction.
    fn outlives_close(&self) -> bool {
        !matches!(self.read, Some(Input::Socket(_)))
    }
}

impl AsyncRead for Halves {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { read, is_shut_down, .. } = &mut *self;
        match read {
            Some(Input::Pipe(pipe)) if *is_shut_down => {
                // Available bytes are read even if the runtime has no event for them: it may be the last look.
                match nix::unistd::read(&*pipe, buffer.initialize_unfilled()) {
                    Ok(count) => {
                        buffer.advance(count);
                        Poll::Ready(Ok(()))
                    }
                    Err(_) => Pin::new(pipe).poll_read(cx, buffer),
                }
            }
            Some(Input::Pipe(pipe)) => Pin::new(pipe).poll_read(cx, buffer),
            Some(Input::Socket(socket)) => socket.poll_read(cx, buffer),
            Some(Input::Thread(thread)) => thread.poll_read(cx, buffer),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Halves {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.write {
            Some(Output::Pipe(pipe)) => Pin::new(pipe).poll_write(cx, bytes),
            Some(Output::Socket(socket)) => socket.poll_write(cx, bytes),
            Some(Output::Thread(thread)) => thread.poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.write {
            Some(Output::Thread(thread)) => thread.poll_flush(cx),
            Some(Output::Pipe(_) | Output::Socket(_)) | None => Poll::Ready(Ok(())),
        }
    }

    /// Signals the end to the peer: by closing the written descriptor, or shutting it down if it is a socket.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let written = ready!(self.as_mut().poll_flush(cx));
        let told = match self.write.take() {
            Some(Output::Socket(socket)) => socket.shut_down(),
            Some(Output::Pipe(_) | Output::Thread(_)) | None => Ok(()),
        };
        self.is_shut_down = true;
        Poll::Ready(written.and(told))
    }
}
