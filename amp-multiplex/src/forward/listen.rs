use std::borrow::Cow;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amp_core::accept::{AcceptLoop, Lifecycle, Room, Stage, bind_tcp};
use amp_core::error::Escaped;
use amp_core::extension::{Chain, EventKind, EventLimit};
use amp_core::server::Listener;
#[cfg(unix)]
use amp_core::server::UnixSocket;
use tokio::net::ToSocketAddrs;
use tracing::Level;

use super::client::ClientSocket;
use super::counters::{Counters, Counts};
use super::descriptors::take_for_client;
use super::local::LocalSocket;
use super::proxy::proxy;
use super::socket::Socket;
use crate::error::ConnectError;
use crate::multiplexer::Multiplexer;

const CLIENT_LEFT: EventKind = EventKind::new(Level::DEBUG, "clients left before their streams were open");
const LET_GO: EventKind = EventKind::new(Level::WARN, "clients let go");
const LEADS_NOWHERE: EventKind = EventKind::new(Level::INFO, "forwarded connections without a stream");
const CUT: EventKind = EventKind::new(Level::DEBUG, "forwarded streams cut");

/// Time for the peer to open a stream to its factory.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A local listener that opens a stream to a factory of the peer for each connection: `ssh -L`. It keeps the AMP connection open.
/// Dropping it ends it and resets its streams.
///
/// Bytes that the peer sent before it closed the stream still go to the local socket, as long as that accepts some of them each
/// minute. Bytes that a client still sends after that are read and discarded until it pauses for two seconds, for up to a minute:
/// the system resets a socket that is closed with unread bytes, and loses the bytes that wait in it to be sent.
///
/// A local socket whose stream is refused, cut or lost, or whose process ends, is reset, so that a part does not look whole; a
/// unix socket cannot be reset and is closed. A socket that received a whole answer before its stream was lost is reset if the
/// peer is not known to have received all that the client sent. A stream whose peer has sent everything and has left, gracefully
/// or not, is not lost: further bytes of the client are discarded.
///
/// A client that leaves while its stream is being opened, by a reset or by an end before its first byte, is dropped at once. A
/// client that has sent something and has ended its direction waits for its answer: a client that sends nothing at all must leave
/// its direction open until the answer arrives. A client that has sent something and has closed looks the same over TCP; over a
/// unix socket it is dropped, with the bytes that it sent, when its stream is not open within some seconds (five at least).
///
/// It serves up to [`max_clients`](crate::StreamSettings::max_clients) at once; further ones wait to be accepted. All forwards
/// and [targets](crate::Target) of the process together have at most half of its descriptors; a client beyond that is reset.
///
/// Made by [`Multiplexer::forward_port`] and its kin.
#[doc(alias("ProxyingFactory", "ProxyingProtocol"))]
#[must_use = "a forward that is dropped ends"]
pub struct Forward {
    counters: Arc<Counters>,
    lifecycle: Lifecycle,
    local: Option<SocketAddr>,
}

impl Multiplexer {
    /// Listens on a port of 127.0.0.1 (0 lets the system choose) and passes connections to a factory of the peer.
    ///
    /// # Errors
    /// If the port cannot be bound, or the multiplexer has no live connection.
    ///
    /// # Panics
    /// If polled outside a tokio runtime.
    pub async fn forward_port(&self, port: u16, factory: impl AsRef<[u8]>) -> io::Result<Forward> {
        self.forward_tcp((Ipv4Addr::LOCALHOST, port), factory).await
    }

    /// Listens on a TCP address, which other hosts may reach, and passes connections to a factory of the peer.
    ///
    /// # Errors
    /// If the address cannot be bound, or the multiplexer has no live connection.
    ///
    /// # Panics
    /// If polled outside a tokio runtime.
    pub async fn forward_tcp(&self, address: impl ToSocketAddrs, factory: impl AsRef<[u8]>) -> io::Result<Forward> {
        let listener = bind_tcp(address).await?;
        let local = listener.local_addr()?;
        Forward::start(self, listener, factory.as_ref(), Some(local))
    }

    /// Listens on a unix socket and passes connections to a factory of the peer. The path must not exist yet and is removed when
    /// the forward accepts no more. On Linux a path that begins with a NUL byte is a name in the abstract namespace.
    ///
    /// # Errors
    /// If the path cannot be bound, or the multiplexer has no live connection.
    ///
    /// # Panics
    /// If called outside a tokio runtime.
    #[cfg(unix)]
    pub fn forward_unix(&self, path: impl AsRef<Path>, factory: impl AsRef<[u8]>) -> io::Result<Forward> {
        Forward::start(self, UnixSocket::bind(path)?, factory.as_ref(), None)
    }
}

