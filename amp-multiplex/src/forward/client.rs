use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::socket::Socket;

/// The socket of a client, while its stream is being opened and afterwards.
///
/// Only a read can tell whether the client is still there, and no byte that was read may be lost: one byte is read and kept, and
/// the others stay with the system.
pub(super) struct ClientSocket<S> {
    socket: S,
    first: Option<u8>,
    /// The error of the read after the first byte. A socket reports it once; later reads see a graceful end.
    failed: Option<io::Error>,
}

impl<S: Socket> ClientSocket<S> {
    pub(super) fn new(socket: S) -> Self {
        Self { socket, first: None, failed: None }
    }

    /// Waits until the client has gone: it has reset the connection, or ended it before its first byte, or closed a unix socket.
    /// An end after a first byte is that of a request, whose answer is awaited. Safe to drop.
    pub(super) async fn gone(&mut self) {
        if self.first.is_none() {
            match self.socket.read_u8().await {
                Ok(first) => self.first = Some(first),
                Err(_) => return,
            }
        }
        self.socket.hung_up().await;
    }
}

impl<S: Socket> Socket for ClientSocket<S> {
    fn set_reset_on_close(&self, resets: bool) {
        self.socket.set_reset_on_close(resets);
    }

    fn hung_up(&self) -> impl Future<Output = ()> + Send {
        self.socket.hung_up()
    }
}

impl<S: Socket> AsyncRead for ClientSocket<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buffer.remaining() > 0
            && let Some(first) = self.first.take()
        {
            buffer.put_slice(&[first]);
            // The event behind the byte is read along with it.
            if let Poll::Ready(Err(error)) = Pin::new(&mut self.socket).poll_read(cx, buffer) {
                self.failed = Some(error);
            }
            return Poll::Ready(Ok(()));
        }
        if let Some(error) = self.failed.take() {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.socket).poll_read(cx, buffer)
    }
}

impl<S: Socket> AsyncWrite for ClientSocket<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `x`, then what is scripted, then an end in order.
    struct Scripted(Vec<io::Result<&'static [u8]>>);

    impl AsyncRead for Scripted {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            if !self.0.is_empty() {
                buffer.put_slice(self.0.remove(0)?);
            }
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Scripted {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    impl Socket for Scripted {
        async fn hung_up(&self) {}
    }

    #[tokio::test]
    async fn the_byte_that_was_read_ahead_comes_first_and_an_error_behind_it_is_no_end_in_order() {
        for rest in [Ok(&b"yz"[..]), Err(io::ErrorKind::ConnectionReset.into())] {
            let whole = rest.is_ok();
            let mut client = ClientSocket::new(Scripted(vec![Ok(b"x"), rest]));
            client.gone().await;
            let mut read = Vec::new();
            let ended = client.read_to_end(&mut read).await;
            assert_eq!((ended.is_ok(), &*read), (whole, if whole { &b"xyz"[..] } else { b"x" }));
        }
    }
}
