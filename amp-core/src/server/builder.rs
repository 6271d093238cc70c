use std::fmt;
use std::future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio::net::{TcpListener, ToSocketAddrs};

use super::accept::AcceptLoop;
use super::handle::Server;
use super::listener::Listener;
use super::serve::Connections;
use super::session::IntoSession;
use super::unix::UnixSocket;
use crate::connection::extension::Extension;
use crate::connection::{Builder, Connection, require_time};
use crate::memory::Pool;
use crate::peer::Peer;
use crate::settings::Settings;

/// The default of [`ServerBuilder::max_memory`].
const MAX_MEMORY: usize = 256 << 20;

/// Sets a server up: what its connections allow and how many there may be.
#[derive(Clone)]
#[must_use = "a builder does nothing until it binds or serves"]
pub struct ServerBuilder {
    builder: Builder,
    most_connections: usize,
    max_memory: usize,
    on_connection: Arc<dyn Fn(Connection) + Send + Sync>,
}

impl ServerBuilder {
    /// Default settings, and at most 1,024 connections.
    pub fn new() -> Self {
        Self { builder: Builder::new(), most_connections: 1024, max_memory: MAX_MEMORY, on_connection: Arc::new(drop) }
    }

    /// Sets what each connection allows.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.builder = self.builder.settings(settings);
        self
    }

    /// Adds a protocol that rides beside the commands of every connection; see [`Builder::extension`]. For one that depends on
    /// the peer, the closure returns a [`Session`](crate::Session).
    pub fn extension(mut self, extension: impl Extension) -> Self {
        self.builder = self.builder.extension(extension);
        self
    }

    /// Sets a value of the user's own, which the responders of every connection get as [`State<T>`](crate::State). One of
    /// each type.
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.shared_state(Arc::new(value))
    }

    /// As [`state`](Self::state), for a value that others hold too.
    pub fn shared_state<T: Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.builder = self.builder.shared_state(value);
        self
    }

    /// Sets how many connections there may be at once. Further ones wait in the system's backlog until one
    /// ends. At least 1.
    pub fn most_connections(mut self, most: usize) -> Self {
        self.most_connections = most.max(1);
        self
    }

    /// Sets how many bytes all connections together may hold on behalf of their peers: commands that run or wait and their
    /// arguments, answers that nobody has taken, what streams buffer, and what is read and to be written, beside about 40 KiB
    /// for each connection that are not counted. Default 256 MiB.
    ///
    /// From three quarters of it on, commands of those connections that hold more than their share, which is that much divided
    /// by the number of connections that hold something, are answered [`codes::BUSY`](crate::codes::BUSY). From seven eighths
    /// on, streams of such connections give no more credit. Over it the connection that holds the most ends with
    /// [`CloseReason::OutOfMemory`](crate::CloseReason::OutOfMemory). What a responder makes, and what it keeps of its arguments
    /// once it has answered, is the program's own and not counted.
    pub fn max_memory(mut self, bytes: usize) -> Self {
        self.max_memory = bytes;
        self
    }

    /// Passes every accepted connection to `give`, for a server that calls its clients first. It must not block.
    ///
    /// The server keeps a handle of its own: dropping this one does not close the connection.
    pub fn on_connection(mut self, give: impl Fn(Connection) + Send + Sync + 'static) -> Self {
        self.on_connection = Arc::new(give);
        self
    }

    /// Listens on a TCP address. `session` makes, from the peer, what one connection needs: a
    /// [`Locator`](crate::Locator), or a [`Session`](crate::Session) with extensions.
    ///
    /// # Errors
    /// When the address cannot be bound.
    ///
    /// # Panics
    /// When polled outside a tokio runtime with I/O and time enabled.
    pub async fn bind_tcp<S: IntoSession>(
        self,
        address: impl ToSocketAddrs,
        session: impl Fn(&Peer) -> S + Send + Sync + 'static,
    ) -> io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        Ok(self.start(listener, session, Some(local)))
    }

    /// Listens on a unix socket, whose path must not exist yet and is taken away when the server accepts no more. On Linux a
    /// path that begins with a NUL byte, as in `"\0agent"`, is a name in the abstract namespace, which has no file.
    ///
    /// # Errors
    /// When the path cannot be bound.
    ///
    /// # Panics
    /// When called outside a tokio runtime with I/O and time enabled.
    #[track_caller]
    pub fn bind_unix<S: IntoSession>(
        self,
        path: impl AsRef<Path>,
        session: impl Fn(&Peer) -> S + Send + Sync + 'static,
    ) -> io::Result<Server> {
        Ok(self.serve(UnixSocket::bind(path)?, session))
    }

    /// Accepts from a listener of the caller's.
    ///
    /// # Panics
    /// When called outside a tokio runtime with time enabled.
    #[track_caller]
    pub fn serve<A: Listener, S: IntoSession>(
        self,
        listener: A,
        session: impl Fn(&Peer) -> S + Send + Sync + 'static,
    ) -> Server {
        self.start(listener, session, None)
    }

    #[track_caller]
    fn start<A: Listener, S: IntoSession>(
        self,
        listener: A,
        session: impl Fn(&Peer) -> S + Send + Sync + 'static,
        local: Option<SocketAddr>,
    ) -> Server {
        require_time();
        let accept_loop = AcceptLoop::new("server", self.most_connections);
        let (lifecycle, count) = (accept_loop.lifecycle(), Arc::new(AtomicUsize::new(0)));
        let connections = Connections {
            builder: self.builder.memory(Pool::new(self.max_memory)),
            session: Arc::new(session),
            on_connection: self.on_connection,
            lifecycle: lifecycle.clone(),
            count: Arc::clone(&count),
        };
        let serve = move |transport, peer| connections.serve(transport, peer);
        tokio::spawn(accept_loop.run(listener, future::pending(), serve));
        Server::new(lifecycle, count, local)
    }
}

impl Server {
    /// Begins to set a server up.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder").field("most_connections", &self.most_connections).finish_non_exhaustive()
    }
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self::new()
    }
}
