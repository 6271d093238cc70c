use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::callback::respond;
use super::shared::Shared;
use crate::panics::caught;
use crate::proto::ASK_OVERHEAD;
use crate::responder::Answering;

/// A responder of a connection that runs as a task.
pub(super) struct Responding {
    /// That of the connection.
    identity: usize,
    responder: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// A large one counts among what the peer's asks hold. Dropped behind it.
    _held: Option<Box<HeldByFuture>>,
}

/// What a future may hold without being counted: an ask counts for as much beside its bytes.
const SMALL: usize = ASK_OVERHEAD;

struct HeldByFuture {
    shared: Arc<Shared>,
    bytes: usize,
}

impl Drop for HeldByFuture {
    fn drop(&mut self) {
        self.shared.release(self.bytes);
    }
}

impl Responding {
    #[inline]
    pub(super) fn new(shared: &Arc<Shared>, responder: Pin<Box<dyn Future<Output = ()> + Send>>) -> Self {
        let bytes = size_of_val(&*responder);
        let held = if bytes > SMALL { Some(Self::hold(shared, bytes)) } else { None };
        Self { identity: shared.identity(), responder, _held: held }
    }

    #[cold]
    fn hold(shared: &Arc<Shared>, bytes: usize) -> Box<HeldByFuture> {
        shared.hold_more(bytes);
        Box::new(HeldByFuture { shared: Arc::clone(shared), bytes })
    }
}

impl Future for Responding {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let polled = caught(AssertUnwindSafe(|| respond(self.identity, || self.responder.as_mut().poll(cx))));
        // The set of tasks gets what was seen of it on this thread.
        polled.unwrap_or_else(|panic| resume_unwind(Box::new(panic)))
    }
}
