use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use amp_core::{Connection, Listener, UnixSocket};
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::counters::{Counted, Counters, Counts};
use super::visitor::Visitor;
use super::{CONNECT_TIMEOUT, Socket, pass_on};
use crate::error::ConnectError;
use crate::multiplexer::Multiplexer;

/// How long accepting pauses after an error.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A local listener whose connections lead to a factory of the peer: `ssh -L`. It keeps the AMP connection open. Dropping it
/// ends it and cuts its streams.
///
/// What the peer said before it left still goes to the local socket, as long as that takes some of it each minute. What a client
/// still sends behind that is read and thrown away until it pauses for two seconds, for up to a minute: the system resets a socket
/// that is closed with unread bytes, and loses what waits in it to be sent.
///
/// A local socket whose stream is refused, cut or lost, or whose process ends, is reset, so that a part does not look whole; a unix
/// socket cannot be reset and is closed. One that was given a whole answer before its stream was lost is reset if the peer is not
/// known to have taken all that it sent. A stream whose peer has said all and has left, in order or not, is not lost: what the client
/// still sends is thrown away.
///
/// A client that leaves while its stream is being opened, by a reset or by an end before its first byte, is let go at once. One
/// that has said something and has ended its direction waits for its answer: a client that sends nothing at all must leave its
/// direction open until the answer comes. One that has said something and has closed looks the same over TCP; over a unix socket
/// it is let go, with what it said, when its stream is not open within some seconds (five at least).
///
/// Made by [`Multiplexer::forward_port`] and its kin.
#[must_use = "a forward that is dropped ends"]
pub struct Forward {
    counters: Arc<Counters>,
    stage: watch::Sender<Stage>,
    /// Closed when nothing listens any more.
    listening: watch::Receiver<()>,
    local: Option<SocketAddr>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Stage {
    Accepting,
    /// Nothing more is accepted; what is open goes on.
    Draining,
    Dropped,
    Ended,
}

impl Multiplexer {
    /// Listens on a port of 127.0.0.1 (0 lets the system choose) and passes connections to a factory of the peer.
    ///
    /// # Errors
    /// When the port cannot be bound, or the multiplexer has no connection that lives.
    ///
    /// # Panics
    /// When polled outside a tokio runtime.
    pub async fn forward_port(&self, port: u16, factory: impl AsRef<[u8]>) -> io::Result<Forward> {
        self.forward_tcp((Ipv4Addr::LOCALHOST, port), factory).await
    }

    /// Listens on a TCP address, which others may reach, and passes connections to a factory of the peer.
    ///
    /// # Errors
    /// When the address cannot be bound, or the multiplexer has no connection that lives.
    ///
    /// # Panics
    /// When polled outside a tokio runtime.
    pub async fn forward_tcp(&self, address: impl ToSocketAddrs, factory: impl AsRef<[u8]>) -> io::Result<Forward> {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        Forward::start(self, listener, factory.as_ref(), Some(local))
    }

    /// Listens on a unix socket, whose path must not exist yet and is taken away when the forward accepts no more, and passes
    /// connections to a factory of the peer. On Linux a path that begins with a NUL byte is a name in the abstract namespace.
    ///
    /// # Errors
    /// When the path cannot be bound, or the multiplexer has no connection that lives.
    ///
    /// # Panics
    /// When called outside a tokio runtime.
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
        let (listens, listening) = watch::channel(());
        let forward = Self { counters: Arc::default(), stage: watch::Sender::new(Stage::Accepting), listening, local };
        let desk = Desk {
            multiplexer: multiplexer.clone(),
            factory: factory.into(),
            counters: Arc::clone(&forward.counters),
            stage: Ending(forward.stage.clone()),
            listening: listens,
        };
        tokio::spawn(desk.run(listener, connection));
        Ok(forward)
    }

    /// The address that is listened on, if it is TCP.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }

