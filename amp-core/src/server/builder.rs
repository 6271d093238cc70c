use std::fmt;
use std::future;
use std::io;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;

use tokio::net::ToSocketAddrs;

use super::accept::AcceptLoop;
use super::handle::Server;
use super::listener::{Listener, bind_tcp};
use super::roster::{MAX_REFUSALS, Roster};
use super::serve::Connections;
use super::session::{IntoSession, MakeSession};
#[cfg(unix)]
use super::unix::UnixSocket;
use crate::connection::extension::Extension;
use crate::connection::{Connection, ConnectionBuilder, require_time};
use crate::memory::Pool;
use crate::settings::Settings;

/// The default of [`ServerBuilder::max_memory`].
const MAX_MEMORY: usize = 256 << 20;
/// Number of descriptors that a server keeps free, to answer connections that arrive when the process has no more.
const SPARE_DESCRIPTORS: usize = 4;
/// Number of connections that may be ending to make room for others, before accepting pauses.
const MAX_ENDING: usize = 64;

/// Configures a server: its limits, and the settings, states and extensions of its connections.
#[derive(Clone)]
#[must_use = "a builder does nothing until it binds or serves"]
pub struct ServerBuilder {
    builder: ConnectionBuilder,
    max_connections: usize,
    max_connections_per_peer: Option<usize>,
    max_memory: usize,
    on_connection: Arc<dyn Fn(Connection) + Send + Sync>,
}

impl ServerBuilder {
    /// Creates a builder with the default settings and limits: at most 1,024 connections.
    pub fn new() -> Self {
        Self {
            builder: ConnectionBuilder::new(),
            max_connections: 1024,
            max_connections_per_peer: None,
            max_memory: MAX_MEMORY,
            on_connection: Arc::new(drop),
        }
    }

