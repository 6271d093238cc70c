//! What all streams of one connection share, and the commands that arrive for them.

mod arrivals;
mod connects;
mod farewells;

pub(crate) use farewells::Told;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use amp_core::{Answer, CloseReason, Command, Connection, WeakConnection};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::commands::StreamGone;
use crate::error::{ConnectError, StreamError};
use crate::factory::Factories;
use crate::link::{Capable, Link, Receipt};
use crate::machine::{Bounds, Registry, StreamState, Tally};
use crate::settings::StreamSettings;

#[derive(Debug)]
pub(crate) struct House {
    pub(crate) settings: StreamSettings,
    pub(crate) factories: Factories,
    registry: Mutex<Registry<Arc<Link>, Receipt>>,
    /// How many links there are, of streams that are over too.
    pub(crate) alive: AtomicUsize,
    connection: WeakConnection,
    /// The runtime that the streams belong to: they may be dropped elsewhere.
    runtime: OnceLock<Handle>,
    /// Why the connection has ended. Said under the registry's lock: whatever comes in later learns it.
    ended: watch::Sender<Option<CloseReason>>,
    /// What was sent and not answered.
    pub(crate) in_flight: Tally,
    /// What was received and not read.
    pub(crate) received: Tally,
}

impl House {
    pub(crate) fn new(settings: StreamSettings, factories: Factories, connection: WeakConnection) -> Arc<Self> {
        Arc::new(Self {
            registry: Mutex::new(Registry::new(settings.most_streams, settings.most_early)),
            alive: AtomicUsize::new(0),
            connection,
            runtime: OnceLock::new(),
            ended: watch::Sender::new(None),
            in_flight: Tally::new(settings.most_in_flight),
            received: Tally::new(settings.most_received),
            factories,
            settings,
        })
    }

    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry<Arc<Link>, Receipt>> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Learns of the end of `connection`.
    pub(crate) fn follow(self: &Arc<Self>, connection: &Connection) {
        let house = Arc::downgrade(self);
        connection.on_end(move |reason| {
            if let Some(house) = house.upgrade() {
                house.lost(reason);
            }
        });
    }

    /// Notes the runtime that drives the connection, and no other: it may have been set up, and may be used, in one that ends before
    /// or that nobody runs. It is known when the driver has been polled, and so when the first command or answer has come.
    pub(crate) fn enter(&self, connection: &Connection) {
        if self.runtime.get().is_none()
            && let Some(runtime) = connection.runtime().cloned()
        {
            let _ = self.runtime.set(runtime);
        }
    }

    /// The connection, while it lives.
    pub(crate) fn connection(&self) -> Result<Connection, ConnectError> {
        let ended = || ConnectError::Connection(self.ended().unwrap_or(CloseReason::Closed));
        self.connection.upgrade().ok_or_else(ended)
    }

    /// How many streams take a place, besides those that the registry knows to be on their way.
    pub(crate) fn alive(&self) -> usize {
        self.alive.load(Ordering::Relaxed)
    }

    /// Runs what must go on when nobody waits for it.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<JoinHandle<T>> {
        // Without a closure around it: the task is large, and each hand that it goes through copies it.
        match self.runtime.get() {
            Some(runtime) => Some(runtime.spawn(task)),
            None => Some(Handle::try_current().ok()?.spawn(task)),
        }
    }

    /// Why the connection has ended, if it has.
    pub(super) fn ended(&self) -> Option<CloseReason> {
        self.ended.borrow().clone()
    }

    /// Done when the connection has ended, before its last bytes are written and its last responders have finished.
    pub(crate) fn end(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ended = self.ended.subscribe();
        async move { drop(ended.wait_for(Option::is_some).await) }
    }

    /// The connection has ended, and every stream with it.
    fn lost(&self, reason: &CloseReason) {
        let mut registry = self.registry();
        self.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            ended.get_or_insert_with(|| reason.clone());
            first
        });
        let links = registry.clear();
        drop(registry);
        for link in links {
            link.fail(StreamError::Connection(reason.clone()));
        }
    }

    /// Answers what came for a stream that is not here, or not any more.
    pub(crate) fn settle<C>(&self, answers: impl IntoIterator<Item = Answer<C>>)
    where
        C: Command<Response = (), Errors = StreamGone>,
    {
        if self.registry().refuses() {
            refuse(answers);
        } else {
            answers.into_iter().for_each(|answer| answer.send(Ok(())));
        }
    }

    pub(crate) fn state(&self, peer: &Capable) -> StreamState<Receipt> {
        let StreamSettings { first_window, most_window, most_buffered, .. } = self.settings;
        let keeps = peer.keeps.map_or(usize::MAX, |keeps| usize::try_from(keeps).unwrap_or(usize::MAX));
        let bounds = Bounds { least: first_window.min(keeps), most: most_window.min(keeps) };
        StreamState::new(peer.half_close, bounds, most_buffered)
    }

    /// What this end can do.
    pub(crate) fn capable(&self) -> Capable {
        let StreamSettings { most_buffered, most_received, .. } = self.settings;
        Capable { half_close: true, keeps: u64::try_from(most_buffered.min(most_received / 4)).ok() }
    }
}

/// Tells the peer that there is no such stream, as txampext does: without a description.
pub(crate) fn refuse<C>(answers: impl IntoIterator<Item = Answer<C>>)
where
    C: Command<Response = (), Errors = StreamGone>,
{
    for answer in answers {
        // An error that nobody is told would end the connection under `Strictness::Twisted`.
        let wanted = answer.is_wanted();
        answer.send(if wanted { Err(StreamGone::NoSuchConnection(String::new()).into()) } else { Ok(()) });
    }
}
