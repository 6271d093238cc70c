use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use amp_core::connection::{Held, WeakConnection};
use amp_core::extension::Events;
use amp_core::locator::Answer;
use amp_core::{CloseReason, Command, Connection};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::acknowledge::{Ack, acknowledge, refuse};
use crate::commands::{Id, StreamGone};
use crate::error::ConnectError;
use crate::kept::KeptStreams;
use crate::limit::ConnectionNumber;
use crate::machine::{Budget, Receipt, Registry, StreamMachine, WindowBounds};
use crate::meter::StreamMeter;
use crate::peer_features::PeerFeatures;
use crate::serving::ServingTasks;
use crate::settings::StreamSettings;
use crate::withheld::Withheld;

static LAST_NUMBER: AtomicU64 = AtomicU64::new(0);

/// Memory held here for a stream beside its buffers, also while it closes.
const STREAM: usize = 2 * 1024;
/// The part of it that is for the name of the factory while the stream is being opened.
pub(crate) const UNCOUNTED_NAME: usize = 64;

impl Receipt for Ack {
    fn held(&self) -> usize {
        Self::held(self)
    }
}

/// State that all streams of one connection share. `S` is a stream.
pub(crate) struct Streams<S> {
    settings: StreamSettings,
    registry: Mutex<Registry<S, Ack>>,
    /// Number of permits, including those of closed streams.
    permits: AtomicUsize,
    connection: WeakConnection,
    /// The runtime that drives the connection: streams may be dropped outside it.
    runtime: OnceLock<Handle>,
    /// Why the connection has ended. Set under the registry's lock, so that a stream which is inserted later sees it.
    end: watch::Sender<Option<CloseReason>>,
    in_flight: Budget,
    received: Budget,
    meter: StreamMeter,
    withheld: Arc<Withheld>,
    kept: KeptStreams,
    tasks: Arc<ServingTasks>,
    number: ConnectionNumber,
}

impl<S> Streams<S> {
    pub(crate) fn new(settings: StreamSettings, connection: WeakConnection) -> Arc<Self> {
        let meter = StreamMeter::new(&connection);
        let events = connection.upgrade().map(|connection| Events::of(&connection).clone());
        Arc::new(Self {
            registry: Mutex::new(Registry::new(settings.max_streams, settings.max_early, meter.clone())),
            permits: AtomicUsize::new(0),
            withheld: Withheld::new(connection.clone(), meter.clone()),
            connection,
            runtime: OnceLock::new(),
            end: watch::Sender::new(None),
            in_flight: Budget::new(settings.max_in_flight),
            received: Budget::metered(settings.max_received, meter.clone()),
            kept: KeptStreams::default(),
            tasks: ServingTasks::new(meter.clone(), events),
            meter,
            number: LAST_NUMBER.fetch_add(1, Ordering::Relaxed) + 1,
            settings,
        })
    }

    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry<S, Ack>> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn settings(&self) -> &StreamSettings {
        &self.settings
    }

    /// Identifies the connection.
    pub(crate) fn number(&self) -> ConnectionNumber {
        self.number
    }

    /// Returns how many streams hold a permit.
    pub(crate) fn permits(&self) -> usize {
        self.permits.load(Ordering::Relaxed)
    }

    /// The budget of unacknowledged bytes.
    pub(crate) fn in_flight(&self) -> &Budget {
        &self.in_flight
    }

    /// The streams that have left the registry and hold bytes.
    pub(crate) fn kept(&self) -> &KeptStreams {
        &self.kept
    }

    /// The tasks that serve streams.
    pub(crate) fn tasks(&self) -> &Arc<ServingTasks> {
        &self.tasks
    }

    /// The budget of received, unread bytes.
    pub(crate) fn received(&self) -> &Budget {
        &self.received
    }

    /// Counts bytes that are held for a stream beside its buffers, until the returned guard is dropped.
    pub(crate) fn hold(&self, bytes: usize) -> Option<Held> {
        self.meter.hold(bytes)
    }

    /// Whether no further work of this peer should begin: the server is short of memory, and this connection holds much of it.
    pub(crate) fn is_memory_short(&self) -> bool {
        self.meter.is_memory_short()
    }

    /// Acknowledges to the peer that bytes were read, or does so later while the server is short of memory.
    #[inline]
    pub(crate) fn acknowledge(&self, ack: Option<Ack>, further: Vec<Ack>) {
        let Some(ack) = ack else { return };
        if self.withheld.is_due() {
            self.withhold(ack, further);
        } else {
            ack.send(Ok(()));
            if !further.is_empty() {
                acknowledge(further);
            }
        }
    }

    #[cold]
    fn withhold(&self, ack: Ack, further: Vec<Ack>) {
        let acks = std::iter::once(ack).chain(further);
        if self.withheld.add(acks) && self.spawn(Arc::clone(&self.withheld).release_in_time()).is_none() {
            self.withheld.release();
        }
    }

