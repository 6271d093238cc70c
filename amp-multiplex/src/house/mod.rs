//! What all streams of one connection share, and the commands that arrive for them.

mod arrivals;
mod connects;
mod farewells;

pub(crate) use farewells::Told;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use amp_core::{Ask, CloseReason, Connection, WeakConnection};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::commands::StreamGone;
use crate::error::{ConnectError, StreamError};
use crate::factory::Factories;
use crate::link::{Link, Receipt};
use crate::machine::{Bounds, Registry, StreamState, Tally};
use crate::settings::StreamSettings;

#[derive(Debug)]
pub(crate) struct House {
    pub(crate) settings: StreamSettings,
    pub(crate) factories: Factories,
    registry: Mutex<Registry<Arc<Link>, Receipt>>,
    /// The connection and the runtime it was attached on: streams may be dropped elsewhere.
    attached: OnceLock<(WeakConnection, Handle)>,
    /// Why the connection has ended. Said under the registry's lock: whatever comes in later learns it.
    ended: OnceLock<CloseReason>,
    /// What was sent and not answered.
    pub(crate) in_flight: Tally,
    /// What was received and not read.
    pub(crate) received: Tally,
}

impl House {
    pub(crate) fn new(settings: StreamSettings, factories: Factories) -> Arc<Self> {
        Arc::new(Self {
            registry: Mutex::new(Registry::new(settings.most_streams, settings.most_early)),
            attached: OnceLock::new(),
            ended: OnceLock::new(),
            in_flight: Tally::new(settings.most_in_flight),
            received: Tally::new(settings.most_received),
            factories,
            settings,
        })
    }

    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry<Arc<Link>, Receipt>> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Belongs to `connection` from now on, unless it belongs to another: ids of one connection mean nothing on another.
    pub(crate) fn attach(self: &Arc<Self>, connection: &Connection) -> bool {
        // A connection may be set up outside the runtime that drives it: then the peer's first command tries again.
        let Ok(runtime) = Handle::try_current() else { return false };
        let first = self.attached.set((connection.downgrade(), runtime.clone())).is_ok();
        if first {
            let (house, closed) = (Arc::downgrade(self), connection.closed());
            runtime.spawn(async move {
                let reason = closed.await;
                if let Some(house) = house.upgrade() {
                    house.lost(&reason);
                }
            });
        }
        first
    }

    pub(crate) fn is_attached(&self) -> bool {
        self.attached.get().is_some()
    }

    /// Whether the ask came over the connection of these streams.
    pub(crate) fn received(&self, ask: &Ask) -> bool {
        self.attached.get().is_some_and(|(connection, _)| connection.received(ask))
    }

    /// The connection, while it lives.
    pub(crate) fn connection(&self) -> Result<Connection, ConnectError> {
        let (connection, _) = self.attached.get().ok_or(ConnectError::NotAttached)?;
        let ended = || self.ended.get().cloned().unwrap_or(CloseReason::Closed);
        connection.upgrade().ok_or_else(|| ConnectError::Connection(ended()))
    }

    /// Runs what must go on when nobody waits for it.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> Option<JoinHandle<T>> {
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
        StreamState::new(half_close, Bounds { least, most }, most_buffered)
    }
}

/// Tells the peer that the bytes were for nobody, as txampext does: without a description.
fn refuse(receipts: impl IntoIterator<Item = Receipt>) {
    for receipt in receipts {
        receipt.send(Err(StreamGone::NoSuchConnection(String::new()).into()));
    }
}
