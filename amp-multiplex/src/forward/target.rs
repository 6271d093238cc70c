use std::fmt;
use std::io::{self, ErrorKind};
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::Arc;

use amp_core::error::Escaped;
use amp_core::extension::{EventKind, EventLimit};
#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::sync::{oneshot, watch};
use tracing::Level;

use super::counters::{Counters, Counts};
use super::descriptors::take_for_peer;
use super::dial::{TcpAddress, with_timeout};
use super::local::LocalSocket;
use super::proxy::proxy;
use super::socket::Socket;
use crate::factory::{Factories, Factory, Opening};
use crate::limit::{ConnectionNumber, Limit, Place};

const UNREACHABLE: EventKind = EventKind::new(Level::INFO, "streams to a target that cannot be reached");
const REFUSED: EventKind = EventKind::new(Level::WARN, "streams that a target refused");
const CUT: EventKind = EventKind::new(Level::DEBUG, "forwarded streams cut");

/// A factory whose streams lead to one address that this end can reach: `ssh -R`, seen from the end that is reached into.
///
/// The peer can name the factory, never the address: an address that is not registered under a name here cannot be reached. Cheap
/// to clone; a clone kept aside shows the counts.
///
/// Each stream has a socket, and opening it takes the peer only one Connect. So a target has [a limit](Self::max_streams), and
/// all targets and forwards of the process together leave half of its descriptors to other uses. A stream over a limit is
/// refused, without any other effect.
///
/// ```
/// use amp::multiplex::{Factories, Target};
///
/// let factories = Factories::new();
/// let database = Target::tcp("10.0.0.7:5432");
/// factories.insert("database", database.clone());
/// assert_eq!(database.counts().total, 0);
/// ```
#[derive(Clone)]
pub struct Target {
    address: Arc<Address>,
    counters: Arc<Counters>,
    events: Arc<EventLimit>,
    streams: Arc<Limit>,
    connects: Arc<Limit>,
    /// Whether it is closed. Every stream holds a receiver.
    closed: watch::Sender<bool>,
}

enum Address {
    Tcp(Arc<TcpAddress>),
    #[cfg(unix)]
    Unix(PathBuf),
}

impl Target {
    /// A TCP address, `host:port`. A name is looked up for each stream, unless a look-up of it is running already, and eight
    /// names at once in the whole process. A socket whose stream is cut or lost, or whose process ends, is reset.
    #[must_use]
    pub fn tcp(address: impl Into<String>) -> Self {
        Self::to(Address::Tcp(Arc::new(TcpAddress::new(address.into()))))
    }

