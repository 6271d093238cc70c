//! The way of an ask into the outbound buffer. Not generic over the command, so that it is compiled once.

use std::sync::MutexGuard;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::clock::now;
use super::failure::Failure;
use super::shared::{Shared, wake};
use crate::exposed::ContextRef;
use crate::proto::{Attachment, Carrier, ConnectionState, Lane, Outgoing, ReplyTo, Request, TimerKey};
use crate::value::EncodeErrorKind;

/// An ask that is to be sent, and its place while it waits.
#[derive(Default)]
pub(super) struct Queued {
    ticket: Option<u64>,
    deadline: Option<Instant>,
    /// Time limit for the answer to bulk, which replaces a deadline and is counted from when the ask is sent.
    answer_timeout: Option<Duration>,
    /// Set only if the ask must wait: one that goes out at once costs nothing here.
    timer: Option<TimerKey>,
}

/// Options for sending the ask of an exchange, as far as the exchange knows them. The rest of a [`Request`], its deadline and its
/// waiter, is known where the ask waits.
#[derive(Clone, Copy)]
pub(super) struct SendOptions {
    pub(super) lane: Lane,
    pub(super) wants_answer: bool,
    /// Whether it goes out also while this end closes.
    pub(super) while_closing: bool,
}

impl SendOptions {
    #[inline]
    fn request(self, deadline: Option<Instant>, waiter: &Waker) -> Request<'_, Waker> {
        let Self { lane, wants_answer, .. } = self;
        Request { lane, wants_answer, deadline, reply_to: ReplyTo::Waiter(waiter) }
    }
}

impl Queued {
    pub(super) fn until(deadline: Option<Instant>) -> Self {
        Self { deadline, ..Self::default() }
    }

    pub(super) fn answered_within(timeout: Option<Duration>) -> Self {
        Self { answer_timeout: timeout, ..Self::default() }
    }

    fn answer_by(&self) -> Option<Instant> {
        now().checked_add(self.answer_timeout?)
    }

    /// Sends the ask when its lane admits it.
    pub(super) fn poll(
        &mut self,
        shared: &Shared,
        ask: &dyn Outgoing,
        options: SendOptions,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<u64>, Failure>> {
        let SendOptions { lane, while_closing, .. } = options;
        let mut state = shared.lock();
        if let Some(reason) = state.refusal(while_closing) {
            return Poll::Ready(Err(Failure::Connection { reason, sent: false }));
        }
        // An ask whose time is over does not go out.
        if self.timer.is_some() && self.deadline.is_some_and(|deadline| deadline <= now()) {
            return Poll::Ready(Err(Failure::Timeout { sent: false }));
        }
        if state.sending().admits(lane, self.ticket) {
            let deadline = if lane == Lane::Bulk { self.answer_by() } else { self.deadline };
            let request = options.request(deadline, cx.waker());
            return Poll::Ready(append(shared, state, ask, &request));
        }
        let (ticket, before) = state.sending().wait(lane, self.ticket, cx.waker());
        self.ticket = Some(ticket);
        let Some(deadline) = self.deadline else {
            drop(state);
            drop(before);
            return Poll::Pending;
        };
        let (timer, [timed_before, driver]) = state.wait_until(deadline, self.timer, cx.waker());
        self.timer = Some(timer);
        drop(state);
        wake(driver);
        drop((before, timed_before));
        if deadline <= now() { Poll::Ready(Err(Failure::Timeout { sent: false })) } else { Poll::Pending }
    }

    /// Stops waiting, for whatever reason.
    #[inline]
    pub(super) fn leave(&mut self, shared: &Shared, lane: Lane) {
        // Most have never waited.
        if let Some(ticket) = self.ticket.take() {
            self.leave_queue(shared, lane, ticket);
        }
    }

    #[cold]
    fn leave_queue(&mut self, shared: &Shared, lane: Lane, ticket: u64) {
        if let Some(timer) = self.timer.take() {
            let waiter = shared.lock().leave_timer(timer);
            drop(waiter);
        }
        give_way(shared, lane, ticket);
    }
}

/// Leaves a queue, and wakes the next waiter.
#[cold]
pub(super) fn give_way(shared: &Shared, lane: Lane, ticket: u64) {
    let [left, next] = shared.lock().sending().leave(lane, ticket);
    drop(left);
    wake(next);
}

/// Encodes the ask into the outbound buffer. Returns its tag, if it wants an answer.
pub(super) fn append(
    shared: &Shared,
    mut state: MutexGuard<'_, ConnectionState<Waker>>,
    ask: &dyn Outgoing,
    request: &Request<'_, Waker>,
) -> Result<Option<u64>, Failure> {
    let context = shared.encoding_context();
    let context = Some(ContextRef::new(&context));
    let (tag, driver) = state.append(ask, request, context).map_err(Failure::Invalid)?;
    shared.appended(state, driver);
    Ok(tag)
}

/// The transport, if it carries the attachments.
#[cold]
pub(super) fn carrier_of(shared: &Shared, attachments: &[Attachment]) -> Option<Carrier> {
    let carrier = shared.lock().transport().carrier();
    carrier.carries(attachments).then_some(carrier)
}

/// As [`append`], with attachments, which are taken if it is appended: if the carrier is still the transport.
#[cold]
pub(super) fn append_attached(
    shared: &Shared,
    mut state: MutexGuard<'_, ConnectionState<Waker>>,
    ask: &dyn Outgoing,
    request: &Request<'_, Waker>,
    attachments: &mut Vec<Attachment>,
    carrier: Option<Carrier>,
) -> Result<Option<u64>, Failure> {
    if !carrier.is_some_and(|carrier| state.transport().is_written_by(carrier)) {
        let words = "the transport does not carry what is attached".to_owned();
        return Err(Failure::Invalid(EncodeErrorKind::Custom(words).into()));
    }
    let context = shared.encoding_context();
    let context = Some(ContextRef::new(&context));
    let (tag, driver) =
        state.transport().append_attached(ask, request, context, attachments).map_err(Failure::Invalid)?;
    shared.appended(state, driver);
    Ok(tag)
}
