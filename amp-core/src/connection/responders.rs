use std::collections::VecDeque;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::task::JoinSet;

use super::callback::{Responding, respond};
use super::shared::Shared;
use crate::locator::Locator;
use crate::panics::{caught, forget_panic};
use crate::reason::CloseReason;
use crate::responder::{Ask, Located};
use crate::settings::Settings;

/// The responders of one connection: those that run, and the asks that wait for their turn.
///
/// An ask that wants an answer is done for when the connection is over: its caller has left. One that wants none has been
/// accepted, and runs to its end.
pub(super) struct Responders {
    shared: Arc<Shared>,
    /// Those that end with the connection.
    running: JoinSet<()>,
    /// Those that go on after it: of asks that want no answer, and of commands that are detached.
    lasting: JoinSet<()>,
    waiting: VecDeque<Ask>,
}

impl Responders {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, running: JoinSet::new(), lasting: JoinSet::new(), waiting: VecDeque::new() }
    }

    /// Answers an ask: at once if its responder is ready at its first poll, else concurrently. While the peer has much to
    /// read it waits, in the order of arrival: reading goes on, and memory is bounded by what the asks hold.
    ///
    /// # Errors
    /// When so many notifications wait that the connection ends: each was promised to run.
    pub(super) fn answer(&mut self, ask: Ask) -> Result<(), CloseReason> {
        if self.shared.locator.at_once(&ask) {
            self.start(ask);
            return Ok(());
        }
        if !ask.wants_answer() {
            if let Err(reason) = self.shared.check_notifications() {
                ask.discard();
                return Err(reason);
            }
        } else if self.shared.is_draining() {
            ask.refuse_draining();
            return Ok(());
        } else if self.len() >= self.shared.settings.most_responders || self.shared.is_full() {
            ask.refuse_busy();
            return Ok(());
        }
        if self.waiting.is_empty() && self.may_start(&ask) {
            self.start(ask);
        } else {
            self.waiting.push_back(ask.detached());
        }
        Ok(())
    }

    /// Puts away what has finished and starts what waited for it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        if self.len() == 0 {
            return;
        }
        self.reap(cx);
        while self.has_work()
            && let Some(ask) = self.waiting.pop_front()
        {
            // Once this end closes, nothing is begun that somebody would wait for.
            if ask.wants_answer() && self.shared.is_draining() {
                ask.refuse_draining();
            } else {
                self.start(ask);
            }
        }
        // An empty set took no waker above: what was spawned since needs one.
        self.reap(cx);
    }

    /// The connection is over: whoever waited for an answer has left.
    pub(super) fn stop_answering(&mut self) {
        self.running = JoinSet::new();
        self.waiting.retain(|ask| !ask.wants_answer());
    }

    /// Goes on with what still runs when the connection is over. Ready when nothing does.
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll(cx);
        if self.len() == 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Whether another look would start what waits.
    pub(super) fn has_work(&self) -> bool {
        self.waiting.front().is_some_and(|next| self.may_start(next))
    }

    /// How many run or wait.
    pub(super) fn len(&self) -> usize {
        self.started() + self.waiting.len()
    }

    fn started(&self) -> usize {
        self.running.len() + self.lasting.len()
    }

    /// Whether the next ask may start. A notification that starts gives credit for more, and so waits while those that run hold
    /// enough; one at a time may run in any case.
    fn may_start(&self, next: &Ask) -> bool {
        let started = self.started();
        let has_place = started == 0 || {
            let Settings { in_order, most_responders, .. } = self.shared.settings;
            !in_order && started < most_responders && (next.wants_answer() || !self.shared.is_full())
        };
        has_place && !self.shared.is_congested()
    }

    fn reap(&mut self, cx: &mut Context<'_>) {
        for tasks in [&mut self.running, &mut self.lasting] {
            while let Poll::Ready(Some(ended)) = tasks.poll_join_next(cx) {
                // A task that panicked has answered when it dropped its ask.
                if let Err(error) = ended
                    && let Ok(panic) = error.try_into_panic()
                {
                    forget_panic(panic);
                }
            }
        }
    }

    /// Polls the responder once where it stands, so that responders begin in the order of their asks.
    fn start(&mut self, mut ask: Ask) {
        if ask.is_marked() {
            ask.give_credit();
            if ask.is_own() {
                return ask.discard();
            }
        }
        let is_accepted = !ask.wants_answer();
        // A panic drops the ask, and a dropped ask is answered with an error: nothing else is torn.
        let begun = caught(AssertUnwindSafe(|| respond(|| begin(&*self.shared.locator, ask))));
        if let Some(Some((responding, is_detached))) = begun {
            let tasks = if is_accepted || is_detached { &mut self.lasting } else { &mut self.running };
            tasks.spawn(Responding(responding));
        }
    }
}

/// A responder that has been polled once.
type Begun = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Locates and polls once. Gives back what is not ready, and whether it goes on when its caller has left.
fn begin(locator: &dyn Locator, ask: Ask) -> Option<(Begun, bool)> {
    let (mut responding, is_detached) = match locator.locate(ask) {
        Located::Responding(responding) => (responding, false),
        Located::Detached(responding) => (responding, true),
        Located::Answered => return None,
        Located::Unknown(ask) => {
            ask.refuse_unhandled();
            return None;
        }
    };
    // The task that goes on with it polls it again at once, so nobody needs this poll's waker.
    let poll = responding.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    poll.is_pending().then_some((responding, is_detached))
}
