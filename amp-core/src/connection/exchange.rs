use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, TryAcquireError};

use super::shared::{Phase, Shared};
use super::{CloseReason, Connection};
use crate::command::{Command, violations};
use crate::dispatcher::Progress;
use crate::packet::{ReplyPacket, Tag, put_ask, put_ask_box};
use crate::value::{EncodeError, EncodeErrorKind};
use crate::wire::{AmpBox, BoxLimits};

/// One ask on its way out and its answer on the way back: what every kind of call is made of.
pub(super) struct Exchange<A> {
    connection: Connection,
    ask: A,
    /// Whether an answer is wanted.
    answered: bool,
    timeout: Option<Duration>,
    step: Step,
}

/// What can be asked: a typed command or a box.
pub(super) trait Outgoing {
    /// Checks what is declared, before anything is locked or written.
    fn check(&self) -> Result<(), EncodeError>;

    fn put(&self, buffer: &mut Vec<u8>, tag: Option<Tag>, limits: BoxLimits) -> Result<(), EncodeError>;
}

impl<C: Command> Outgoing for C {
    fn check(&self) -> Result<(), EncodeError> {
        violations(self).map_or(Ok(()), |found| Err(EncodeErrorKind::Constraints(found).into()))
    }

    fn put(&self, buffer: &mut Vec<u8>, tag: Option<Tag>, limits: BoxLimits) -> Result<(), EncodeError> {
        put_ask(buffer, tag, self, limits)
    }
}

/// A command whose arguments have no type.
pub(super) struct Untyped<'a>(pub(super) &'a str, pub(super) AmpBox);

impl Outgoing for Untyped<'_> {
    fn check(&self) -> Result<(), EncodeError> {
        Ok(())
    }

    fn put(&self, buffer: &mut Vec<u8>, tag: Option<Tag>, limits: BoxLimits) -> Result<(), EncodeError> {
        put_ask_box(buffer, tag, self.0, self.1.clone(), limits)
    }
}

/// How an exchange ends without an answer.
#[derive(Debug)]
pub(super) enum Failure {
    Invalid(EncodeError),
    Connection(CloseReason),
    Timeout,
}

enum Step {
    New,
    /// There is no place among the calls, or the outbound buffer is full.
    Queued(Option<Instant>, Pin<Box<dyn Future<Output = Option<Place>> + Send>>),
    Out(u64),
    Done,
}

/// A place among the calls that are out; `None` for an ask that wants no answer.
type Place = Option<OwnedSemaphorePermit>;

/// What became of an attempt to send.
enum Attempt {
    Sent(Option<u64>),
    Full(Place),
    Failed(Failure),
}

impl<A: Outgoing> Exchange<A> {
    pub(super) fn new(connection: Connection, ask: A, answered: bool) -> Self {
        let timeout = connection.shared.settings.call_timeout;
        Self { connection, ask, answered, timeout, step: Step::New }
    }

    pub(super) fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    pub(super) fn nesting(&self) -> u8 {
        self.connection.shared.settings.boxes.nesting
    }

    /// Sends, or queues for a place and then sends.
    fn poll_send(
        &mut self,
        deadline: Option<Instant>,
        mut place: Place,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<u64>, Failure>> {
        loop {
            let shared = &self.connection.shared;
            place = match attempt(shared, &self.ask, self.answered, deadline, place, cx.waker()) {
                Attempt::Sent(tag) => return Poll::Ready(Ok(tag)),
                Attempt::Failed(failure) => return Poll::Ready(Err(failure)),
                Attempt::Full(place) => place,
            };
            let mut queue = Box::pin(queue(Arc::clone(shared), self.answered, deadline, place));
            match queue.as_mut().poll(cx) {
                Poll::Ready(Some(granted)) => place = granted,
                Poll::Ready(None) => return Poll::Ready(Err(Failure::Timeout)),
                Poll::Pending => {
                    self.step = Step::Queued(deadline, queue);
                    return Poll::Pending;
                }
            }
        }
    }
}

/// An exchange is never pinned to its place: the ask is not polled.
impl<A> Unpin for Exchange<A> {}

impl<A: Outgoing> Future for Exchange<A> {
    /// `None` when no answer was wanted.
    type Output = Result<Option<ReplyPacket>, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (deadline, place) = match &mut this.step {
            Step::New => {
                if let Err(error) = this.ask.check() {
                    this.step = Step::Done;
                    return Poll::Ready(Err(Failure::Invalid(error)));
                }
                (this.timeout.and_then(|timeout| super::now().checked_add(timeout)), None)
            }
            Step::Queued(deadline, queue) => match ready!(queue.as_mut().poll(cx)) {
                Some(place) => (*deadline, place),
                None => {
                    this.step = Step::Done;
                    return Poll::Ready(Err(Failure::Timeout));
                }
            },
            Step::Out(tag) => {
                let answer = ready!(poll_answer(&this.connection.shared, *tag, cx));
                this.step = Step::Done;
                return Poll::Ready(answer.map(Some));
            }
            Step::Done => panic!("a call was polled after it had ended"),
        };
        this.step = Step::Done;
        match ready!(this.poll_send(deadline, place, cx)) {
            Ok(Some(tag)) => {
                this.step = Step::Out(tag);
                Poll::Pending
            }
            Ok(None) => Poll::Ready(Ok(None)),
            Err(failure) => Poll::Ready(Err(failure)),
        }
    }
}

