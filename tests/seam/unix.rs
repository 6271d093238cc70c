//! A transport over a unix socket that carries descriptors, and writes no more at once than it is told.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use amp_core::extension::{AttachedWrite, Attachment};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::UnixStream;

/// The most descriptors that go with one byte.
const MAX: usize = 8;

/// The descriptors that came, in their order.
pub(crate) type Received = Arc<Mutex<VecDeque<OwnedFd>>>;

#[derive(Debug)]
pub(crate) struct UnixTransport {
    pub(crate) stream: UnixStream,
    pub(crate) received: Received,
    /// The most bytes of one write.
    pub(crate) max_written: usize,
}

impl UnixTransport {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes = &bytes[..bytes.len().min(self.max_written)];
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            let sent = self.stream.try_io(Interest::WRITABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX))];
                let mut control = SendAncillaryBuffer::new(&mut space);
                if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
                    return Err(io::Error::other("too many descriptors"));
                }
                let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
                Ok(sendmsg(&self.stream, &[IoSlice::new(bytes)], &mut control, flags)?)
            });
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
    }
}

impl AttachedWrite for UnixTransport {
    fn carries(attachments: &[Attachment]) -> bool {
        attachments.len() <= MAX && attachments.iter().all(|attached| attached.downcast_ref::<OwnedFd>().is_some())
    }

    fn poll_write_attached(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
        attachments: &[Attachment],
    ) -> Poll<io::Result<usize>> {
        let descriptors: Vec<_> =
            attachments.iter().filter_map(|each| Some(each.downcast_ref::<OwnedFd>()?.as_fd())).collect();
        self.poll_send(cx, bytes, &descriptors)
    }
}

impl AsyncWrite for UnixTransport {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(cx, bytes, &[])
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for UnixTransport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            let read = self.stream.try_io(Interest::READABLE, || {
                let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX))];
                let mut control = RecvAncillaryBuffer::new(&mut space);
                let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
                let mut into = [IoSliceMut::new(buffer.initialize_unfilled())];
                let read = recvmsg(&self.stream, &mut into, &mut control, flags)?;
                let mut received = self.received.lock().expect("no panic");
                for message in control.drain() {
                    if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                        received.extend(descriptors);
                    }
                }
                Ok(read.bytes)
            });
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(count) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}
