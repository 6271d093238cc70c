use std::sync::Arc;

use amp_core::Connection;
use amp_core::connection::{Held, Meter, WeakConnection};

/// Counts the memory of streams towards the server's limit. One meter for all of them, or none, as in tests of the machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct StreamMeter(Option<Arc<Meter>>);

impl StreamMeter {
    /// The meter of a connection that is being made, and so has a handle.
    pub(crate) fn new(connection: &WeakConnection) -> Self {
        Self(connection.upgrade().as_ref().map(Connection::meter).map(Arc::new))
    }

    /// `after` bytes are held by an object that held `before`.
    #[inline]
    pub(crate) fn change(&self, before: usize, after: usize) {
        match &self.0 {
            Some(meter) if after > before => _ = meter.charge(after - before),
            Some(meter) if after < before => _ = meter.release(before - after),
            _ => {}
        }
    }

    /// Counts bytes until the returned guard is dropped.
    pub(crate) fn hold(&self, bytes: usize) -> Option<Held> {
        self.0.as_ref().map(|meter| meter.hold(bytes))
    }

    /// Whether no further work of this peer should begin: the server is short of memory, and this connection holds much of it.
    pub(crate) fn is_memory_short(&self) -> bool {
        self.0.as_ref().is_some_and(|meter| meter.is_memory_short())
    }

    /// Whether memory is so short that the peer should receive no credit, either.
    #[inline]
    pub(crate) fn withholds_credit(&self) -> bool {
        self.0.as_ref().is_some_and(|meter| meter.withholds_credit())
    }
}
