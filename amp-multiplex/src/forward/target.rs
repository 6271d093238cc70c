use std::fmt;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use amp_core::Escaped;
use amp_core::extension::{EventKind, EventLimit};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{oneshot, watch};
use tracing::Level;

use super::counters::{Counters, Counts};
use super::local::LocalSocket;
use super::proxy::proxy;
use super::socket::Socket;
use crate::factory::{Factories, Factory, Opening};

const UNREACHABLE: EventKind = EventKind::new(Level::INFO, "streams to a target that cannot be reached");
const CUT: EventKind = EventKind::new(Level::DEBUG, "forwarded streams cut");

/// How long a target may take to accept.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A factory whose streams lead to one address that this end can reach: `ssh -R`, seen from the end that is reached into.
///
/// The peer can name the factory, never the address: what is not put under a name here cannot be reached. Cheap to clone;
/// a clone kept aside shows the counts.
///
/// ```
/// use amp_multiplex::{Factories, Target};
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
    /// Whether it is closed. Every stream holds a receiver.
    closed: watch::Sender<bool>,
}

enum Address {
    Tcp(String),
    Unix(PathBuf),
}

impl Target {
    /// A TCP address, `host:port`; the name is looked up for every stream. A socket whose stream is cut or lost, or whose process
    /// ends, is reset.
    #[must_use]
    pub fn tcp(address: impl Into<String>) -> Self {
        Self::to(Address::Tcp(address.into()))
    }

    /// A unix socket. It cannot be reset: its server reads a stream that was cut as one that has ended.
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self::to(Address::Unix(path.into()))
    }

    fn to(address: Address) -> Self {
        Self {
            address: Arc::new(address),
            counters: Arc::default(),
            events: Arc::default(),
            closed: watch::Sender::new(false),
        }
    }

    /// Refuses further streams; those that are open go on. [`closed`](Self::closed) tells when the last one has ended.
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

    /// What it has done so far. `sent` counts what the target has sent.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.counts()
    }

    /// Connects first and accepts the stream then, so that the peer learns when there is nobody.
    async fn connect(&self, opening: Opening) -> io::Result<()> {
        match &*self.address {
            Address::Tcp(address) => self.proxy_to(connect_tcp(address.clone()), opening).await,
            Address::Unix(path) => self.proxy_to(UnixStream::connect(path.clone()), opening).await,
        }
    }

    async fn proxy_to<S: Socket + Send + 'static>(
        &self,
        connect: impl Future<Output = io::Result<S>> + Send + 'static,
        opening: Opening,
    ) -> io::Result<()> {
        let (counters, (sender, connected)) = (Arc::clone(&self.counters), oneshot::channel());
        // In a task of its own, which runs to its end: a socket that is closed when it has just connected would look like a whole
        // connection without bytes, and a `LocalSocket` that nobody takes is reset.
        tokio::spawn(async move {
            let socket = with_timeout(connect).await;
            drop(sender.send(socket.map(|socket| LocalSocket::new(socket, &counters))));
        });
        // That the peer waits no more is seen only when its connection ends: AMP takes no Connect back.
        let connected = tokio::select! {
            biased;
            () = opening.connection_ended() => return Ok(()),
            connected = connected => connected.unwrap_or_else(|_| Err(ErrorKind::Interrupted.into())),
        };
        match connected {
            Ok(local) => proxy(local, opening.accept()).await,
            Err(error) => {
                self.refuse(opening, &error);
                Ok(())
            }
        }
    }

    fn refuse(&self, opening: Opening, error: &io::Error) {
        self.counters.refuse();
        self.events.tell(UNREACHABLE, |omitted| {
            tracing::info!(omitted, target = ?self, error = %Escaped(error), "a target cannot be reached");
        });
        // The kind says enough: where the target is stays here.
        let kind = match error.kind() {
            kind @ (ErrorKind::ConnectionRefused | ErrorKind::TimedOut | ErrorKind::PermissionDenied) => {
                kind.to_string()
            }
            _ => "see the log of the peer".to_owned(),
        };
        opening.refuse(format!("its target cannot be reached: {kind}"));
    }
}

impl Factory for Target {
    fn open(&self, opening: Opening) {
        let (target, open) = (self.clone(), self.closed.subscribe());
        if *open.borrow() {
            self.counters.refuse();
            return opening.refuse("it is closed");
        }
        tokio::spawn(async move {
            let _open = open;
            if let Err(error) = target.connect(opening).await {
                target.events.tell(CUT, |omitted| {
                    tracing::debug!(omitted, ?target, error = %Escaped(error), "a forwarded stream was cut");
                });
            }
        });
    }
}

impl Factories {
    /// Puts TCP addresses under the names `tcp:host:port`: an allow-list that the peer may choose from.
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
            Address::Tcp(address) => write!(f, "Target({address})"),
            Address::Unix(path) => write!(f, "Target({})", path.display()),
        }
    }
}

/// Small packets of a dialogue must not wait for each other; a socket that takes no options still carries bytes.
async fn connect_tcp(address: String) -> io::Result<TcpStream> {
    let socket = TcpStream::connect(address).await?;
    let _ = socket.set_nodelay(true);
    Ok(socket)
}

async fn with_timeout<T>(connect: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(CONNECT_TIMEOUT, connect).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_to_a_target_sends_small_packets_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = connect_tcp(listener.local_addr().unwrap().to_string()).await.unwrap();
        assert!(socket.nodelay().unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn connecting_to_a_target_that_does_not_answer_times_out() {
        let error = with_timeout::<()>(std::future::pending()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
