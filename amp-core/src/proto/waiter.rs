use std::hash::Hash;

/// A waiter that can be woken: a waker in a connection, a number in a test. Also names the sink that replies are handed to
/// instead.
pub(crate) trait Waiter: Clone {
    /// Equal for two waiters that wake the same task.
    type Identity: Eq + Hash;
    type Sink: Clone;

    fn identity(&self) -> Self::Identity;
}
