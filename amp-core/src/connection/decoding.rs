use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::task::JoinHandle;

use super::callback::respond;
use super::shared::Shared;
use crate::locator::Locator;
use crate::panics::{Panic, caught};
use crate::proto::Intake;
use crate::responder::{Ask, Located};

/// A box over this many bytes is decoded on another thread. One value of the largest size exceeds it: that may be a list of
/// 32,767 boxes, which takes milliseconds, and all connections of the reader's thread would wait for it.
const LARGE: usize = 64 * 1024;

/// A responder that was located, and whether it goes on when its caller has left.
pub(super) type Responder = (Pin<Box<dyn Future<Output = ()> + Send>>, bool);

/// The one large ask that is located and decoded on another thread. Later asks wait for it, so that responders begin in the order
/// of their asks.
pub(super) struct Decoding {
    task: Pin<Box<dyn Future<Output = Option<Responder>> + Send>>,
    pub(super) start: Start,
}

/// Properties of an ask when it starts.
pub(super) struct Start {
    pub(super) noted: Option<(Box<[u8]>, u32)>,
    pub(super) wants_answer: bool,
    /// Whether the connection is over, and the caller has left with it.
    pub(super) is_left: bool,
}

/// Whether decoding the ask would keep other connections waiting too long. From a peer that has recently sent an ask that was much work,
/// a smaller one may take as long.
#[inline]
pub(super) fn is_large(shared: &Shared, ask: &Ask) -> bool {
    let length = ask.raw().as_bytes().len();
    length > LARGE || shared.inbound.workload().is_suspect(length)
}

impl Decoding {
    #[cold]
    pub(super) fn new(shared: &Arc<Shared>, ask: Ask, start: Start) -> Self {
        let (shared, decoders) = (Arc::clone(shared), shared.decoders.clone());
        let is_heavy = shared.inbound.workload().decode_apart();
        let decode = move || {
            // The connection may have ended meanwhile.
            let intake = shared.inbound.intake();
            if intake == Intake::Aborted || (ask.wants_answer() && shared.over().is_some()) {
                ask.discard();
                return None;
            }
            // Nothing is too much here. A locator that says so has its ask answered by the drop.
            let located =
                AssertUnwindSafe(|| respond(shared.identity(), || locate(&*shared.locator, ask).unwrap_or(None)));
            // A panic drops the ask, and a dropped ask is answered with an error.
            caught(located).unwrap_or_else(|panic| {
                shared.tell_panic(&panic);
                None
            })
        };
        let task = async move {
            let permit = decoders.acquire(is_heavy).await;
            let mut decoding = AbortOnDrop(tokio::task::spawn_blocking(move || {
                let located = decode();
                drop(permit);
                located
            }));
            (&mut decoding.0).await.unwrap_or_else(|error| {
                // The runtime shuts down, and has dropped the ask.
                if let Ok(payload) = error.try_into_panic() {
                    drop(Panic::of(payload));
                }
                None
            })
        };
        Self { task: Box::pin(task), start }
    }

    /// Ready with the responder, or with `None` when the ask is answered.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Responder>> {
        self.task.as_mut().poll(cx)
    }
}

/// A task that has not begun never does.
struct AbortOnDrop(JoinHandle<Option<Responder>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Finds the responder, which then owns the arguments of the ask.
///
/// # Errors
/// If they are too much to decode on this thread.
pub(super) fn locate(locator: &dyn Locator, ask: Ask) -> Result<Option<Responder>, Ask> {
    match locator.locate(ask) {
        Located::Responding(responding) => Ok(Some((responding, false))),
        Located::Detached(responding) => Ok(Some((responding, true))),
        Located::Answered => Ok(None),
        Located::Unknown(ask) => {
            ask.refuse_unhandled();
            Ok(None)
        }
        Located::TooMuch(ask) => Err(ask),
    }
}

/// Polls once. Returns the responder if it is not ready.
pub(super) fn poll_once((mut responding, is_detached): Responder) -> Option<Responder> {
    // The task that continues it polls it again at once, so this poll's waker is not needed.
    let poll = responding.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    poll.is_pending().then_some((responding, is_detached))
}
