//! Connections over the usual transports.

use std::io;
use std::path::Path;
use std::process::Stdio;

use tokio::net::unix::SocketAddr;
use tokio::net::{TcpStream, ToSocketAddrs, UnixStream};
use tokio::process::{Child, Command as Process};

use super::{Builder, Connection, Credentials, Peer};

/// How many bytes an in-memory pair holds in each direction.
const PAIR_BUFFER: usize = 64 * 1024;

impl Builder {
    /// Connects over TCP, with `TCP_NODELAY`.
    ///
    /// # Errors
    /// When the address does not resolve or nobody accepts there.
    ///
    /// # Cancel safety
    /// When dropped, no connection is left behind.
    pub async fn connect_tcp(self, address: impl ToSocketAddrs) -> io::Result<Connection> {
        self.start_tcp(TcpStream::connect(address).await?)
    }

    /// Runs the connection over a TCP socket that was connected or accepted before, with `TCP_NODELAY`.
    ///
    /// # Errors
    /// When the socket is no longer connected.
    pub fn start_tcp(self, stream: TcpStream) -> io::Result<Connection> {
        let (stream, peer) = tcp(stream)?;
        Ok(self.start(stream, peer))
    }

    /// Connects over a unix socket.
    ///
    /// # Errors
    /// When nobody accepts at the path.
    ///
    /// # Cancel safety
    /// When dropped, no connection is left behind.
    pub async fn connect_unix(self, path: impl AsRef<Path>) -> io::Result<Connection> {
        Ok(self.start_unix(UnixStream::connect(path).await?))
    }

    /// Runs the connection over a unix socket that was connected or accepted before.
    pub fn start_unix(self, stream: UnixStream) -> Connection {
        let (stream, peer) = unix(stream);
        self.start(stream, peer)
    }

    /// Starts a child process and talks to it over its standard input and output; its standard error stays as it is.
    ///
    /// The child's pipes close when the connection ends. The child itself is the caller's to wait for.
    ///
    /// # Errors
    /// When the process does not start.
    pub fn spawn(self, process: &mut Process) -> io::Result<(Connection, Child)> {
        let mut child = process.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the child's pipes were taken"));
        };
        let connection = self.start(tokio::io::join(output, input), Peer::Process { id: child.id() });
        Ok((connection, child))
    }

    /// Talks to the parent process over this process's standard input and output. Nothing else may write there.
    ///
    /// # Errors
    /// When a standard stream is not open.
    pub fn stdio(self) -> io::Result<Connection> {
        use std::os::fd::AsFd;
        use tokio::net::unix::pipe::{Receiver, Sender};

        let peer = Peer::Process { id: Some(std::os::unix::process::parent_id()) };
        let input = Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?);
        let output = Sender::from_owned_fd(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(match (input, output) {
            (Ok(input), Ok(output)) => self.start(tokio::io::join(input, output), peer),
            // Not pipes, so not pollable for sure: tokio reads and writes them on its blocking threads.
            _ => self.start(tokio::io::join(tokio::io::stdin(), tokio::io::stdout()), peer),
        })
    }
}

/// A TCP socket made ready for small boxes.
pub(crate) fn tcp(stream: TcpStream) -> io::Result<(TcpStream, Peer)> {
    stream.set_nodelay(true)?;
    let address = stream.peer_addr()?;
    Ok((stream, Peer::Tcp { address }))
}

/// A unix socket and who the kernel says is at its other end.
pub(crate) fn unix(stream: UnixStream) -> (UnixStream, Peer) {
    let path_of = |address: io::Result<SocketAddr>| address.ok()?.as_pathname().map(Path::to_owned);
    let path = path_of(stream.peer_addr()).or_else(|| path_of(stream.local_addr()));
    let credentials = Credentials::of(&stream);
    (stream, Peer::Unix { path, credentials })
}

/// Two connections to each other, in memory: for tests, and for parts of one program.
///
/// # Panics
/// When called outside a tokio runtime.
pub fn pair(one: Builder, other: Builder) -> (Connection, Connection) {
    let (a, b) = tokio::io::duplex(PAIR_BUFFER);
    (one.start(a, Peer::Other("memory")), other.start(b, Peer::Other("memory")))
}
