//! What all streams of one connection share, and the commands that arrive for them.

mod arrivals;
mod connects;
mod farewells;
mod tally;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use amp_core::{CloseReason, Connection, WeakConnection};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::commands::StreamGone;
use crate::error::StreamError;
use crate::factory::Factories;
use crate::link::{Link, Receipt};
use crate::machine::{Bounds, Registry, StreamState};
use crate::settings::StreamSettings;
use tally::Tally;

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
            in_flight: Tally::new(settings.first_window, settings.most_in_flight),
            received: Tally::new(settings.first_window, settings.most_received),
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
}

/// Tells the peer that the bytes were for nobody, as txampext does: without a description.
fn refuse(receipts: impl IntoIterator<Item = Receipt>) {
    for receipt in receipts {
        receipt.send(Err(StreamGone::NoSuchConnection(String::new()).into()));
    }
}
