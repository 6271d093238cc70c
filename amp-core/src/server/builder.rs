use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::{Semaphore, watch};

use super::house::{House, Stage};
use super::{IntoSession, Listener, Server, UnixSocket};
use crate::connection::extension::Extension;
use crate::connection::{Builder, Connection, require_time};
use crate::peer::Peer;
use crate::settings::Settings;

/// Sets a server up: what its connections allow and how many there may be.
#[derive(Clone)]
#[must_use = "a builder does nothing until it binds or serves"]
pub struct ServerBuilder {
    builder: Builder,
    most_connections: usize,
    on_connection: Arc<dyn Fn(Connection) + Send + Sync>,
}

impl ServerBuilder {
    /// Default settings, and at most 1,024 connections.
    pub fn new() -> Self {
        Self { builder: Builder::new(), most_connections: 1024, on_connection: Arc::new(drop) }
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

    /// Gives the responders of every connection a value of the user's own, exposed as [`State<T>`](crate::State). One of
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

    /// Gives every accepted connection away, for a server that calls its clients first. It must not block.
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
        let mut server = self.serve(listener, session);
        server.local = Some(local);
        Ok(server)
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
        require_time();
        let stage = watch::Sender::new(Stage::Accepting);
        // As many places as can be awaited at once when the server closes.
        let places = self.most_connections.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        let house = House {
            stage: stage.clone(),
            places: Arc::new(Semaphore::new(places)),
            most: u32::try_from(places).unwrap_or(u32::MAX),
            live: Arc::default(),
            builder: self.builder,
            on_connection: self.on_connection,
        };
        let live = Arc::clone(&house.live);
        tokio::spawn(house.keep(listener, session));
        Server { stage, live, local: None }
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
