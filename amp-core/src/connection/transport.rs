//! Connections over the usual transports.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::net::unix::SocketAddr as UnixAddress;
use tokio::net::{TcpStream, ToSocketAddrs, UnixStream};
use tokio::process::{Child, Command as Process};

use super::halves::Halves;
use super::{Builder, Connection};
use crate::peer::{Credentials, Peer};

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
        let (stream, peer) = tcp(stream.peer_addr()?, stream);
        Ok(self.start(stream, peer))
    }

    /// Connects over a unix socket. On Linux a path that begins with a NUL byte is a name in the abstract namespace.
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
        let connection = self.start(Halves::new(output, input), Peer::Process { id: child.id() });
        Ok((connection, child))
    }

    /// Talks to the parent process over this process's standard input and output. Nothing else may write there.
    ///
    /// # Errors
    /// When a standard stream is not open.
    pub fn stdio(self) -> io::Result<Connection> {
        let peer = Peer::Process { id: Some(std::os::unix::process::parent_id()) };
        Ok(self.start(Halves::standard()?, peer))
    }
}

/// A TCP socket made ready for small boxes.
pub(crate) fn tcp(address: SocketAddr, stream: TcpStream) -> (TcpStream, Peer) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, %address, "the socket takes no TCP_NODELAY");
    }
    (stream, Peer::Tcp { address })
}

/// A unix socket and who the kernel says is at its other end.
pub(crate) fn unix(stream: UnixStream) -> (UnixStream, Peer) {
    let path_of = |address: io::Result<UnixAddress>| path_of(&address.ok()?);
    let path = path_of(stream.peer_addr()).or_else(|| path_of(stream.local_addr()));
    let credentials = stream.peer_cred().ok().map(|given| Credentials {
        user: given.uid(),
        group: given.gid(),
        process: given.pid(),
    });
    (stream, Peer::Unix { path, credentials })
}

/// The path or the abstract name, in the spelling in which it is bound.
fn path_of(address: &UnixAddress) -> Option<PathBuf> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = address.as_abstract_name() {
        return Some(OsString::from_vec([b"\0", name].concat()).into());
    }
    address.as_pathname().map(Path::to_owned)
}

/// Two connections to each other, in memory: for tests, and for parts of one program.
///
/// # Panics
/// When called outside a tokio runtime with time enabled.
#[track_caller]
pub fn pair(one: Builder, other: Builder) -> (Connection, Connection) {
    let (a, b) = tokio::io::duplex(PAIR_BUFFER);
    (one.start(a, Peer::other("memory")), other.start(b, Peer::other("memory")))
}
