use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use amp_core::locator::Answer;
use amp_core::{Connection, Peer};
use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};

use crate::commands::{Connect, ConnectRefusal};
use crate::limit::{ConnectionNumber, Limit, Place};
use crate::open;
use crate::peer_features::PeerFeatures;
use crate::stream::{Shared, Stream};
use crate::streams::Charge;

/// The factories that peers may open streams to, by name. Cheap to clone; clones share the factories, so one set can serve
/// every connection of a server.
///
/// A name is a byte string on the wire, of up to 65,535 bytes: most often text, but a Twisted peer may use any bytes, such as
/// those of a uuid. Names are compared byte for byte.
#[doc(alias("addFactory", "removeFactory"))]
#[derive(Clone, Default)]
pub struct Factories {
    named: Arc<Mutex<Named>>,
}

#[derive(Default)]
struct Named {
    factories: HashMap<Vec<u8>, Arc<dyn Factory>>,
    /// Limits of some names, with or without a factory.
    limits: HashMap<Vec<u8>, Arc<Limit>>,
}

impl Named {
    fn limit(&self, name: &[u8]) -> Option<Arc<Limit>> {
        // Most sets have no limits, and then a name is hashed once.
        if self.limits.is_empty() { None } else { self.limits.get(name).cloned() }
    }
}

/// The factory and the limit of a name.
pub(crate) struct Found {
    pub(crate) factory: Arc<dyn Factory>,
    pub(crate) limit: Option<Arc<Limit>>,
}

/// Decides about the streams that peers open. Any `Fn(Opening)` is a factory.
pub trait Factory: Send + Sync + 'static {
    /// Decides about one stream, at once or later. It runs on the connection's reader: it must not block.
    fn open(&self, opening: Opening);
}

impl<F: Fn(Opening) + Send + Sync + 'static> Factory for F {
    fn open(&self, opening: Opening) {
        self(opening);
    }
}

impl Factories {
    /// No factories.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Inserts a factory under a name, and returns the previous one.
    pub fn insert(&self, name: impl AsRef<[u8]>, factory: impl Factory) -> Option<Arc<dyn Factory>> {
        self.lock().factories.insert(name.as_ref().to_vec(), Arc::new(factory))
    }

    /// Limits how many streams that peers open to `name` there may be at once, over all connections that share these factories. A
    /// stream counts from its Connect on until it is dropped here. Further ones are refused, and first of all those of a
    /// connection that already has as many as are left: one connection alone can have half of them, so that none locks the others
    /// out.
    ///
    /// The limit applies to any factory with the name, now or later. Streams that were opened before do not count. By default
    /// there is no limit but [`max_streams`](crate::StreamSettings::max_streams) of each connection.
    pub fn max_streams(&self, name: impl AsRef<[u8]>, max: usize) {
        self.lock().limits.insert(name.as_ref().to_vec(), Limit::new(max));
    }

    /// Accepts every stream to `name` and runs `serve` with it, in a task of its own. The task is no responder: calls that it
    /// makes count among [`max_calls`](amp_core::Settings::max_calls). It replaces an existing factory of the name.
    ///
    /// The task may drop its stream and continue, also when the connection has ended. Until it ends, its future counts towards
    /// [`max_memory`](amp_core::server::ServerBuilder::max_memory), and it is aborted when that is used up and this connection
    /// holds the most of it. Its heap memory is not counted; use [`Connection::meter`] for that.
    pub fn serve<F>(&self, name: impl AsRef<[u8]>, serve: impl Fn(Stream) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.insert(name, move |opening: Opening| {
            let tasks = Arc::clone(opening.charge.streams().tasks());
            tasks.spawn(serve(opening.accept()));
        });
    }

    /// Accepts streams to `name` one by one: the peer's `connect` waits until its stream is accepted here. Beyond `backlog`
    /// waiting streams, at least 1, further ones are refused; with `usize::MAX`, only
    /// [`max_streams`](crate::StreamSettings::max_streams) limits them. It replaces an existing factory of the name.
    pub fn listen(&self, name: impl AsRef<[u8]>, backlog: usize) -> StreamListener {
        // A channel panics if its capacity exceeds the limit of its semaphore.
        let (sender, openings) = mpsc::channel(backlog.clamp(1, Semaphore::MAX_PERMITS));
        let name = name.as_ref().to_vec();
        let factory: Arc<dyn Factory> = Arc::new(move |opening: Opening| {
            if let Err(error) = sender.try_send(opening) {
                let reason = match &error {
                    mpsc::error::TrySendError::Full(_) => "too many streams wait to be accepted",
                    mpsc::error::TrySendError::Closed(_) => "nobody accepts streams any more",
                };
                error.into_inner().refuse(reason);
            }
        });
        let own = Arc::downgrade(&factory);
        self.lock().factories.insert(name.clone(), factory);
        StreamListener { openings, factories: self.clone(), name, factory: own }
    }

