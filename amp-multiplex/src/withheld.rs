use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use amp_core::connection::WeakConnection;

use crate::acknowledge::{Ack, acknowledge};
use crate::meter::StreamMeter;

/// Interval at which the end of a memory shortage is checked.
const INTERVAL: Duration = Duration::from_millis(100);

/// Bytes of acknowledgements that are withheld. A peer that sends without credit receives the others, which are of no use to it.
const MAX_WITHHELD: usize = 1 << 20;

/// Acknowledgements that wait while the server is short of memory: they are credit, and would make the peer send more.
pub(crate) struct Withheld {
    connection: WeakConnection,
    meter: StreamMeter,
    acks: Mutex<Acks>,
}

#[derive(Default)]
struct Acks {
    list: Vec<Ack>,
    held: usize,
}

impl Withheld {
    pub(crate) fn new(connection: WeakConnection, meter: StreamMeter) -> Arc<Self> {
        Arc::new(Self { connection, meter, acks: Mutex::default() })
    }

    /// Whether acknowledgements are withheld now. A connection that closes waits for them.
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        self.meter.withholds_credit() && self.is_open()
    }

    #[cold]
    fn is_open(&self) -> bool {
        self.connection.upgrade().is_some_and(|connection| !connection.is_closed())
    }

    /// Withholds acknowledgements, or sends those for which there is no room. Returns whether the first of them are withheld:
    /// then the caller must have a task [wait](Self::release_in_time) for memory.
    pub(crate) fn add(&self, mut more: impl Iterator<Item = Ack>) -> bool {
        let mut acks = self.lock();
        let is_first = acks.list.is_empty();
        for ack in more.by_ref() {
            let held = size_of::<Ack>() + ack.held();
            if acks.held + held > MAX_WITHHELD {
                let begins = is_first && !acks.list.is_empty();
                drop(acks);
                acknowledge([ack]);
                acknowledge(more);
                return begins;
            }
            acks.held += held;
            acks.list.push(ack);
            self.meter.change(0, held);
        }
        is_first
    }

    /// Sends them when memory is no longer short.
    pub(crate) async fn release_in_time(self: Arc<Self>) {
        while self.is_due() {
            tokio::time::sleep(INTERVAL).await;
        }
        self.release();
    }

    /// Sends them.
    pub(crate) fn release(&self) {
        let Acks { list, held } = std::mem::take(&mut *self.lock());
        acknowledge(list);
        self.meter.change(held, 0);
    }

    fn lock(&self) -> MutexGuard<'_, Acks> {
        self.acks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
