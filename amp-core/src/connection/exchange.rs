use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::callback::{is_responding, is_responding_for};
use super::outgoing::Outgoing;
use super::queued::{Admission, Queued};
use super::shared::Shared;
use super::state::Phase;
use super::{Connection, now};
use crate::dispatcher::Progress;
use crate::packet::ReplyPacket;
use crate::reason::CloseReason;
use crate::value::EncodeError;

/// One ask on its way out and its answer on the way back: what every kind of call is made of.
pub(super) struct Exchange<A> {
    connection: Connection,
    /// What is asked, until it is in the outbound buffer: a call that waits long for its answer holds no copy.
    ask: Option<A>,
    /// Whether an answer is wanted.
    answered: bool,
    admission: Admission,
    timeout: Option<Duration>,
    step: Step,
}

/// How an exchange ends without an answer.
#[derive(Debug)]
pub(super) enum Failure {
    Invalid(EncodeError),
    /// `sent` says whether the ask may have reached the peer.
    Connection {
        reason: CloseReason,
        sent: bool,
    },
    Timeout {
        sent: bool,
    },
}

enum Step {
    New,
    /// There is no place, credit or room for it.
    Queued(Queued),
    /// It was sent with this tag.
    Out(u64),
    Done,
}

impl<A: Outgoing> Exchange<A> {
    pub(super) fn new(connection: Connection, ask: A, answered: bool) -> Self {
        let timeout = connection.shared.settings.call_timeout;
        let admission = match answered {
            _ if connection.is_callback() || is_responding() => Admission::Callback,
            true => Admission::Call,
            false => Admission::Notification,
        };
        Self { connection, ask: Some(ask), answered, admission, timeout, step: Step::New }
    }

    pub(super) fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    pub(super) fn set_bulk(&mut self) {
        self.admission = Admission::Bulk;
    }

    pub(super) fn set_weak(&mut self) {
        self.connection.let_go();
    }

    pub(super) fn nesting(&self) -> u8 {
        self.connection.shared.settings.boxes.nesting
    }

    /// Whether the ask is in the outbound buffer, or was.
    pub(super) fn is_sent(&self) -> bool {
        matches!(self.step, Step::Out(_) | Step::Done)
    }

    /// Sends the ask, or fails.
    pub(super) fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let sent = match &mut self.step {
            Step::Out(_) | Step::Done => return Poll::Ready(Ok(())),
            Step::New => match self.ask.as_ref().map_or(Ok(()), A::check) {
                Err(error) => Err(Failure::Invalid(error)),
                Ok(()) => {
                    let deadline = self.timeout.and_then(|timeout| now().checked_add(timeout));
                    self.step = Step::Queued(Queued::until(deadline));
                    ready!(self.poll_queued(cx))
                }
            },
            Step::Queued(_) => ready!(self.poll_queued(cx)),
        };
        self.leave_queue();
        self.ask = None;
        self.step = Step::Done;
        if let Some(tag) = sent? {
            self.step = Step::Out(tag);
        }
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn poll_queued(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<u64>, Failure>> {
        let Self { connection, ask: Some(ask), answered, admission, step: Step::Queued(queued), .. } = self else {
            return Poll::Pending;
        };
        let closes = closes_with(connection, *admission);
        let polled = queued.poll(&connection.shared, ask, (*answered, *admission, closes), cx);
        if polled.is_ready() { polled } else { self.poll_as_callback(cx) }
    }

    /// Has just found that it must wait. It may have been made elsewhere, and a responder waits for it now.
    #[cold]
    fn poll_as_callback(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<u64>, Failure>> {
        let Self { connection, ask: Some(ask), answered, admission, step: Step::Queued(queued), .. } = self else {
            return Poll::Pending;
        };
        if !admission.is_limited() || !is_responding() {
            return Poll::Pending;
        }
        queued.leave(&connection.shared, *admission);
        *admission = Admission::Callback;
        let closes = closes_with(connection, *admission);
        queued.poll(&connection.shared, ask, (*answered, *admission, closes), cx)
    }
}

/// Whether it goes out also while its connection closes: what runs there may finish, and needs its callbacks for that.
#[inline]
fn closes_with(connection: &Connection, admission: Admission) -> bool {
    match admission {
        Admission::Call | Admission::Notification => false,
        Admission::Bulk => true,
        Admission::Callback => connection.is_callback() || is_responding_for(connection.shared.identity()),
    }
}

impl<A> Exchange<A> {
    /// Gives the place in the queue up, and wakes whoever is next.
    #[inline]
    fn leave_queue(&mut self) {
        if let Step::Queued(queued) = &mut self.step {
            queued.leave(&self.connection.shared, self.admission);
        }
    }
}

pub(super) fn poll_answer(shared: &Shared, tag: u64, cx: &Context<'_>) -> Poll<Result<ReplyPacket, Failure>> {
    let mut replaced = None; // It is dropped after the lock.
    let mut state = shared.lock();
    let progress = state.dispatcher.poll(tag, |before| match before {
        Some(waker) if waker.will_wake(cx.waker()) => waker,
        before => {
            replaced = before;
            cx.waker().clone()
        }
    });
    Poll::Ready(match progress {
        Progress::Pending => return Poll::Pending,
        Progress::Answered(reply) => Ok(reply),
        // Its ask may still leave the outbound buffer.
        Progress::Expired => Err(Failure::Timeout { sent: true }),
        Progress::Lost => Err(Failure::Connection {
            reason: state.refusal().unwrap_or(CloseReason::DriverDropped),
            sent: state.has_left(tag),
        }),
    })
}

/// Nobody waits for the answer any more.
pub(super) fn abandon(shared: &Shared, tag: u64) {
    let mut state = shared.lock();
    let waiter = state.dispatcher.abandon(tag);
    if matches!(state.phase, Phase::Closing(..)) {
        shared.wake_driver(state, true);
    } else {
        drop(state);
    }
    drop(waiter);
}

/// An exchange is never pinned to its place: the ask is not polled.
impl<A> Unpin for Exchange<A> {}

impl<A: Outgoing> Future for Exchange<A> {
    /// `None` when no answer was wanted.
    type Output = Result<Option<ReplyPacket>, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match this.step {
            Step::Out(tag) => {
                let answer = ready!(poll_answer(&this.connection.shared, tag, cx));
                this.step = Step::Done;
                Poll::Ready(answer.map(Some))
            }
            Step::Done => panic!("a call was polled after it had ended"),
            // What was just sent left this task's waker with its tag: there is nothing to look at yet.
            Step::New | Step::Queued(_) => match ready!(this.poll_sent(cx)) {
                Err(failure) => Poll::Ready(Err(failure)),
                Ok(()) if this.answered => Poll::Pending,
                Ok(()) => Poll::Ready(Ok(None)),
            },
        }
    }
}

impl<A> Drop for Exchange<A> {
    fn drop(&mut self) {
        self.leave_queue();
        if let Step::Out(tag) = self.step {
            abandon(&self.connection.shared, tag);
        }
    }
}