    /// A unix socket. It cannot be reset: to its server a stream that was cut looks like one that has ended.
    #[cfg(unix)]
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::to(Address::Unix(path.into()))
    }

    fn to(address: Address) -> Self {
        Self {
            address: Arc::new(address),
            counters: Arc::default(),
            events: Arc::default(),
            streams: Limit::new(256),
            connects: Limit::new(32),
            closed: watch::Sender::new(false),
        }
    }

    /// Number of streams, and so of sockets, that may be open at once, over all connections, including those that are being
    /// connected. Further ones are refused, and first of all those of a connection that already has as many as are left: one
    /// alone can have half of them, so that none locks the others out. Clones made before have their own limit. Default 256.
    #[must_use]
    pub fn max_streams(mut self, max: usize) -> Self {
        self.streams = Limit::new(max);
        self
    }

    /// Number of sockets that may be connecting at once, over all connections; one alone can have half of them. Further streams
    /// are refused. Each takes up to ten seconds, including the look-up of a name, also when its peer has left. Clones made
    /// before have their own limit. Default 32.
    #[must_use]
    pub fn max_connects(mut self, max: usize) -> Self {
        self.connects = Limit::new(max);
        self
    }

    /// Refuses further streams; open ones stay open. [`closed`](Self::closed) waits until the last one has ended.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    /// Waits until the target was closed and its last stream has ended.
    ///
    /// # Cancel safety
    /// Safe to drop and to call again.
    pub async fn closed(&self) {
        let mut closed = self.closed.subscribe();
        let _ = closed.wait_for(|closed| *closed).await;
        drop(closed);
        self.closed.closed().await;
    }

    /// Returns its counters. `sent` counts the bytes that the target has sent.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.counts()
    }

    /// Connects first and accepts the stream then, so that the peer learns when nothing accepts there.
    async fn connect(&self, opening: Opening, places: Places) -> io::Result<()> {
        match &*self.address {
            Address::Tcp(address) => {
                let address = Arc::clone(address);
                self.proxy_to(async move { address.connect().await }, opening, places).await
            }
            #[cfg(unix)]
            Address::Unix(path) => self.proxy_to(UnixStream::connect(path.clone()), opening, places).await,
        }
    }

    async fn proxy_to<S: Socket + Send + 'static>(
        &self,
        connect: impl Future<Output = io::Result<S>> + Send + 'static,
        opening: Opening,
        places: Places,
    ) -> io::Result<()> {
        let (counters, (sender, connected)) = (Arc::clone(&self.counters), oneshot::channel());
        let Places { connect: connecting, stream, descriptor } = places;
        // In a task of its own, which runs to its end: a socket that is closed right after it has connected would look like a
        // whole connection without bytes, and a `LocalSocket` that is not taken is reset.
        tokio::spawn(async move {
            let socket = with_timeout(connect).await;
            drop(connecting);
            // The places that count the socket go with it.
            drop(sender.send(socket.map(|socket| (LocalSocket::new(socket, &counters), stream, descriptor))));
        });
        // A peer that no longer waits is noticed only when its connection ends: AMP cannot cancel a Connect.
        let connected = tokio::select! {
            biased;
            () = opening.connection_ended() => return Ok(()),
            connected = connected => connected.unwrap_or_else(|_| Err(ErrorKind::Interrupted.into())),
        };
        match connected {
            Ok((local, _stream, _descriptor)) => proxy(local, opening.accept()).await,
            Err(error) => {
                self.refuse(opening, &error);
                Ok(())
            }
        }
    }

    /// Returns the places of one more stream, or the reason for a refusal.
    fn places(&self, connection: ConnectionNumber) -> Result<Places, &'static str> {
        let told = |limit: &Limit, refusal, setting| {
            self.events.tell(REFUSED, |omitted| {
                let limit = limit.max();
                tracing::warn!(omitted, target = ?self, limit, "a target refuses streams; see `Target::{setting}`");
            });
            refusal
        };
        let too_many = || told(&self.streams, "its target has too many streams", "max_streams");
        let too_many_connects = || told(&self.connects, "its target is being connected to too often", "max_connects");
        Ok(Places {
            stream: self.streams.take(connection).ok_or_else(too_many)?,
            connect: self.connects.take(connection).ok_or_else(too_many_connects)?,
            descriptor: take_for_peer(connection).ok_or("too many sockets are open there")?,
        })
    }

    fn refuse(&self, opening: Opening, error: &io::Error) {
        self.counters.refuse();
        self.events.tell(UNREACHABLE, |omitted| {
            tracing::info!(omitted, target = ?self, error = %Escaped(error), "a target cannot be reached");
        });
        // The kind says enough: the address of the target stays here.
        let kind = match error.kind() {
            kind @ (ErrorKind::ConnectionRefused | ErrorKind::TimedOut | ErrorKind::PermissionDenied) => {
                kind.to_string()
            }
            _ => "see the log of the peer".to_owned(),
        };
        opening.refuse(format!("its target cannot be reached: {kind}"));
    }
}

/// The places that a stream to a target takes.
struct Places {
    stream: Place,
    /// Held until it is connected.
    connect: Place,
    descriptor: Place,
}

impl Factory for Target {
    fn open(&self, opening: Opening) {
        let (target, open) = (self.clone(), self.closed.subscribe());
        if *open.borrow() {
            self.counters.refuse();
            return opening.refuse("it is closed");
        }
        let places = match self.places(opening.connection_number()) {
            Ok(places) => places,
            Err(refusal) => {
                self.counters.refuse();
                return opening.refuse(refusal);
            }
        };
        tokio::spawn(async move {
            let _open = open;
            if let Err(error) = target.connect(opening, places).await {
                target.events.tell(CUT, |omitted| {
                    tracing::debug!(omitted, ?target, error = %Escaped(error), "a forwarded stream was cut");
                });
            }
        });
    }
}

impl Factories {
    /// Adds TCP addresses under the names `tcp:host:port`: an allow-list that the peer may choose from.
    pub fn allow(&self, addresses: impl IntoIterator<Item = impl Into<String>>) {
        for address in addresses {
            let address = address.into();
            self.insert(format!("tcp:{address}"), Target::tcp(address));
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.address {
            Address::Tcp(address) => write!(f, "Target({})", address.as_str()),
            #[cfg(unix)]
            Address::Unix(path) => write!(f, "Target({})", path.display()),
        }
    }
}
