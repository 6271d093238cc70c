use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::task::JoinSet;

use super::callback::{Responding, respond};
use super::shared::Shared;
use crate::locator::Locator;
use crate::responder::{Ask, Located};

/// The responders of one connection: those that run, and the asks that wait for their turn.
pub(super) struct Responders {
    shared: Arc<Shared>,
    running: JoinSet<()>,
    waiting: VecDeque<Ask>,
}

impl Responders {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, running: JoinSet::new(), waiting: VecDeque::new() }
    }

    /// Answers an ask: at once if its responder is ready at its first poll, else concurrently. While the peer has much to
    /// read it waits, in the order of arrival: reading goes on, and memory is bounded by what the asks hold.
    pub(super) fn answer(&mut self, ask: Ask) {
        let settings = &self.shared.settings;
        if self.shared.locator.at_once(&ask) {
            self.start(ask);
        } else if self.running.len() + self.waiting.len() >= settings.most_responders || self.shared.is_full() {
            ask.refuse_busy();
        } else if self.waiting.is_empty() && self.may_start() {
            self.start(ask);
        } else {
            self.waiting.push_back(ask.detached());
        }
    }

    /// Puts away what has finished and starts what waited for it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        if self.running.is_empty() && self.waiting.is_empty() {
            return;
        }
        // A task that panicked has answered when it dropped its ask.
        while let Poll::Ready(Some(_)) = self.running.poll_join_next(cx) {}
        while self.may_start()
            && let Some(ask) = self.waiting.pop_front()
        {
            self.start(ask);
        }
        // An empty set took no waker above: what was spawned since needs one.
        while let Poll::Ready(Some(_)) = self.running.poll_join_next(cx) {}
    }

    /// Whether another look would start what waits.
    pub(super) fn has_work(&self) -> bool {
        !self.waiting.is_empty() && self.may_start()
    }

    fn may_start(&self) -> bool {
        (!self.shared.settings.in_order || self.running.is_empty()) && !self.shared.is_congested()
    }

    /// Polls the responder once where it stands, so that responders begin in the order of their asks.
    fn start(&mut self, ask: Ask) {
        // A panic drops the ask, and a dropped ask is answered with an error: nothing else is torn.
        let begun = catch_unwind(AssertUnwindSafe(|| respond(|| begin(&*self.shared.locator, ask))));
        if let Ok(Some(responding)) = begun {
            self.running.spawn(Responding(responding));
        }
    }
}

/// Locates and polls once; gives back what is not ready.
fn begin(locator: &dyn Locator, ask: Ask) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
    let mut responding = match locator.locate(ask) {
        Located::Responding(responding) => responding,
        Located::Answered => return None,
        Located::Unknown(ask) => {
            ask.refuse_unhandled();
            return None;
        }
    };
    // The task that goes on with it polls it again at once, so nobody needs this poll's waker.
    let poll = responding.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    poll.is_pending().then_some(responding)
}
