use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use super::shared::Shared;

/// Observes a stream that another task may own.
#[derive(Clone)]
pub(crate) struct Monitor(Arc<Shared>);

impl Monitor {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::clone(shared))
    }

    /// Waits until both directions are closed. It replaces the waker of the reader: use it only where the reader is not polled,
    /// or by the same task.
    pub(crate) async fn closed(&self) {
        poll_fn(|cx| {
            let mut inner = self.0.lock();
            if inner.machine.state().is_closed() {
                return Poll::Ready(());
            }
            inner.reader = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Whether the received bytes are not known to be complete.
    pub(crate) fn is_truncated(&self) -> bool {
        self.0.lock().machine.state().is_truncated()
    }

    /// Why the stream has failed, if it has failed with bytes that the peer is not known to have received.
    pub(crate) fn send_result(&self) -> io::Result<()> {
        let inner = self.0.lock();
        let is_taken = inner.send_queue.is_empty() && !inner.machine.state().is_refused();
        if is_taken { Ok(()) } else { inner.result().map_err(io::Error::from) }
    }

    /// When the stream is dropped, reports to the peer that the written bytes are not all that was meant.
    pub(crate) fn schedule_reset(&self) {
        self.0.lock().machine.schedule_reset();
    }
}
