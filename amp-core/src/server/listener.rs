use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

use crate::connection::transport;
use crate::peer::Peer;

/// A source of connections. Implement it for a listener of your own.
pub trait Listener: Send + 'static {
    /// The byte stream of a connection.
    type Transport: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Waits for the next connection. Connections are accepted one after the other: it must not wait for the client to send
    /// something, or a silent client keeps all others out.
    ///
    /// # Errors
    /// An error costs one connection, never the server. It is logged. If it is about the client (reset, aborted, refused, not
    /// connected), accepting goes on at once, and otherwise after a short pause.
    ///
    /// # Cancel safety
    /// If dropped, no connection may be lost.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Transport, Peer)>> + Send;
}

impl Listener for TcpListener {
    type Transport = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, Peer)> {
        let (stream, address) = Self::accept(self).await?;
        Ok(transport::tcp(address, stream))
    }
}
