use std::sync::Arc;
use std::task::Waker;

use super::sink::ReplySink;
use crate::proto::Waiter;

impl Waiter for Waker {
    type Identity = (usize, usize);
    type Sink = Arc<dyn ReplySink>;

    /// `Waker::will_wake` as a key for lookups.
    #[inline]
    fn identity(&self) -> Self::Identity {
        (self.data().addr(), std::ptr::from_ref(self.vtable()).addr())
    }
}