    /// Removes a factory. Streams that it has opened stay open.
    pub fn remove(&self, name: impl AsRef<[u8]>) -> Option<Arc<dyn Factory>> {
        self.lock().factories.remove(name.as_ref())
    }

    /// The factory of a name, and its limit.
    pub(crate) fn find(&self, name: &[u8]) -> Option<Found> {
        let named = self.lock();
        Some(Found { factory: named.factories.get(name).cloned()?, limit: named.limit(name) })
    }

    fn lock(&self) -> MutexGuard<'_, Named> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Factories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.lock().factories.keys().map(|name| String::from_utf8_lossy(name).into_owned()))
            .finish()
    }
}

/// A stream that the peer wants to open and that is neither accepted nor refused. Dropping it refuses.
#[derive(Debug)]
#[must_use = "an opening that is dropped is refused"]
pub struct Opening {
    charge: Charge<Arc<Shared>>,
    connection: Connection,
    /// The name as received.
    factory: Bytes,
    /// The name with invalid UTF-8 replaced, if it is not text.
    lossy: Option<Box<str>>,
    features: PeerFeatures,
    /// The place in the limit of its name, if there is a limit. Boxed, because the opening is moved often.
    place: Option<Box<Place>>,
    answer: Option<Answer<Connect>>,
}

impl Opening {
    #[inline]
    pub(crate) fn new(
        charge: Charge<Arc<Shared>>,
        connection: Connection,
        factory: Bytes,
        features: PeerFeatures,
        place: Option<Box<Place>>,
        answer: Answer<Connect>,
    ) -> Self {
        let lossy = match String::from_utf8_lossy(&factory) {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text.into()),
        };
        Self { charge, connection, factory, lossy, features, place, answer: Some(answer) }
    }

    /// The name that the peer asked for. In a name that is not UTF-8, U+FFFD replaces the invalid parts; see
    /// [`factory_bytes`](Self::factory_bytes).
    #[must_use]
    pub fn factory(&self) -> &str {
        // It is text, or there is a replacement.
        self.lossy.as_deref().unwrap_or_else(|| std::str::from_utf8(&self.factory).unwrap_or_default())
    }

    /// The name that the peer asked for, as received.
    #[must_use]
    pub fn factory_bytes(&self) -> &[u8] {
        &self.factory
    }

    /// The peer that asked.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        self.connection.peer()
    }

    /// Opens the stream. The Connect is answered before a byte of the stream can be written.
    pub fn accept(mut self) -> Stream {
        match self.answer.take() {
            Some(answer) => {
                let place = self.place.take();
                open::accept(self.charge.streams(), self.connection.clone(), self.features, answer, place)
            }
            None => unreachable!("an opening has its answer until it is accepted, refused or dropped"),
        }
    }

    /// Refuses the stream; the peer receives the reason unchanged, also an empty one.
    pub fn refuse(mut self, reason: impl Into<String>) {
        self.refuse_with(reason.into());
    }

    pub(crate) fn connection_number(&self) -> ConnectionNumber {
        self.charge.streams().number()
    }

    /// Waits until the connection has ended: an answer can no longer be sent.
    pub(crate) fn connection_ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.charge.streams().ended()
    }

    fn refuse_with(&mut self, reason: String) {
        if let Some(answer) = self.answer.take() {
            self.charge.streams().registry().end_accepting();
            answer.send(Err(ConnectRefusal::ConnectionRefused(reason).into()));
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.refuse_with("nobody took the stream".to_owned());
    }
}

/// Accepts the streams to one name; see [`Factories::listen`]. Dropping it removes its factory.
#[must_use = "a listener that is dropped removes its factory"]
pub struct StreamListener {
    openings: mpsc::Receiver<Opening>,
    factories: Factories,
    name: Vec<u8>,
    factory: Weak<dyn Factory>,
}

impl StreamListener {
    /// Waits for the next stream; `None` when the factory was removed or replaced.
    ///
    /// # Cancel safety
    /// If dropped, no stream is lost.
    pub async fn accept(&mut self) -> Option<Stream> {
        self.openings.recv().await.map(Opening::accept)
    }

    /// Waits for the next stream, which the caller accepts or refuses.
    ///
    /// # Cancel safety
    /// If dropped, no stream is lost.
    pub async fn opening(&mut self) -> Option<Opening> {
        self.openings.recv().await
    }
}

impl Drop for StreamListener {
    fn drop(&mut self) {
        let mut named = self.factories.lock();
        // The name may have another factory in the meantime.
        let ours = named
            .factories
            .get(&self.name)
            .is_some_and(|other| ptr::addr_eq(Arc::as_ptr(other), self.factory.as_ptr()));
        let factory = if ours { named.factories.remove(&self.name) } else { None };
        drop(named);
        drop(factory);
    }
}

impl fmt::Debug for StreamListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamListener").field("name", &String::from_utf8_lossy(&self.name)).finish_non_exhaustive()
    }
}
