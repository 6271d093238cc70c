//! Panics of user code, which must cost no more than what panicked.

use std::any::Any;
use std::panic::{AssertUnwindSafe, UnwindSafe, catch_unwind};

/// What `run` returns, or `None` when it panics.
#[inline]
pub(crate) fn caught<T>(run: impl FnOnce() -> T + UnwindSafe) -> Option<T> {
    match catch_unwind(run) {
        Ok(value) => Some(value),
        Err(payload) => {
            forget_panic(payload);
            None
        }
    }
}

/// Drops what is a user's. A panic of that costs nothing else.
pub(crate) fn drop_caught<T>(value: T) {
    if caught(AssertUnwindSafe(|| drop(value))).is_none() {
        #[cfg(feature = "tokio")]
        tracing::error!("a transport, or what an extension had given to a connection, panicked when it was dropped");
    }
}

/// Drops the payload of a panic, which may panic itself.
#[cold]
pub(crate) fn forget_panic(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // No end of it is in sight: the payload of a panic is small.
        std::mem::forget(again);
    }
}
