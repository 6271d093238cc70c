//! Connections over transports that only Unix has: its sockets, and descriptors, such as those of a child's pipes or the standard
//! streams.

use std::ffi::OsString;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::net::UnixStream;
use tokio::net::unix::SocketAddr as UnixAddress;
use tokio::process::{Child, Command as Process};

use super::builder::ConnectionBuilder;
use super::clock::require_time;
use super::descriptors::{Halves, spawn_on};
use super::handle::Connection;
use super::transport::with_context;
use crate::peer::{Credentials, Peer};

/// These exist on Unix only.
impl ConnectionBuilder {
    /// Connects over a unix socket. On Linux a path that begins with a NUL byte is a name in the abstract namespace.
    ///
    /// # Errors
    /// If nothing accepts at the path.
    ///
    /// # Cancel safety
    /// If dropped, no connection is left behind.
    pub async fn connect_unix(self, path: impl AsRef<Path>) -> io::Result<Connection> {
        let path = path.as_ref();
        let stream = UnixStream::connect(path).await;
        let stream = stream.map_err(|error| with_context(&error, format_args!("cannot connect to {path:?}")))?;
        Ok(self.start_unix(stream))
    }

    /// Runs the connection over a unix socket that was connected or accepted before.
    pub fn start_unix(self, stream: UnixStream) -> Connection {
        let (stream, peer) = unix(stream);
        self.start(stream, peer)
    }