impl<A> Drop for Exchange<A> {
    fn drop(&mut self) {
        let Step::Out(tag) = self.step else { return };
        let shared = &self.connection.shared;
        let mut state = shared.lock();
        state.dispatcher.abandon(tag);
        if matches!(state.phase, Phase::Closing(_)) {
            shared.wake_driver(state, true);
        }
    }
}

/// Encodes the ask into the outbound buffer, if there is a place and room for it.
fn attempt<A: Outgoing>(
    shared: &Shared,
    ask: &A,
    answered: bool,
    deadline: Option<Instant>,
    place: Place,
    waiter: &Waker,
) -> Attempt {
    let place = match place {
        None if answered => match Arc::clone(&shared.places).try_acquire_owned() {
            Ok(place) => Some(place),
            Err(TryAcquireError::NoPermits) => return Attempt::Full(None),
            Err(TryAcquireError::Closed) => None,
        },
        place => place,
    };
    let mut state = shared.lock();
    if let Some(reason) = state.refusal() {
        return Attempt::Failed(Failure::Connection(reason));
    }
    if state.outbound.len() >= shared.settings.outbound_mark {
        return Attempt::Full(place);
    }
    let number = state.dispatcher.next_tag();
    let tag = answered.then(|| Tag::of(number));
    if let Err(error) = ask.put(&mut state.outbound, tag, shared.settings.boxes) {
        return Attempt::Failed(Failure::Invalid(error));
    }
    if !answered {
        state.dispatcher.skip();
        shared.wake_driver(state, false);
        return Attempt::Sent(None);
    }
    // The answer gives the place back.
    place.into_iter().for_each(OwnedSemaphorePermit::forget);
    state.dispatcher.ask(waiter.clone(), deadline);
    let sooner = deadline.filter(|deadline| state.alarm.is_none_or(|alarm| *deadline < alarm));
    state.alarm = sooner.or(state.alarm);
    shared.wake_driver(state, sooner.is_some());
    Attempt::Sent(Some(number))
}

/// Waits for a place among the calls and then for room in the outbound buffer; `None` when the time is up.
async fn queue(shared: Arc<Shared>, answered: bool, deadline: Option<Instant>, place: Place) -> Option<Place> {
    let granted = async {
        let place = match place {
            // When no places are given out any more, the next attempt learns why.
            None if answered => Arc::clone(&shared.places).acquire_owned().await.ok(),
            place => place,
        };
        poll_fn(|cx| shared.poll_room(cx)).await;
        place
    };
    match deadline {
        None => Some(granted.await),
        Some(deadline) => tokio::time::timeout_at(deadline.into(), granted).await.ok(),
    }
}

fn poll_answer(shared: &Shared, tag: u64, cx: &Context<'_>) -> Poll<Result<ReplyPacket, Failure>> {
    let mut state = shared.lock();
    let progress = state.dispatcher.poll(tag, |before| match before {
        Some(waker) if waker.will_wake(cx.waker()) => waker,
        _ => cx.waker().clone(),
    });
    Poll::Ready(match progress {
        Progress::Pending => return Poll::Pending,
        Progress::Answered(reply) => Ok(reply),
        Progress::Expired => Err(Failure::Timeout),
        Progress::Lost => Err(Failure::Connection(state.refusal().unwrap_or(CloseReason::Aborted))),
    })
}