impl Forward {
    fn start(
        multiplexer: &Multiplexer,
        listener: impl Listener<Transport: Socket>,
        factory: &[u8],
        local: Option<SocketAddr>,
    ) -> io::Result<Self> {
        let connection = multiplexer.connection()?;
        let accept_loop = AcceptLoop::new("forward", multiplexer.settings().max_clients, 1);
        let forward = Self { counters: Arc::default(), lifecycle: accept_loop.lifecycle(), local };
        let route = Route {
            multiplexer: multiplexer.clone(),
            factory: factory.into(),
            counters: Arc::clone(&forward.counters),
            events: Arc::default(),
        };
        let ended = multiplexer.connection_ended();
        let until = async move {
            ended.await;
            // The connection is kept open as long as connections are accepted.
            drop(connection);
        };
        // A stream that is dropped before it is open resets its socket.
        let open = move |socket, _, room| Some(route.open(socket)).filter(|_| room == Room::Enough);
        tokio::spawn(accept_loop.run(listener, until, open));
        Ok(forward)
    }

    /// The address of the listener, if it is TCP.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }

    /// Returns its counters. Bytes count as they are copied.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.counts()
    }

    /// Accepts no more; open streams stay open. [`released`](Self::released) waits until the address is free again, and
    /// [`closed`](Self::closed) until the last stream has ended.
    pub fn close(&self) {
        self.lifecycle.advance(Stage::Closing);
    }

    /// Waits until nothing listens any more: the address can be bound again.
    ///
    /// # Cancel safety
    /// Safe to drop and to call again.
    pub async fn released(&self) {
        self.lifecycle.reached(Stage::Released).await;
    }

    /// Waits until the forward was closed, or its AMP connection has ended, and its last stream has ended.
    ///
    /// # Cancel safety
    /// Safe to drop and to call again.
    pub async fn closed(&self) {
        self.lifecycle.reached(Stage::Ended).await;
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.lifecycle.advance(Stage::Aborted);
    }
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward").field("local", &self.local).field("counts", &self.counts()).finish()
    }
}

/// The route of each connection that a forward accepts.
struct Route {
    multiplexer: Multiplexer,
    factory: Arc<[u8]>,
    counters: Arc<Counters>,
    events: Arc<EventLimit>,
}

impl Route {
    /// Opens a stream for a client, unless the client leaves before.
    fn open<S: Socket + Send + 'static>(&self, socket: S) -> impl Future<Output = ()> + use<S> {
        let (multiplexer, factory) = (self.multiplexer.clone(), Arc::clone(&self.factory));
        let (counters, events) = (Arc::clone(&self.counters), Arc::clone(&self.events));
        // A refused stream, and a forward that ends before its stream is open, resets the local socket.
        let mut local = LocalSocket::new(ClientSocket::new(socket), &counters);
        let descriptor = take_for_client(multiplexer.connection_number());
        async move {
            let Some(_descriptor) = descriptor else {
                events.tell(LET_GO, |omitted| {
                    let factory = name(&factory);
                    tracing::warn!(omitted, %factory, "a client was let go: targets and forwards have too many sockets");
                });
                return counters.refuse();
            };
            let connecting = tokio::time::timeout(CONNECT_TIMEOUT, multiplexer.connect(&factory));
            let connected = tokio::select! {
                biased;
                connected = connecting => connected.unwrap_or(Err(ConnectError::Timeout)),
                () = local.get_mut().gone() => {
                    // If the peer opens the stream all the same, it is closed again.
                    return events.tell(CLIENT_LEFT, |omitted| {
                        tracing::debug!(omitted, factory = %name(&factory), "a client left before its stream was open");
                    });
                }
            };
            let result = match connected {
                Ok(stream) => proxy(local, stream).await,
                Err(error) => {
                    events.tell(LEADS_NOWHERE, |omitted| {
                        let (error, factory) = (Escaped(Chain(&error)), name(&factory));
                        tracing::info!(omitted, %factory, %error, "a forwarded connection leads nowhere");
                    });
                    counters.refuse();
                    return;
                }
            };
            if let Err(error) = result {
                events.tell(CUT, |omitted| {
                    let (error, factory) = (Escaped(error), name(&factory));
                    tracing::debug!(omitted, %factory, %error, "a forwarded stream was cut");
                });
            }
        }
    }
}

/// The name of a factory, for display.
fn name(factory: &[u8]) -> Escaped<Cow<'_, str>> {
    Escaped(String::from_utf8_lossy(factory))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_accepted_socket_sends_small_packets_at_once() {
        let mut listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let dialling = tokio::net::TcpStream::connect(address);
        let (dialled, accepted) = tokio::join!(dialling, Listener::accept(&mut listener));
        assert!(!dialled.unwrap().nodelay().unwrap(), "the system does it by itself");
        assert!(accepted.unwrap().0.nodelay().unwrap());
    }
}
