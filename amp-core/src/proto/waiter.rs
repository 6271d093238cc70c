use std::hash::Hash;

/// What waits and can be woken: a waker in a connection, a number in a test.
pub(crate) trait Waiter: Clone {
    /// Equal for two waiters that wake the same task.
    type Identity: Eq + Hash;

    fn identity(&self) -> Self::Identity;
}