    /// The connection while it lives, or why it does not.
    pub(crate) fn connection(&self) -> Result<Connection, ConnectError> {
        let ended = || ConnectError::Connection(self.end_reason().unwrap_or(CloseReason::Closed));
        self.connection.upgrade().ok_or_else(ended)
    }

    /// Notes the runtime that drives the connection, and no other: the connection may have been set up, and may be used, in a
    /// runtime that ends earlier or is not being run. It is known once the driver was polled, and so when the first command or
    /// answer is received.
    pub(crate) fn note_runtime(&self, connection: &Connection) {
        if self.runtime.get().is_none()
            && let Some(runtime) = connection.runtime().cloned()
        {
            let _ = self.runtime.set(runtime);
        }
    }

    /// Runs a task that continues when nothing waits for it.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<JoinHandle<T>> {
        // Without a closure around it: the task is large, and each function that it is passed through copies it.
        match self.runtime.get() {
            Some(runtime) => Some(runtime.spawn(task)),
            None => Some(Handle::try_current().ok()?.spawn(task)),
        }
    }

    /// Why the connection has ended, if it has.
    pub(crate) fn end_reason(&self) -> Option<CloseReason> {
        self.end.borrow().clone()
    }

    /// Waits until the connection has ended, which is before its last bytes are written and its last responders have finished.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + Send + use<S> {
        let mut end = self.end.subscribe();
        async move { drop(end.wait_for(Option::is_some).await) }
    }

    /// The connection has ended. Returns the streams that were open, for the caller to fail.
    pub(crate) fn end(&self, reason: &CloseReason) -> Vec<S> {
        let mut registry = self.registry();
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            end.get_or_insert_with(|| reason.clone());
            first
        });
        let streams = registry.clear();
        drop(registry);
        self.withheld.release();
        streams
    }

    /// Answers commands for a stream that is not open, or not any more.
    pub(crate) fn answer_unknown<C>(&self, answers: impl IntoIterator<Item = Answer<C>>)
    where
        C: Command<Response = (), Errors = StreamGone>,
    {
        if self.registry().refuses_unknown() {
            refuse(answers);
        } else {
            answers.into_iter().for_each(|answer| answer.send(Ok(())));
        }
    }

    /// The machine of a new stream to a peer with these features.
    #[inline]
    pub(crate) fn machine(&self, peer: &PeerFeatures) -> StreamMachine<Ack> {
        let StreamSettings { first_window, max_window, max_buffered, .. } = self.settings;
        // No window needs to be larger than the buffer of the peer.
        let cap = peer.max_buffered.map_or(usize::MAX, |buffered| usize::try_from(buffered).unwrap_or(usize::MAX));
        let bounds = WindowBounds { initial: first_window.min(cap), max: max_window.min(cap) };
        StreamMachine::new(peer.half_close, bounds, max_buffered)
    }

    /// The features that this end announces.
    pub(crate) fn features(&self) -> PeerFeatures {
        let StreamSettings { max_buffered, max_received, .. } = self.settings;
        PeerFeatures::new(Some(true), u64::try_from(max_buffered.min(max_received / 4)).ok())
    }
}

/// Shows how many streams there are, how many this end is closing, and how many Connects of either end are undecided.
impl<S> fmt::Debug for Streams<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Streams").field(&*self.registry()).finish()
    }
}

/// Counts as one of [`max_streams`](StreamSettings::max_streams), and for the memory of the stream's id.
#[derive(Debug)]
pub(crate) struct Permit<S>(Charge<S>);

impl<S> Permit<S> {
    #[inline]
    pub(crate) fn new(streams: &Arc<Streams<S>>, id: &Id) -> Self {
        streams.permits.fetch_add(1, Ordering::Relaxed);
        Self(Charge::new(streams, id.held()))
    }

    pub(crate) fn streams(&self) -> &Arc<Streams<S>> {
        self.0.streams()
    }
}

impl<S> Drop for Permit<S> {
    fn drop(&mut self) {
        self.streams().permits.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts for a stream that is open or is being opened, and for bytes of the peer's that it holds beside its buffers: as
/// received.
#[derive(Debug)]
pub(crate) struct Charge<S> {
    streams: Arc<Streams<S>>,
    bytes: usize,
}

impl<S> Charge<S> {
    #[inline]
    pub(crate) fn new(streams: &Arc<Streams<S>>, bytes: usize) -> Self {
        streams.received.change(0, bytes);
        streams.meter.change(0, STREAM);
        Self { streams: Arc::clone(streams), bytes }
    }

    pub(crate) fn streams(&self) -> &Arc<Streams<S>> {
        &self.streams
    }
}

impl<S> Drop for Charge<S> {
    fn drop(&mut self) {
        self.streams.received.change(self.bytes, 0);
        self.streams.meter.change(STREAM, 0);
    }
}
