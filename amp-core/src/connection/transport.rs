//! Connections over TCP, and in memory. Transports that only Unix has are in `unix_transport`.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpStream, ToSocketAddrs, lookup_host};

use super::builder::ConnectionBuilder;
use super::handle::Connection;
use crate::peer::Peer;

/// Bytes that an in-memory pair holds in each direction.
const PAIR_BUFFER: usize = 64 * 1024;

impl ConnectionBuilder {
    /// Connects over TCP, with `TCP_NODELAY`.
    ///
    /// # Errors
    /// If the address does not resolve or nothing accepts there. Of several addresses of a name each is tried, and the error is that of the last.
    ///
    /// # Cancel safety
    /// If dropped, no connection is left behind.
    #[doc(alias("connectTCP", "connectProtocol"))]
    pub async fn connect_tcp(self, address: impl ToSocketAddrs) -> io::Result<Connection> {
        let mut refused = None;
        for address in resolved(address).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return self.start_tcp(stream),
                Err(error) => refused = Some(with_context(&error, format_args!("cannot connect to {address}"))),
            }
        }
        Err(refused.unwrap_or_else(no_address))
    }

    /// Runs the connection over a TCP socket that was connected or accepted before, with `TCP_NODELAY`.
    ///
    /// # Errors
    /// If the socket is no longer connected.
    pub fn start_tcp(self, stream: TcpStream) -> io::Result<Connection> {
        let (stream, peer) = tcp(stream.peer_addr()?, stream);
        Ok(self.start(stream, peer))
    }
}

/// An error of the same kind that says what it was about, which those of the system do not.
pub(crate) fn with_context(error: &io::Error, what: impl fmt::Display) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// The addresses of a name.
pub(crate) async fn resolved(address: impl ToSocketAddrs) -> io::Result<impl Iterator<Item = SocketAddr>> {
    lookup_host(address).await.map_err(|error| with_context(&error, "cannot resolve the address"))
}

/// A name has resolved to nothing.
pub(crate) fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "there is no address to this name")
}

/// Configures a TCP socket for small boxes.
pub(crate) fn tcp(address: SocketAddr, stream: TcpStream) -> (TcpStream, Peer) {
    // A socket that rejects options still carries boxes.
    let _ = stream.set_nodelay(true);
    (stream, Peer::Tcp { address })
}

/// Two connections to each other, in memory: for tests, and for parts of one program.
///
/// # Panics
/// If called outside a tokio runtime with time enabled.
#[track_caller]
pub fn pair(one: ConnectionBuilder, other: ConnectionBuilder) -> (Connection, Connection) {
    let (a, b) = tokio::io::duplex(PAIR_BUFFER);
    (one.start(a, Peer::other("memory")), other.start(b, Peer::other("memory")))
}
