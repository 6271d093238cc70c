use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds how many large asks are decoded at once, over all connections that share it. Asks of peers that have recently sent very
/// many items in one command have half of the cores, and those of all other peers have as many again: a large ask of few items
/// takes little time, and must not wait behind every heavy one.
#[derive(Clone, Debug)]
pub(super) struct Decoders {
    heavy: Arc<Semaphore>,
    light: Arc<Semaphore>,
}

impl Default for Decoders {
    fn default() -> Self {
        // Counting them reads files, which no connection should wait for.
        static CORES: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));
        let half = || Arc::new(Semaphore::new(CORES.div_ceil(2)));
        Self { heavy: half(), light: half() }
    }
}

impl Decoders {
    /// Waits for a permit, which lasts until it is dropped.
    pub(super) async fn acquire(self, is_heavy: bool) -> Option<OwnedSemaphorePermit> {
        // The semaphores are never closed.
        let decoders = if is_heavy { self.heavy } else { self.light };
        decoders.acquire_owned().await.ok()
    }

    #[cfg(test)]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.heavy, &other.heavy) && Arc::ptr_eq(&self.light, &other.light)
    }
}
