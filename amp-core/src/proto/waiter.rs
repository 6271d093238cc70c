use std::hash::Hash;

/// What waits and can be woken: a waker in a connection, a number in a test. And what replies are handed to instead.
pub(crate) trait Waiter: Clone {
    /// Equal for two waiters that wake the same task.
    type Identity: Eq + Hash;
    type Sink: Clone;

    fn identity(&self) -> Self::Identity;
}
