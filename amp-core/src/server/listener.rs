use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::connection::{Peer, transport};

/// Where connections come from. Implement it for a listener of your own, such as one that speaks TLS.
pub trait Listener: Send + 'static {
    /// The byte stream of a connection.
    type Transport: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Waits for the next connection.
    ///
    /// # Errors
    /// An error costs one connection, never the server: it is logged, and accepting goes on after a pause.
    ///
    /// # Cancel safety
    /// When dropped, no connection may be lost.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Transport, Peer)>> + Send;
}

impl Listener for TcpListener {
    type Transport = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Peer)> {
        transport::tcp(Self::accept(self).await?.0)
    }
}

impl Listener for UnixListener {
    type Transport = UnixStream;

    async fn accept(&mut self) -> io::Result<(UnixStream, Peer)> {
        Ok(transport::unix(Self::accept(self).await?.0))
    }
}
