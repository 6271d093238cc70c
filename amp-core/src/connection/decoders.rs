use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

/// Bounds how many asks are decoded at once on other threads, over all connections that share it. Each kind has half of the cores: a large ask
/// of few items takes little time, and must not wait behind every heavy one.
#[derive(Clone, Debug)]
pub(super) struct Decoders {
    quick: Arc<Semaphore>,
    heavy: Arc<Semaphore>,
}

impl Default for Decoders {
    fn default() -> Self {
        // Counting them reads files, which no connection should wait for.
        static CORES: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));
        let half = || Arc::new(Semaphore::new(CORES.div_ceil(2)));
        Self { quick: half(), heavy: half() }
    }
}

impl Decoders {
    /// Permits for large asks, which are decoded with a quick budget.
    pub(super) fn quick(&self) -> &Arc<Semaphore> {
        &self.quick
    }

    /// Permits for asks that need more than a quick budget has.
    pub(super) fn heavy(&self) -> &Arc<Semaphore> {
        &self.heavy
    }

    #[cfg(test)]
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.heavy, &other.heavy) && Arc::ptr_eq(&self.quick, &other.quick)
    }
}
