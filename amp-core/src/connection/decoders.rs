use std::num::NonZero;
use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;

/// Bounds how much of the peers' work is done at once: how many asks are decoded on other threads, over all connections that share it. Each kind has half of the cores: a large ask
/// of few items takes little time, and must not wait behind every heavy one.
#[derive(Clone, Debug)]
pub(super) struct Decoders {
    quick: Arc<Semaphore>,
    heavy: Arc<Semaphore>,
    /// Permits for turns of busy connections, where a server runs them: a driver that a user polls might keep one from the others.
    turns: Option<Arc<Semaphore>>,
}

impl Default for Decoders {
    fn default() -> Self {
        Self { quick: half_of_the_cores(), heavy: half_of_the_cores(), turns: None }
    }
}

fn half_of_the_cores() -> Arc<Semaphore> {
    // Counting them reads files, which no connection should wait for.
    static CORES: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, NonZero::get));
    Arc::new(Semaphore::new(CORES.div_ceil(2)))
}

impl Decoders {
    /// The same for connections that a server runs.
    pub(super) fn of_server(self) -> Self {
        Self { turns: Some(half_of_the_cores()), ..self }
    }

    /// Permits for turns of busy connections.
    #[inline]
    pub(super) fn turns(&self) -> Option<&Arc<Semaphore>> {
        self.turns.as_ref()
    }

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
