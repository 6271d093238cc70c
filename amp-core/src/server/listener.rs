use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};

use crate::connection::transport::{self, no_address, resolved, with_context};
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

/// Listens on the first address that can be bound. The error is that of the last one, with the address.
#[doc(hidden)]
pub async fn bind_tcp(address: impl ToSocketAddrs) -> io::Result<TcpListener> {
    let mut refused = None;
    for address in resolved(address).await? {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) => refused = Some(with_context(&error, format_args!("cannot listen on {address}"))),
        }
    }
    Err(refused.unwrap_or_else(no_address))
}
