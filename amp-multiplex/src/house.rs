//! What all streams of one connection share, and the commands that arrive for them.

use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Duration;

use amp_core::{Answer, CloseReason, Connection, WeakConnection};
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::commands::{Connect, ConnectRefusal, Connected, Disconnect, Id, StreamGone, Transmit};
use crate::error::{ConnectError, StreamError};
use crate::factory::{Factories, Opening};
use crate::link::{Link, Receipt, acknowledge};
use crate::machine::{Bounds, Connecting, Ended, Known, Received, Registry, StreamState};
use crate::outlet::Chunk;
use crate::settings::StreamSettings;
use crate::stream::Stream;

/// Of how many bytes received data is copied out: a slice keeps all of the buffer that it was read into.
const COPIED: usize = 16 * 1024;

/// How long a peer may take to answer for a stream that nobody here uses any more. Such a wait keeps the connection open.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(crate) struct House {
    pub(crate) settings: StreamSettings,
    pub(crate) factories: Factories,
    registry: Mutex<Registry<Arc<Link>, Receipt>>,
    /// The connection and the runtime it was attached on: streams may be dropped elsewhere.
    attached: OnceLock<(WeakConnection, Handle)>,
    /// Why the connection has ended. Said under the registry's lock: whatever comes in later learns it.
    ended: OnceLock<CloseReason>,
    /// Bytes of all streams that were sent and not answered, beyond the first window of each.
    in_flight: AtomicUsize,
}

impl House {
    pub(crate) fn new(settings: StreamSettings, factories: Factories) -> Arc<Self> {
        Arc::new(Self {
            registry: Mutex::new(Registry::new(settings.most_streams, settings.most_early)),
            attached: OnceLock::new(),
            ended: OnceLock::new(),
            in_flight: AtomicUsize::new(0),
            factories,
            settings,
        })
    }

    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry<Arc<Link>, Receipt>> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Belongs to `connection` from now on. Whether it does: ids of one connection mean nothing on another.
    pub(crate) fn attach(self: &Arc<Self>, connection: &Connection) -> bool {
        let mut first = false;
        let (mine, runtime) = self.attached.get_or_init(|| {
            first = true;
            (connection.downgrade(), Handle::current())
        });
        if first {
            let (house, closed) = (Arc::downgrade(self), connection.closed());
            runtime.spawn(async move {
                let reason = closed.await;
                if let Some(house) = house.upgrade() {
                    house.lost(&reason);
                }
            });
        }
        mine.is_of(connection)
    }

    pub(crate) fn connection(&self) -> Option<Connection> {
        self.attached.get()?.0.upgrade()
    }