    /// Sets the limits and other settings of each connection.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.builder = self.builder.settings(settings);
        self
    }

    /// Adds a protocol that rides beside the commands of every connection; see [`ConnectionBuilder::extension`]. If it depends on
    /// the peer, return a [`Session`](crate::server::Session) from the closure instead.
    pub fn extension(mut self, extension: impl Extension) -> Self {
        self.builder = self.builder.extension(extension);
        self
    }

    /// Sets a value of the user's own, which the responders of every connection receive as [`State<T>`](crate::State). One of
    /// each type.
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.shared_state(Arc::new(value))
    }

    /// As [`state`](Self::state), for a value that others hold too.
    pub fn shared_state<T: Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.builder = self.builder.shared_state(value);
        self
    }

    /// Sets how many connections there may be at once. At least 1; 1,024 by default.
    ///
    /// A further connection takes the place of another: of the connections that have never sent a whole box, the earliest ends
    /// with [`CloseReason::MadeRoom`](crate::CloseReason::MadeRoom). If there is none, the first command of the further
    /// connection is answered with [`codes::BUSY`](crate::error::codes::BUSY) and it is closed, without reaching the closure: 64
    /// at once, each for up to 10 seconds; more are closed without an answer. The log reports when that begins and when there is
    /// room again, at most once a minute. [`Server::refused`] counts them.
    pub fn max_connections(mut self, max: usize) -> Self {
        self.max_connections = max.max(1);
        self
    }

    /// Sets how many connections one peer may have at once: one IPv4 address, the first 64 bits of an IPv6 address, or the user of a
    /// process at a unix socket. At least 1; no limit by default. Other peers are not limited.
    ///
    /// Further connections are refused as those over [`max_connections`](Self::max_connections) are. Do not set it where many
    /// peers come from one address, as behind a proxy.
    pub fn max_connections_per_peer(mut self, max: usize) -> Self {
        self.max_connections_per_peer = Some(max.max(1));
        self
    }

    /// Sets how many bytes all connections together may hold on behalf of their peers: commands that run or wait, their
    /// arguments, and the futures of waiting responders, if these are over 512 bytes; answers that have not been taken; streams,
    /// each with 2 KiB (and 8 KiB more while the program has one that the peer opened) and its buffers; and bytes that are read
    /// or to be written; beside about 40 KiB for each connection that are not counted. Default 256 MiB. [`Server::memory`]
    /// returns the current number.
    ///
    /// `usize::MAX` is no limit. There is no minimum: with 0, a connection ends as soon as it holds over 8 KiB of one kind. The
    /// limit applies to one server: a clone of the builder that binds, too, has as much once more.
    ///
    /// From three quarters of it on, commands of connections that hold more than their share are answered
    /// [`codes::BUSY`](crate::error::codes::BUSY); a share is three quarters divided by the number of connections that hold
    /// something. From seven eighths on, streams of such connections give no more credit. Over the limit the connection that holds
    /// the most ends with [`CloseReason::OutOfMemory`](crate::CloseReason::OutOfMemory), and the next ones if they grow on before its memory
    /// is released. Memory that a responder allocates, and
    /// what it keeps of its arguments once it has answered, is the program's own, and counts only where it is
    /// [metered](Connection::meter).
    pub fn max_memory(mut self, bytes: usize) -> Self {
        self.max_memory = bytes;
        self
    }

    /// Calls `run` with every accepted connection, before its first command is handled: for a server that calls its clients first, or
    /// that keeps state for each. It must not block. It is not called for connections that are refused.
    ///
    /// The server keeps a handle of its own: dropping this one does not close the connection.
    #[doc(alias("connectionMade", "makeConnection"))]
    pub fn on_connection(mut self, run: impl Fn(Connection) + Send + Sync + 'static) -> Self {
        self.on_connection = Arc::new(run);
        self
    }

    /// Listens on a TCP address. `session` is called for each connection and returns its
    /// [`Locator`](crate::locator::Locator), or a [`Session`](crate::server::Session) with states and extensions. It may return
    /// a `Result`, and refuse the peer with [`Refused`](crate::server::Refused).
    ///
    /// # Errors
    /// If the address cannot be bound.
    ///
    /// # Panics
    /// If polled outside a tokio runtime with I/O and time enabled.
    #[doc(alias("listenTCP"))]
    pub async fn bind_tcp<S: IntoSession>(
        self,
        address: impl ToSocketAddrs,
        session: impl MakeSession<S>,
    ) -> io::Result<Server> {
        let listener = bind_tcp(address).await?;
        let local = listener.local_addr()?;
        Ok(self.start(listener, session, Some(local)))
    }

    /// Listens on a unix socket. Its path must not exist yet and is removed when the server accepts no more. On Linux a path that
    /// begins with a NUL byte, as in `"\0agent"`, is a name in the abstract namespace, which has no file.
    ///
    /// # Errors
    /// If the path cannot be bound.
    ///
    /// # Panics
    /// If called outside a tokio runtime with I/O and time enabled.
    #[cfg(unix)]
    #[track_caller]
    pub fn bind_unix<S: IntoSession>(self, path: impl AsRef<Path>, session: impl MakeSession<S>) -> io::Result<Server> {
        Ok(self.serve(UnixSocket::bind(path)?, session))
    }

    /// Accepts connections from the caller's own listener.
    ///
    /// # Panics
    /// If called outside a tokio runtime with time enabled.
    #[track_caller]
    pub fn serve<A: Listener, S: IntoSession>(self, listener: A, session: impl MakeSession<S>) -> Server {
        self.start(listener, session, None)
    }

    #[track_caller]
    fn start<A: Listener, S: IntoSession>(
        self,
        listener: A,
        session: impl MakeSession<S>,
        local: Option<SocketAddr>,
    ) -> Server {
        require_time();
        let max_tasks = self.max_connections.saturating_add(MAX_REFUSALS + MAX_ENDING);
        let accept_loop = AcceptLoop::new("server", max_tasks, SPARE_DESCRIPTORS);
        let lifecycle = accept_loop.lifecycle();
        let roster = Roster::new(self.max_connections, self.max_connections_per_peer);
        let memory = Pool::new(self.max_memory);
        let connections = Connections {
            builder: self.builder.of_server(Arc::clone(&memory)),
            session: Arc::new(session),
            on_connection: self.on_connection,
            lifecycle: lifecycle.clone(),
            roster: Arc::clone(&roster),
        };
        let serve = move |transport, peer, room| connections.serve(transport, peer, room);
        tokio::spawn(accept_loop.run(listener, future::pending(), serve));
        Server::new(lifecycle, roster, memory, local)
    }
}

impl Server {
    /// Returns a builder that configures a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("max_connections", &self.max_connections)
            .field("max_connections_per_peer", &self.max_connections_per_peer)
            .field("max_memory", &self.max_memory)
            .finish_non_exhaustive()
    }
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builder_shows_how_much_its_connections_may_hold() {
        let shown = format!("{:?}", Server::builder().max_memory(7));
        assert!(shown.contains("max_memory: 7"), "{shown}");
    }
}