    /// What it has done so far; the bytes count as they pass.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.counts()
    }

    /// Accepts no more; streams that are open go on. [`released`](Self::released) tells when the address is free again, and
    /// [`closed`](Self::closed) when the last stream has ended.
    pub fn close(&self) {
        self.advance(Stage::Draining);
    }

    /// Waits until nothing listens any more: the address can be bound again.
    ///
    /// # Cancel safety
    /// Safe to drop and to call again.
    pub async fn released(&self) {
        let _ = self.listening.clone().changed().await;
    }

    /// Waits until the forward was closed, or its AMP connection has ended, and its last stream has ended.
    ///
    /// # Cancel safety
    /// Safe to drop and to call again.
    pub async fn closed(&self) {
        reached(&mut self.stage.subscribe(), Stage::Ended).await;
    }

    fn advance(&self, to: Stage) {
        self.stage.send_if_modified(|stage| later(stage, to));
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.advance(Stage::Dropped);
    }
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward").field("local", &self.local).field("counts", &self.counts()).finish()
    }
}

/// What the accepting task owns.
struct Desk {
    multiplexer: Multiplexer,
    factory: Arc<[u8]>,
    counters: Arc<Counters>,
    stage: Ending,
    listening: watch::Sender<()>,
}

/// However the accepting task ends, with its runtime too, who waits for the forward learns that it has.
struct Ending(watch::Sender<Stage>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.send_replace(Stage::Ended);
    }
}

impl Desk {
    async fn run(self, mut listener: impl Listener<Transport: Socket>, connection: Connection) {
        let mut streams = JoinSet::new();
        let (mut draining, mut dropped) = (self.stage.0.subscribe(), self.stage.0.subscribe());
        let accepting = async {
            loop {
                match listener.accept().await {
                    Ok((socket, _)) => drop(streams.spawn(self.pass(socket))),
                    Err(error) => {
                        tracing::warn!(%error, "a connection was not accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
                // Streams that have ended are put away.
                while streams.try_join_next().is_some() {}
            }
        };
        tokio::select! {
            () = accepting => {}
            () = reached(&mut draining, Stage::Draining) => {}
            () = self.multiplexer.end() => {}
        }
        drop((listener, connection));
        drop(self.listening);
        tokio::select! {
            () = async { while streams.join_next().await.is_some() {} } => {}
            () = reached(&mut dropped, Stage::Dropped) => {}
        }
        drop(streams);
        drop(self.stage);
    }

    /// Opens a stream for a local socket, unless that leaves before.
    fn pass<S: Socket + Send + 'static>(&self, socket: S) -> impl Future<Output = ()> + use<S> {
        let (multiplexer, factory) = (self.multiplexer.clone(), Arc::clone(&self.factory));
        let counters = Arc::clone(&self.counters);
        // A refused stream, and a forward that ends before its stream is open, resets the local socket.
        let mut local = Counted::new(Visitor::new(socket), &counters);
        async move {
            let connecting = tokio::time::timeout(CONNECT_TIMEOUT, multiplexer.connect(&factory));
            let connected = tokio::select! {
                biased;
                connected = connecting => connected.unwrap_or(Err(ConnectError::Timeout)),
                () = local.socket().left() => {
                    // What the peer opens all the same is closed again.
                    return tracing::debug!(factory = %Name(&factory), "a visitor left before its stream was open");
                }
            };
            let result = match connected {
                Ok(stream) => pass_on(local, stream).await,
                Err(error) => {
                    tracing::info!(%error, factory = %Name(&factory), "a forwarded connection leads nowhere");
                    counters.refused();
                    return;
                }
            };
            if let Err(error) = result {
                tracing::debug!(%error, factory = %Name(&factory), "a forwarded stream was cut");
            }
        }
    }
}

/// The name of a factory, for people.
struct Name<'a>(&'a [u8]);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.0))
    }
}

/// Whether the stage had not come so far.
fn later(stage: &mut Stage, to: Stage) -> bool {
    let later = *stage < to;
    if later {
        *stage = to;
    }
    later
}

async fn reached(stage: &mut watch::Receiver<Stage>, wanted: Stage) {
    let _ = stage.wait_for(|stage| *stage >= wanted).await;
}

#[cfg(test)]
mod tests {
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
