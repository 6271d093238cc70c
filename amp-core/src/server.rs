//! The server: accepts connections and gives each a locator of its own. Imports `connection`.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::connection::{Builder, Connection, Driver, Peer, Settings, transport};
use crate::locator::Locator;

/// How long accepting pauses when the process is out of file descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Accepts connections until it is closed or dropped. Cheap to hold; the work is in tasks of its own.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use amp_core::Server;
///
/// let server = Server::builder().bind_tcp("127.0.0.1:0", |_peer| ()).await?;
/// println!("listening on {:?}", server.local_addr());
/// server.close();
/// server.closed().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping a server closes it"]
pub struct Server {
    stage: watch::Sender<Stage>,
    live: Arc<AtomicUsize>,
    local: Option<SocketAddr>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Stage {
    Accepting,
    Closing,
    Closed,
}

/// Sets a server up: what its connections allow and how many there may be.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it binds or serves"]
pub struct ServerBuilder {
    settings: Settings,
    most_connections: usize,
}

impl ServerBuilder {
    /// Default settings, and at most 1,024 connections.
    pub fn new() -> Self {
        Self { settings: Settings::default(), most_connections: 1024 }
    }

    /// Sets what each connection allows.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Sets how many connections there may be at once. Further ones wait in the system's backlog until one
    /// ends. At least 1.
    pub fn most_connections(mut self, most: usize) -> Self {
        self.most_connections = most.max(1);
        self
    }

    /// Listens on a TCP address. `locator` makes, from the peer, what answers one connection.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind_tcp<L: Locator>(
        self,
        address: impl ToSocketAddrs,
        locator: impl Fn(&Peer) -> L + Send + Sync + 'static,
    ) -> io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        let mut server = self.serve(listener, locator);
        server.local = Some(local);
        Ok(server)
    }

    /// Listens on a unix socket, whose path must not exist yet.
    ///
    /// # Errors
    /// When the path cannot be bound.
    ///
    /// # Panics
    /// When called outside a tokio runtime.
    pub fn bind_unix<L: Locator>(
        self,
        path: impl AsRef<Path>,
        locator: impl Fn(&Peer) -> L + Send + Sync + 'static,
    ) -> io::Result<Server> {
        Ok(self.serve(UnixListener::bind(path)?, locator))
    }

    /// Accepts from a listener of the caller's.
    ///
    /// # Panics
    /// When called outside a tokio runtime.
    pub fn serve<A: Listener, L: Locator>(
        self,
        listener: A,
        locator: impl Fn(&Peer) -> L + Send + Sync + 'static,
    ) -> Server {
        let stage = watch::Sender::new(Stage::Accepting);
        // As many places as can be awaited at once when the server closes.
        let places = self.most_connections.min(Semaphore::MAX_PERMITS).min(u32::MAX as usize);
        let house = House {
            stage: stage.clone(),
            places: Arc::new(Semaphore::new(places)),
            most: u32::try_from(places).unwrap_or(u32::MAX),
            live: Arc::default(),
            builder: Builder::new().settings(self.settings),
        };
        let live = Arc::clone(&house.live);
        tokio::spawn(house.keep(listener, locator));
        Server { stage, live, local: None }
    }
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// Begins to set a server up.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// The address that [`bind_tcp`](ServerBuilder::bind_tcp) bound, with the port that the system chose for port 0.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// Begins to close: nothing more is accepted, and every connection is closed as by [`Connection::close`], so what
    /// runs may finish within [`close_timeout`](Settings::close_timeout). [`closed`](Self::closed) tells when it is done.
    pub fn close(&self) {
        self.stage.send_if_modified(|stage| {
            let open = *stage == Stage::Accepting;
            if open {
                *stage = Stage::Closing;
            }
            open
        });
    }

    /// Waits until the server was closed and its last connection has ended.
    ///
    /// # Cancel safety
    /// Safe to drop and to call again.
    pub async fn closed(&self) {
        reached(self.stage.subscribe(), Stage::Closed).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local", &self.local).field("connections", &self.connections()).finish()
    }
}

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

/// What the accepting task owns.
struct House {
    stage: watch::Sender<Stage>,
    places: Arc<Semaphore>,
    most: u32,
    live: Arc<AtomicUsize>,
    builder: Builder,
}

impl House {
    async fn keep<A: Listener, L: Locator>(
        self,
        mut listener: A,
        locator: impl Fn(&Peer) -> L + Send + Sync + 'static,
    ) {
        let locator = Arc::new(locator);
        let mut closing = pin!(reached(self.stage.subscribe(), Stage::Closing));
        loop {
            let guest = pin!(self.guest(&mut listener));
            let Some((guest, place)) = until(closing.as_mut(), guest).await else { break };
            match guest {
                Ok((transport, peer)) => {
                    let (locator, builder, stage) =
                        (Arc::clone(&locator), self.builder.clone(), self.stage.subscribe());
                    tokio::spawn(async move {
                        let (connection, driver) = builder.locator(locator(&peer)).build(transport, peer);
                        stay(connection, driver, stage).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    let pause = pin!(tokio::time::sleep(ACCEPT_PAUSE));
                    if until(closing.as_mut(), pause).await.is_none() {
                        break;
                    }
                }
            }
        }
        drop(listener);
        // Every connection holds its place until it has ended.
        let _ = self.places.acquire_many(self.most).await;
        self.stage.send_replace(Stage::Closed);
    }

    /// The next connection, once there is a place for it.
    async fn guest<A: Listener>(&self, listener: &mut A) -> (io::Result<(A::Transport, Peer)>, Place) {
        let permit = Arc::clone(&self.places).acquire_owned().await.ok();
        let accepted = listener.accept().await;
        self.live.fetch_add(1, Ordering::Relaxed);
        (accepted, Place { live: Arc::clone(&self.live), _permit: permit })
    }
}

/// A connection's place among those that the server may have.
struct Place {
    live: Arc<AtomicUsize>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.live.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Drives one connection to its end, and closes it when the server closes.
async fn stay(connection: Connection, mut driver: Driver, stage: watch::Receiver<Stage>) {
    if until(pin!(reached(stage, Stage::Closing)), &mut driver).await.is_none() {
        connection.close();
        driver.await;
    }
}

async fn reached(mut stage: watch::Receiver<Stage>, wanted: Stage) {
    // A server that is gone has reached every stage.
    let _ = stage.wait_for(|stage| *stage >= wanted).await;
}

/// What `work` gives, or `None` when `end` comes first.
async fn until<E: Future, W: Future + Unpin>(mut end: Pin<&mut E>, mut work: W) -> Option<W::Output> {
    poll_fn(|cx| match end.as_mut().poll(cx) {
        Poll::Ready(_) => Poll::Ready(None),
        Poll::Pending => Pin::new(&mut work).poll(cx).map(Some),
    })
    .await
}
