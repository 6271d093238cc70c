//! A stream socket that others may share.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::task::{Context, Poll, ready};

use nix::sys::socket::{MsgFlags, Shutdown, recv, send, setsockopt, shutdown, sockopt};
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, ReadBuf};

/// A socket whose open file description stays as it is: each call says by itself that it does not block.
pub(super) struct Socket(AsyncFd<OwnedFd>);

impl Socket {
    pub(super) fn new(descriptor: OwnedFd, interest: Interest) -> io::Result<Self> {
        // Small boxes go out at once over TCP; other sockets do not know the option. It is the only change that other holders of
        // the socket see.
        let _ = setsockopt(&descriptor, sockopt::TcpNoDelay, &true);
        #[allow(
            deprecated,
            reason = "what replaces it is unsafe for types that change their descriptor; this does not"
        )]
        let registered = AsyncFd::with_interest(descriptor, interest)?;
        Ok(Self(registered))
    }

    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            let unfilled = buffer.initialize_unfilled();
            let received = ready.try_io(|socket| Ok(recv(socket.as_raw_fd(), unfilled, MsgFlags::MSG_DONTWAIT)?));
            match received {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(received) => return Poll::Ready(received.map(|count| buffer.advance(count))),
                Err(_would_block) => {}
            }
        }
    }

    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(cx))?;
            match ready.try_io(|socket| Ok(send(socket.as_raw_fd(), bytes, SEND)?)) {
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(sent) => return Poll::Ready(sent),
                Err(_would_block) => {}
            }
        }
    }

    /// Signals the end to the peer, even if others hold the socket.
    pub(super) fn shut_down(&self) -> io::Result<()> {
        Ok(shutdown(self.0.as_raw_fd(), Shutdown::Write)?)
    }
}

/// Without `SIGPIPE`, where the platform has the flag: a closed peer is an error here and no signal.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SEND: MsgFlags = MsgFlags::MSG_DONTWAIT.union(MsgFlags::MSG_NOSIGNAL);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SEND: MsgFlags = MsgFlags::MSG_DONTWAIT;