    /// Runs what must go on when nobody waits for it.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Option<JoinHandle<()>> {
        self.attached.get().map(|(_, runtime)| runtime.spawn(task))
    }

    /// The connection has ended, and every stream with it.
    fn lost(&self, reason: &CloseReason) {
        let mut registry = self.registry();
        let _ = self.ended.set(reason.clone());
        let links = registry.clear();
        drop(registry);
        for link in links {
            link.fail(StreamError::Connection(reason.clone()));
        }
    }

    pub(crate) fn state(&self, half_close: bool) -> StreamState<Receipt> {
        let StreamSettings { first_window: least, most_window: most, most_buffered, .. } = self.settings;
        StreamState::new(half_close, Bounds { least, most: most.max(least) }, most_buffered)
    }

    /// The peer wants a stream.
    pub(crate) fn connect_asked(self: &Arc<Self>, connection: Connection, ask: Connect, answer: Answer<Connect>) {
        let refuse = |answer: Answer<Connect>, refusal: ConnectRefusal| answer.send(Err(refusal.into()));
        let Some(factory) = self.factories.find(&ask.factory) else {
            return refuse(answer, ConnectRefusal::NoSuchFactory(String::new()));
        };
        if !self.registry().reserve() {
            let limit = self.settings.most_streams;
            tracing::warn!(peer = %connection.peer(), limit, "refused a stream; see `StreamSettings::most_streams`");
            return refuse(answer, ConnectRefusal::ConnectionRefused("too many streams".to_owned()));
        }
        let half_close = ask.half_close == Some(true);
        factory.open(Opening::new(Arc::clone(self), connection, ask.factory, half_close, answer));
    }

    /// A stream that the peer asked for is wanted here too.
    pub(crate) fn accepted(
        self: &Arc<Self>,
        connection: Connection,
        half_close: bool,
        answer: Answer<Connect>,
    ) -> Stream {
        let id = Id::random();
        let link = Link::new(id, self, connection, half_close);
        let mut registry = self.registry();
        registry.unreserve();
        self.admit(registry, &link);
        // The answer goes first: an old peer does not know bytes whose Connect is not answered.
        answer.send(Ok(Connected { connection: id, half_close: half_close.then_some(true) }));
        Stream::new(link)
    }

    /// Takes a stream in, unless the connection has ended. Whether its id was free.
    fn admit(&self, mut registry: MutexGuard<'_, Registry<Arc<Link>, Receipt>>, link: &Arc<Link>) -> bool {
        if let Some(reason) = self.ended.get() {
            drop(registry);
            link.fail(StreamError::Connection(reason.clone()));
            return true;
        }
        registry.insert(link.id, Arc::clone(link)).is_ok()
    }

    /// A stream that we asked for is wanted at the peer too.
    pub(crate) fn connected(
        self: &Arc<Self>,
        connect: Connecting,
        connection: Connection,
        answer: &Connected,
    ) -> Result<Stream, ConnectError> {
        let id = answer.connection;
        let link = Link::new(id, self, connection, answer.half_close == Some(true));
        let mut registry = self.registry();
        let (early, lost) = registry.connected(connect, Some(id));
        let mut dropped = Vec::new();
        let mut inner = link.lock();
        let mut overrun = early.overrun;
        for (data, receipt) in early.data {
            match inner.state.receive(data, receipt) {
                Received::Kept => {}
                Received::Dropped(receipt) => dropped.push(receipt),
                Received::Overrun(receipt) => {
                    dropped.push(receipt);
                    overrun = true;
                }
            }
        }
        match early.ended {
            Some(Ended::Half) if inner.state.half_close() => inner.state.peer_finished(),
            Some(_) => inner.state.peer_gone(),
            None => {}
        }
        let gone = inner.state.is_peer_gone();
        drop(inner);
        // A stream that is over before it began needs no entry.
        let admitted = if gone {
            drop(registry);
            true
        } else {
            self.admit(registry, &link)
        };
        acknowledge(dropped);
        refuse(lost);
        if !admitted {
            return Err(ConnectError::Unsupported("it gave one id to two streams".to_owned()));
        }
        if overrun {
            self.overrun(&link, early.ended == Some(Ended::Full));
        }
        Ok(Stream::new(link))
    }

    /// A Connect of ours ended without a stream.
    pub(crate) fn not_connected(&self, connect: Connecting) {
        let (_, lost) = self.registry().connected(connect, None);
        refuse(lost);
    }

    /// A Connect of ours was answered, and nobody wants the stream any more.
    pub(crate) fn unwanted(self: &Arc<Self>, connect: Connecting, connection: &Connection, id: Id) {
        let mut registry = self.registry();
        let (early, lost) = registry.connected(connect, Some(id));
        if early.ended != Some(Ended::Full) {
            registry.leave(id);
        }
        drop(registry);
        acknowledge(early.data.into_iter().map(|(_, receipt)| receipt));
        refuse(lost);
        if early.ended != Some(Ended::Full) {
            self.say_goodbye(connection, id, None);
        }
    }

    /// Bytes came.
    pub(crate) fn transmitted(self: &Arc<Self>, ask: Transmit, receipt: Receipt) {
        let Transmit { connection: id, data } = ask;
        let data = compact(data);
        let mut registry = self.registry();
        let link = match registry.find(id) {
            Known::Stream(link) => Arc::clone(link),
            Known::Left => {
                drop(registry);
                return acknowledge([receipt]);
            }
            Known::Early => {
                let kept = registry.keep_early(id, data, receipt);
                drop(registry);
                return refuse(kept.err());
            }
            Known::Unknown => {
                drop(registry);
                return refuse([receipt]);
            }
        };
        drop(registry);
        let mut inner = link.lock();
        let received = inner.state.receive(data, receipt);
        let reader = inner.reader.take();
        drop(inner);
        reader.into_iter().for_each(Waker::wake);
        match received {
            Received::Kept => {}
            Received::Dropped(receipt) => acknowledge([receipt]),
            Received::Overrun(receipt) => {
                acknowledge([receipt]);
                self.overrun(&link, false);
            }
        }
    }

    /// The peer sent more than is kept: the stream is not whole any more. The peer is told, unless it has left before.
    fn overrun(self: &Arc<Self>, link: &Arc<Link>, peer_left: bool) {
        let limit = self.settings.most_buffered;
        tracing::warn!(peer = %link.connection.peer(), limit, "ended a stream; see `StreamSettings::most_buffered`");
        link.change(|inner| {
            inner.state.peer_gone();
            inner.error = Some(StreamError::Overrun { limit });
        });
        if !peer_left {
            self.registry().leave(link.id);
            self.say_goodbye(&link.connection, link.id, None);
        }
    }

    /// The peer has ended a stream or its direction of it. An id that is not known is as good as ended.
    pub(crate) fn disconnected(&self, ask: &Disconnect, answer: Answer<Disconnect>) {
        let id = ask.connection;
        let half = ask.half == Some(true);
        let mut registry = self.registry();
        let link = match registry.find(id) {
            Known::Stream(link) => Some(Arc::clone(link)),
            Known::Early => {
                registry.end_early(id, half);
                None
            }
            Known::Left | Known::Unknown => None,
        };
        let mut wakers = [None, None];
        if let Some(link) = link {
            let mut inner = link.lock();
            if half && inner.state.half_close() {
                inner.state.peer_finished();
            } else {
                inner.state.peer_gone();
            }
            wakers = [inner.reader.take(), inner.writer.take()];
            if inner.state.is_over() {
                registry.remove(id);
            }
        }
        drop(registry);
        wakers.into_iter().flatten().for_each(Waker::wake);
        answer.send(Ok(()));
    }

    /// Tells the peer that a stream which was [left](Registry::leave) is over, after the last bytes that were written.
    pub(crate) fn say_goodbye(
        self: &Arc<Self>,
        connection: &Connection,
        id: Id,
        last: Option<Chunk>,
    ) -> Option<JoinHandle<()>> {
        let (house, connection) = (Arc::clone(self), connection.clone());
        self.spawn(async move {
            if let Some(mut last) = last {
                // A connection that has ended is told nothing.
                let _ = poll_fn(|cx| last.call.poll_sent(cx)).await;
            }
            disconnect(&connection, id, None).await;
            house.registry().left(id);
        })
    }

    /// Tells the peer that this end writes no more.
    pub(crate) fn say_half(&self, connection: &Connection, id: Id) -> Option<JoinHandle<()>> {
        let connection = connection.clone();
        self.spawn(async move { disconnect(&connection, id, Some(true)).await })
    }

    /// Whether a stream that has `own` bytes on their way may add to them. The first window is its own; what other streams
    /// have on their way counts beyond it.
    pub(crate) fn has_credit(&self, own: usize) -> bool {
        own < self.settings.first_window || self.in_flight.load(Ordering::Relaxed) < self.settings.most_in_flight
    }

    /// A stream has `after` bytes on their way, and had `before`.
    pub(crate) fn move_in_flight(&self, before: usize, after: usize) {
        let beyond = |bytes: usize| bytes.saturating_sub(self.settings.first_window);
        self.in_flight.fetch_add(beyond(after), Ordering::Relaxed);
        self.in_flight.fetch_sub(beyond(before), Ordering::Relaxed);
    }
}

/// Done when the peer knows, whatever it answers, or has had its time.
async fn disconnect(connection: &Connection, id: Id, half: Option<bool>) {
    let mut call = connection.call(Disconnect { connection: id, half }).no_timeout().uncounted();
    if poll_fn(|cx| call.poll_sent(cx)).await.is_ok() {
        let _ = tokio::time::timeout(PATIENCE, call).await;
    }
}

/// Received data, small if it is small.
fn compact(data: Bytes) -> Bytes {
    if data.len() < COPIED { Bytes::copy_from_slice(&data) } else { data }
}

/// Tells the peer that the bytes were for nobody, as txampext does: without a description.
fn refuse(receipts: impl IntoIterator<Item = Receipt>) {
    for receipt in receipts {
        receipt.send(Err(StreamGone::NoSuchConnection(String::new()).into()));
    }
}
