//! What all streams of one connection share, and the commands that arrive for them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use amp_core::{Answer, CloseReason, Connection, WeakConnection};

use crate::commands::{Connect, ConnectRefusal, Connected, Disconnect, Id, StreamGone, Transmit};
use crate::error::{ConnectError, StreamError};
use crate::factory::{Factories, Opening};
use crate::link::{Link, Receipt, acknowledge};
use crate::machine::{Bounds, Ended, Known, Received, Registry, StreamState};
use crate::settings::StreamSettings;
use crate::stream::Stream;

#[derive(Debug)]
pub(crate) struct House {
    pub(crate) settings: StreamSettings,
    pub(crate) factories: Factories,
    registry: Mutex<Registry<Arc<Link>, Receipt>>,
    connection: OnceLock<WeakConnection>,
    /// Bytes of all streams that were sent and not answered.
    in_flight: AtomicUsize,
}

impl House {
    pub(crate) fn new(settings: StreamSettings, factories: Factories) -> Arc<Self> {
        Arc::new(Self {
            registry: Mutex::new(Registry::new(settings.most_streams, settings.most_early)),
            connection: OnceLock::new(),
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
        let mine = self.connection.get_or_init(|| {
            first = true;
            connection.downgrade()
        });
        if first {
            let (house, closed) = (Arc::downgrade(self), connection.closed());
            tokio::spawn(async move {
                let reason = closed.await;
                if let Some(house) = house.upgrade() {
                    house.lost(&reason);
                }
            });
        }
        mine.is_of(connection)
    }

    pub(crate) fn connection(&self) -> Option<Connection> {
        self.connection.get()?.upgrade()
    }

    /// The connection has ended, and every stream with it.
    fn lost(&self, reason: &CloseReason) {
        let links = self.registry().clear();
        for link in links {
            link.fail(StreamError::Connection(reason.clone()));
        }
    }

    fn state(&self, half_close: bool) -> StreamState<Receipt> {
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
        let link = Link::new(id, self.state(half_close));
        let mut registry = self.registry();
        registry.unreserve();
        registry.meet(half_close);
        if registry.insert(id, Arc::clone(&link)).is_err() {
            link.fail(StreamError::Closed);
        }
        drop(registry);
        // The answer goes first: an old peer does not know bytes whose Connect is not answered.
        answer.send(Ok(Connected { connection: id, half_close: half_close.then_some(true) }));
        Stream::new(link, Arc::clone(self), connection)
    }

    /// A stream that we asked for is wanted at the peer too.
    pub(crate) fn connected(
        self: &Arc<Self>,
        connection: Connection,
        answer: &Connected,
    ) -> Result<Stream, ConnectError> {
        let id = answer.connection;
        let link = Link::new(id, self.state(answer.half_close == Some(true)));
        let mut registry = self.registry();
        let (early, lost) = registry.connected(Some(id));
        registry.meet(answer.half_close == Some(true));
        let mut dropped = Vec::new();
        let mut inner = link.lock();
        let early = early.unwrap_or_default();
        let mut overrun = early.overrun.then_some(self.settings.most_early);
        for (data, receipt) in early.data {
            match inner.state.receive(data, receipt) {
                Received::Kept => {}
                Received::Dropped(receipt) => dropped.push(receipt),
                Received::Overrun(receipt) => {
                    overrun.get_or_insert(self.settings.most_buffered);
                    dropped.push(receipt);
                }
            }
        }
        let gone = early.ended.is_some_and(|ended| ended == Ended::Full || !inner.state.half_close());
        if gone {
            inner.state.peer_gone();
        } else if early.ended.is_some() {
            inner.state.peer_finished();
        }
        drop(inner);
        let inserted = gone || overrun.is_some() || registry.insert(id, Arc::clone(&link)).is_ok();
        if gone {
            registry.remove(id);
        } else if overrun.is_some() {
            registry.leave(id);
        }
        drop(registry);
        acknowledge(dropped);
        refuse(lost);
        if let Some(limit) = overrun {
            link.fail(StreamError::Overrun { limit });
            if !gone {
                self.say_goodbye(connection.clone(), id);
            }
        }
        if inserted {
            Ok(Stream::new(link, Arc::clone(self), connection))
        } else {
            Err(ConnectError::Unsupported("it gave one id to two streams".to_owned()))
        }
    }

    /// A Connect of ours ended without a stream.
    pub(crate) fn not_connected(&self) {
        let (_, lost) = self.registry().connected(None);
        refuse(lost);
    }

    /// A Connect of ours was answered, and nobody wants the stream any more.
    pub(crate) fn unwanted(self: &Arc<Self>, connection: Connection, id: Id) {
        let mut registry = self.registry();
        let (early, lost) = registry.connected(Some(id));
        registry.leave(id);
        drop(registry);
        acknowledge(early.into_iter().flat_map(|early| early.data).map(|(_, receipt)| receipt));
        refuse(lost);
        self.say_goodbye(connection, id);
    }

    /// Bytes came.
    pub(crate) fn transmitted(self: &Arc<Self>, connection: &Connection, ask: Transmit, receipt: Receipt) {
        let Transmit { connection: id, data } = ask;
        let mut registry = self.registry();
        let link = match registry.find(id) {
            Known::Stream(link) => Arc::clone(link),
            Known::Left => {
                drop(registry);
                return acknowledge([receipt]);
            }
            Known::Early => {
                let received = registry.keep_early(id, data, receipt);
                drop(registry);
                // What is not kept ends the stream when its id is known; an error would end an old peer's connection.
                if let Received::Dropped(receipt) | Received::Overrun(receipt) = received {
                    acknowledge([receipt]);
                }
                return;
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
        reader.into_iter().for_each(std::task::Waker::wake);
        match received {
            Received::Kept => {}
            Received::Dropped(receipt) => acknowledge([receipt]),
            Received::Overrun(receipt) => {
                acknowledge([receipt]);
                self.registry().leave(id);
                link.fail(StreamError::Overrun { limit: self.settings.most_buffered });
                self.say_goodbye(connection.clone(), id);
            }
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
        if let Some(link) = link {
            let over = link.change(|inner| {
                if half && inner.state.half_close() {
                    inner.state.peer_finished();
                } else {
                    inner.state.peer_gone();
                }
                inner.state.is_over()
            });
            if over {
                registry.remove(id);
            }
        }
        drop(registry);
        answer.send(Ok(()));
    }

    /// Tells the peer that a stream which was [left](Registry::leave) is over.
    pub(crate) fn say_goodbye(self: &Arc<Self>, connection: Connection, id: Id) {
        let house = Arc::clone(self);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // Whatever it answers, it knows.
                let _ = connection.call(Disconnect { connection: id, half: None }).await;
                house.registry().left(id);
            });
        }
    }

    /// Whether `bytes` more may be on their way; a stream that has `own` bytes out already must wait otherwise.
    pub(crate) fn has_credit(&self, own: usize) -> bool {
        own == 0 || self.in_flight.load(Ordering::Relaxed) < self.settings.most_in_flight
    }

    pub(crate) fn add_in_flight(&self, bytes: usize) {
        self.in_flight.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn remove_in_flight(&self, bytes: usize) {
        self.in_flight.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Tells the peer that the bytes were for nobody, as txampext does: without a description.
fn refuse(receipts: impl IntoIterator<Item = Receipt>) {
    for receipt in receipts {
        receipt.send(Err(StreamGone::NoSuchConnection(String::new()).into()));
    }
}
