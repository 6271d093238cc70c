use std::num::NonZero;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds how many large asks are decoded at once, over all connections that share it: on half of the cores. Those that poll connections
/// have the others.
#[derive(Clone, Debug)]
pub(super) struct Decoders(Arc<Semaphore>);

impl Default for Decoders {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self(Arc::new(Semaphore::new(cores.div_ceil(2))))
    }
}

impl Decoders {
    /// Waits for a turn, which lasts until what is returned is dropped.
    pub(super) async fn acquire(self) -> Option<OwnedSemaphorePermit> {
        // It is never closed.
        self.0.acquire_owned().await.ok()
    }
}
