use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::callback::respond;
use super::shared::Shared;
use crate::locator::Locator;
use crate::panics::{Panic, caught};
use crate::proto::Intake;
use crate::responder::{Ask, Located};

/// A box over this many bytes is decoded on another thread: to copy and to check its values takes long, however few they are.
const LARGE: usize = 64 * 1024;

/// A responder that was located, and whether it goes on when its caller has left.
pub(super) type Responder = (Pin<Box<dyn Future<Output = ()> + Send>>, bool);

/// The one large or heavy ask that is located and decoded on another thread. Later asks wait for it, so that responders begin in the order
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

/// Whether the ask is not decoded on the reader, whose other connections would wait too long.
#[inline]
pub(super) fn is_large(ask: &Ask) -> bool {
    ask.raw().as_bytes().len() > LARGE
}

impl Decoding {
    /// Decodes an ask that is large.
    #[cold]
    pub(super) fn large(shared: &Arc<Shared>, mut ask: Ask, start: Start) -> Self {
        ask.set_quick();
        let shared = Arc::clone(shared);
        let task = Box::pin(async move {
            match decode_apart(&shared, ask, shared.decoders.quick()).await {
                Ok(located) => located,
                Err(ask) => decode_heavy(&shared, ask).await,
            }
        });
        Self { task, start }
    }

    /// Decodes an ask that a quick budget was too small for.
    #[cold]
    pub(super) fn heavy(shared: &Arc<Shared>, ask: Ask, start: Start) -> Self {
        let shared = Arc::clone(shared);
        Self { task: Box::pin(async move { decode_heavy(&shared, ask).await }), start }
    }

    /// Ready with the responder, or with `None` when the ask is answered.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Responder>> {
        self.task.as_mut().poll(cx)
    }
}

async fn decode_heavy(shared: &Arc<Shared>, ask: Ask) -> Option<Responder> {
    // A locator of the user's that calls it heavy once more has it answered with an error, by its drop.
    decode_apart(shared, ask, shared.decoders.heavy()).await.unwrap_or(None)
}

/// Decodes the ask on another thread, with one of the permits.
///
/// # Errors
/// If it is heavy.
async fn decode_apart(shared: &Arc<Shared>, ask: Ask, permits: &Arc<Semaphore>) -> Result<Option<Responder>, Ask> {
    // The semaphores are never closed.
    let permit = Arc::clone(permits).acquire_owned().await;
    let shared = Arc::clone(shared);
    let decode = move || {
        let _permit = permit;
        // The connection may have ended meanwhile.
        if shared.inbound.intake() == Intake::Aborted || (ask.wants_answer() && shared.over().is_some()) {
            ask.discard();
            return Ok(None);
        }
        let located = AssertUnwindSafe(|| respond(shared.identity(), || locate(&*shared.locator, ask)));
        // A panic drops the ask, and a dropped ask is answered with an error.
        caught(located).unwrap_or_else(|panic| {
            shared.tell_panic(&panic);
            Ok(None)
        })
    };
    let mut decoding = AbortOnDrop(tokio::task::spawn_blocking(decode));
    (&mut decoding.0).await.unwrap_or_else(|error| {
        // The runtime shuts down, and has dropped the ask.
        if let Ok(payload) = error.try_into_panic() {
            drop(Panic::of(payload));
        }
        Ok(None)
    })
}

/// A task that has not begun never does.
struct AbortOnDrop(JoinHandle<Result<Option<Responder>, Ask>>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Finds the responder, which then owns the arguments of the ask.
///
/// # Errors
/// If it is heavy.
pub(super) fn locate(locator: &dyn Locator, ask: Ask) -> Result<Option<Responder>, Ask> {
    match locator.locate(ask) {
        Located::Responding(responding) => Ok(Some((responding, false))),
        Located::Detached(responding) => Ok(Some((responding, true))),
        Located::Answered => Ok(None),
        Located::Unknown(ask) => {
            ask.refuse_unhandled();
            Ok(None)
        }
        Located::Heavy(ask) => Err(ask),
    }
}

/// Polls once. Returns the responder if it is not ready.
pub(super) fn poll_once((mut responding, is_detached): Responder) -> Option<Responder> {
    // The task that continues it polls it again at once, so this poll's waker is not needed.
    let poll = responding.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    poll.is_pending().then_some((responding, is_detached))
}
