use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A connection of a server that is read on with a permit, once a turn was too short for what its peer had sent: however many such
/// connections there are, few of them are ready at a time, and a call on another one waits for few of their turns.
#[derive(Default)]
pub(super) struct Busy {
    is_busy: bool,
    permit: Option<Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>>,
}

impl Busy {
    /// Ready when the turn may read, with a permit to be held until it has read.
    #[inline]
    pub(super) fn poll(
        &mut self,
        turns: Option<&Arc<Semaphore>>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<OwnedSemaphorePermit>> {
        match turns {
            Some(turns) if self.is_busy => self.poll_permit(turns, cx),
            _ => Poll::Ready(None),
        }
    }

    #[cold]
    fn poll_permit(&mut self, turns: &Arc<Semaphore>, cx: &mut Context<'_>) -> Poll<Option<OwnedSemaphorePermit>> {
        let turns = Arc::clone(turns);
        // The semaphore is never closed.
        let permit = self.permit.get_or_insert_with(|| Box::pin(async move { turns.acquire_owned().await.ok() }));
        let permit = ready!(permit.as_mut().poll(cx));
        self.permit = None;
        Poll::Ready(permit)
    }

    /// The turn has read. Whether it has left something is why the next one needs a permit.
    #[inline]
    pub(super) fn has_read(&mut self, has_more: bool) {
        self.is_busy = has_more;
    }

    /// Whether it waits for a permit, which wakes the driver.
    #[inline]
    pub(super) fn waits(&self) -> bool {
        self.permit.is_some()
    }
}

impl fmt::Debug for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Busy").field("is_busy", &self.is_busy).field("waits", &self.waits()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    #[test]
    fn only_a_turn_behind_one_that_has_left_something_needs_a_permit_and_one_that_is_dropped_frees_it() {
        let turns = Arc::new(Semaphore::new(1));
        let mut cx = Context::from_waker(Waker::noop());
        let [mut one, mut other] = [Busy::default(), Busy::default()];
        assert!(matches!(one.poll(Some(&turns), &mut cx), Poll::Ready(None)));
        one.has_read(true);
        other.has_read(true);
        assert!(matches!(one.poll(None, &mut cx), Poll::Ready(None)), "of no server");
        let Poll::Ready(Some(permit)) = one.poll(Some(&turns), &mut cx) else { panic!("it is the only one") };
        assert!(other.poll(Some(&turns), &mut cx).is_pending() && other.waits() && !one.waits());
        drop(permit);
        // It is the other one's now, and would be for ever.
        assert!(one.poll(Some(&turns), &mut cx).is_pending());
        drop(other);
        assert!(matches!(one.poll(Some(&turns), &mut cx), Poll::Ready(Some(_))));
        one.has_read(false);
        assert!(matches!(one.poll(Some(&turns), &mut cx), Poll::Ready(None)));
    }
}
