use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds how many large asks are decoded at once, over all connections that share it. Those of peers that have sent very many items in
/// one command of late have half of the cores, and those of all others as many again: a large ask of few items takes little time, and must not
/// wait behind every heavy one.
#[derive(Clone, Debug)]
pub(super) struct Decoders {
    heavy: Arc<Semaphore>,
    light: Arc<Semaphore>,
}

impl Default for Decoders {
    fn default() -> Self {
        // To find out reads files, which no connection should wait for.
        static CORES: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));
        let half = || Arc::new(Semaphore::new(CORES.div_ceil(2)));
        Self { heavy: half(), light: half() }
    }
}

impl Decoders {
    /// Waits for a turn, which lasts until what is returned is dropped.
    pub(super) async fn acquire(self, is_heavy: bool) -> Option<OwnedSemaphorePermit> {
        // None is ever closed.
        let decoders = if is_heavy { self.heavy } else { self.light };
        decoders.acquire_owned().await.ok()
    }

    #[cfg(test)]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.heavy, &other.heavy) && Arc::ptr_eq(&self.light, &other.light)
    }
}
