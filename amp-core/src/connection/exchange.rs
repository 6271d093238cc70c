use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::callback::{is_responding, is_responding_for};
use super::clock::now;
use super::failure::Failure;
use super::handle::Connection;
use super::queued::{Queued, SendOptions};
use super::shared::{Shared, wake};
use crate::packet::ReplyPacket;
use crate::proto::{Lane, Outgoing};
use crate::reason::CloseReason;
use crate::tags::Progress;

/// One outgoing ask and its incoming answer: the basis of every kind of call.
pub(super) struct Exchange<A> {
    connection: Connection,
    /// The ask, until it is in the outbound buffer: a call that waits long for its answer holds no copy.
    ask: Option<A>,
    wants_answer: bool,
    lane: Lane,
    timeout: Option<Duration>,
    step: Step,
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
    pub(super) fn new(connection: Connection, ask: A, wants_answer: bool) -> Self {
        let timeout = connection.shared.settings.call_timeout;
        let lane = match wants_answer {
            _ if connection.is_callback() || is_responding() => Lane::Callback,
            true => Lane::Call,
            false => Lane::Notify,
        };
        Self { connection, ask: Some(ask), wants_answer, lane, timeout, step: Step::New }
    }

    pub(super) fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    pub(super) fn set_bulk(&mut self) {
        self.lane = Lane::Bulk;
    }

    pub(super) fn set_weak(&mut self) {
        self.connection.release();
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
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
                    let queued = match self.lane {
                        Lane::Bulk => Queued::answered_within(self.timeout),
                        _ => Queued::until(self.timeout.and_then(|timeout| now().checked_add(timeout))),
                    };
                    self.step = Step::Queued(queued);
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
        let Self { connection, ask: Some(ask), wants_answer, lane, step: Step::Queued(queued), .. } = self else {
            return Poll::Pending;
        };
        let polled = queued.poll(&connection.shared, ask, send_options(connection, *lane, *wants_answer), cx);
        if polled.is_ready() { polled } else { self.poll_as_callback(cx) }
    }

    /// The exchange must wait, and may become a callback: it may have been made elsewhere, and a responder waits for it now.
    #[cold]
    fn poll_as_callback(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<u64>, Failure>> {
        let Self { connection, ask: Some(ask), wants_answer, lane, step: Step::Queued(queued), .. } = self else {
            return Poll::Pending;
        };
        if !lane.is_limited() || !is_responding() {
            return Poll::Pending;
        }
        queued.leave(&connection.shared, *lane);
        *lane = Lane::Callback;
        queued.poll(&connection.shared, ask, send_options(connection, *lane, *wants_answer), cx)
    }
}

#[inline]
fn send_options(connection: &Connection, lane: Lane, wants_answer: bool) -> SendOptions {
    let while_closing = match lane {
        Lane::Call | Lane::Notify => false,
        Lane::Bulk => true,
        // A responder that runs while its connection closes may finish, and needs its callbacks for that.
        Lane::Callback => connection.is_callback() || is_responding_for(connection.shared.identity()),
    };
    SendOptions { lane, wants_answer, while_closing }
}

impl<A> Exchange<A> {
    /// Leaves the queue, and wakes the next waiter.
    #[inline]
    fn leave_queue(&mut self) {
        if let Step::Queued(queued) = &mut self.step {
            queued.leave(&self.connection.shared, self.lane);
        }
    }
}

pub(super) fn poll_answer(shared: &Shared, tag: u64, cx: &Context<'_>) -> Poll<Result<ReplyPacket, Failure>> {
    let mut state = shared.lock();
    match state.sending().poll_answer(tag, cx.waker()) {
        Progress::Answered(reply) => Poll::Ready(Ok(reply)),
        Progress::Pending(replaced) => {
            drop(state);
            drop(replaced);
            Poll::Pending
        }
        // Its ask may still leave the outbound buffer.
        Progress::Expired => Poll::Ready(Err(Failure::Timeout { sent: true })),
        Progress::Lost => Poll::Ready(Err(Failure::Connection {
            reason: state.refusal(false).unwrap_or(CloseReason::DriverDropped),
            sent: state.sending().has_left(tag),
        })),
    }
}

/// Nothing waits for the answer any more.
pub(super) fn abandon(shared: &Shared, tag: u64) {
    let ([waiter, driver], sink) = shared.lock().abandon(tag);
    drop((waiter, sink));
    wake(driver);
}

/// An exchange may be moved: the ask is not polled.
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
            Step::Done => panic!("`Call` polled after completion"),
            // An exchange that was just sent left this task's waker with its tag: there is nothing to look at yet.
            Step::New | Step::Queued(_) => match ready!(this.poll_sent(cx)) {
                Err(failure) => Poll::Ready(Err(failure)),
                Ok(()) if this.wants_answer => Poll::Pending,
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
