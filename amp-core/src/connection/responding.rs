use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::callback::respond;
use super::shared::Shared;
use crate::memory::ask;
use crate::panics::caught;

/// A responder of a connection that runs as a task.
pub(super) struct Responding {
    /// The identity of the connection.
    identity: usize,
    responder: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// Counts a large future among the memory of the peer's asks. Dropped after the future.
    _held: Option<Box<HeldByFuture>>,
}

struct HeldByFuture {
    shared: Arc<Shared>,
    bytes: usize,
}

impl Drop for HeldByFuture {
    fn drop(&mut self) {
        if self.shared.inbound.release_future(self.bytes) {
            self.shared.wake_driver();
        }
    }
}

impl Responding {
    #[inline]
    pub(super) fn new(shared: &Arc<Shared>, responder: Pin<Box<dyn Future<Output = ()> + Send>>) -> Self {
        let bytes = size_of_val(&*responder).saturating_sub(ask::FUTURE);
        let held = if bytes > 0 { Some(Self::hold(shared, bytes)) } else { None };
        Self { identity: shared.identity(), responder, _held: held }
    }

    #[cold]
    fn hold(shared: &Arc<Shared>, bytes: usize) -> Box<HeldByFuture> {
        shared.inbound.hold_future(bytes);
        Box::new(HeldByFuture { shared: Arc::clone(shared), bytes })
    }
}

impl Future for Responding {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = caught(AssertUnwindSafe(|| respond(self.identity, || self.responder.as_mut().poll(cx))));
        // The set of tasks receives the panic that was caught on this thread.
        polled.unwrap_or_else(|panic| resume_unwind(Box::new(panic)))
    }
}