    /// Starts a child process and connects to it over its standard input and output; its standard error stays as it is.
    ///
    /// The child's pipes close when the connection ends, as for [`pipes`](Self::pipes). Waiting for the child itself is up to the
    /// caller. For a child that has other uses for its standard streams see [`spawn_on`](Self::spawn_on).
    ///
    /// # Errors
    /// If the process does not start.
    ///
    /// # Panics
    /// If called outside a tokio runtime with I/O and time enabled.
    #[track_caller]
    pub fn spawn(self, process: &mut Process) -> io::Result<(Connection, Child)> {
        // Panic before the child has started.
        require_time();
        let mut child = process.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::Error::other("the child's pipes were taken"));
        };
        let (read, write) = (output.into_owned_fd()?, input.into_owned_fd()?);
        let halves = Halves::own(read, write, self.settings_ref().linger)?;
        let connection = self.start_transport(halves, Peer::Process { id: child.id() });
        Ok((connection, child))
    }

    /// Starts a child process and connects to it over two pipes, which the child reads and writes as the descriptors with these
    /// numbers. Its standard streams stay as they are, so that it may print.
    ///
    /// Twisted's ampoule and the workers of `trial` read 3 and write 4:
    ///
    /// ```no_run
    /// # async fn example() -> std::io::Result<()> {
    /// # extern crate amp_core as amp;
    /// use amp::Connection;
    /// use tokio::process::Command;
    ///
    /// let mut worker = Command::new("python3");
    /// worker.args(["-m", "twisted.trial._dist.workertrial"]);
    /// let (connection, child) = Connection::builder().spawn_on(worker, 3, 4)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`pipes`](Self::pipes) shows how such a child is written in Rust. The process is taken by value because it holds the
    /// child's ends of the pipes until it is dropped, and while they are open here the end of the child would not be seen. The
    /// pipes close when the connection ends, as for [`pipes`](Self::pipes); waiting for the child itself is up to the caller.
    ///
    /// # Errors
    /// If the process does not start, or the numbers are equal or cannot be those of descriptors.
    ///
    /// # Panics
    /// If called outside a tokio runtime with I/O and time enabled.
    #[track_caller]
    pub fn spawn_on(self, process: Process, reads: RawFd, writes: RawFd) -> io::Result<(Connection, Child)> {
        require_time();
        let (halves, child) = spawn_on(process, reads, writes, self.settings_ref().linger)?;
        let connection = self.start_transport(halves, Peer::Process { id: child.id() });
        Ok((connection, child))
    }

    /// Runs the connection over two descriptors, one to read and one to write, which may be two duplicates of one socket. Each is
    /// driven according to its kind:
    ///
    /// | | read and written | at the end of the connection |
    /// |---|---|---|
    /// | a stream socket | as a socket | shut down for writing, for all who hold it; then read for up to [`linger`](crate::Settings::linger) and closed |
    /// | a pipe | as a pipe, reopened through `/proc` | closed; what the peer had written is received before |
    /// | a pipe that cannot be reopened (without Linux's `/proc`, or when it belongs to another user), a named pipe that is open for reading and writing, a terminal, a file, a device | by a thread, which neither the runtime nor the end of the process waits for | closed |
    ///
    /// The open file descriptions of the two are not changed, so other processes that share them never see them become
    /// non-blocking. The descriptors are marked to be closed in programs that this process starts. For a pipe or a terminal the
    /// peer sees the end when the *last* duplicate of its descriptor is closed: other processes must close the duplicates that
    /// they hold.
    ///
    /// After an orderly end over pipes it depends on the peer how long [`closed`](Connection::closed) waits:
    ///
    /// - A peer of this library that has sent something closes when it sees the end. It is waited for, for up to `linger`.
    /// - Another peer may keep its end open, and is not waited for. Its further bytes are read and discarded in the background
    ///   for up to `linger`, so that it gets no `SIGPIPE`.
    ///
    /// A child that was given its connection on 3 and 4 takes them by their numbers, before it opens anything else:
    ///
    /// ```no_run
    /// # async fn example() -> std::io::Result<()> {
    /// # extern crate amp_core as amp;
    /// use std::fs::File;
    /// use std::os::fd::{FromRawFd, OwnedFd};
    ///
    /// // SAFETY: the parent has opened both for this, and nothing else in this program owns them.
    /// let (read, write) = unsafe { (OwnedFd::from_raw_fd(3), OwnedFd::from_raw_fd(4)) };
    /// let connection = amp::Connection::builder().pipes(read, write)?;
    /// # drop(connection);
    ///
    /// // Without `unsafe`, for pipes. 3 and 4 themselves then stay open until the process ends.
    /// let (read, write) = (File::open("/dev/fd/3")?, File::options().write(true).open("/dev/fd/4")?);
    /// let connection = amp::Connection::builder().pipes(read, write)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The second way has a drawback: the parent does not see that the connection was closed while the child lives, so its calls
    /// wait for answers that do not come. Such a child should exit when its connection has ended.
    ///
    /// # Errors
    /// If a descriptor is not open in the direction that is asked of it, or is a message socket or a listening one.
    ///
    /// # Panics
    /// If called outside a tokio runtime with I/O and time enabled.
    #[track_caller]
    pub fn pipes(self, read: impl Into<OwnedFd>, write: impl Into<OwnedFd>) -> io::Result<Connection> {
        require_time();
        let halves = Halves::shared(read.into(), write.into(), self.settings_ref().linger)?;
        Ok(self.start_transport(halves, Peer::other("pipes")))
    }

    /// Connects to the parent process over this process's standard input and output, whatever they are: two pipes, one or two
    /// sockets (as `sshd` or `inetd` pass them), a terminal, a file. [`pipes`](Self::pipes) describes how they are driven and
    /// what happens at the end of the connection.
    ///
    /// The connection takes them for good. From now on standard input is `/dev/null`, and standard output is a duplicate of
    /// standard error. If standard error leads to the same place as one of them (`2>&1`, one socket for all three as `inetd`
    /// passes it, a terminal), all three are `/dev/null`: such a program logs to a file. So what the program prints reaches a log
    /// and not the peer, programs that it starts inherit none of them, and the end of the connection reaches the parent although
    /// this process lives on. Output printed before is flushed to the old standard output; input that was read into the buffer of
    /// [`std::io::stdin`] before does not reach the connection.
    ///
    /// Programs that run after this one with the same standard streams, as in `sh -c 'agent; cat'`, find them unchanged; but
    /// bytes that the peer had sent ahead may have been read, and a socket is shut down for writing.
    ///
    /// # Errors
    /// If a standard stream is not open or cannot carry a connection, and then nothing is changed; and if an earlier connection
    /// has taken them.
    ///
    /// # Panics
    /// If called outside a tokio runtime with I/O and time enabled.
    #[track_caller]
    pub fn stdio(self) -> io::Result<Connection> {
        // Panic before the streams have been taken.
        require_time();
        let peer = Peer::Process { id: Some(std::os::unix::process::parent_id()) };
        let halves = Halves::standard(self.settings_ref().linger)?;
        Ok(self.start_transport(halves, peer))
    }
}

/// A unix socket and the peer at its other end as the kernel reports it.
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
