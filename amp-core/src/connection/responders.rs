use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::task::{JoinError, JoinSet};

use crate::locator::Locator;
use crate::responder::{Ask, Located};

/// The responders of one connection: those that run, and in order those that wait for their turn.
pub(super) struct Responders {
    locator: Arc<dyn Locator>,
    running: JoinSet<()>,
    waiting: VecDeque<Ask>,
    most: usize,
    in_order: bool,
}

impl Responders {
    pub(super) fn new(locator: Arc<dyn Locator>, most: usize, in_order: bool) -> Self {
        Self { locator, running: JoinSet::new(), waiting: VecDeque::new(), most, in_order }
    }

    /// Answers an ask: at once if its responder is ready at its first poll, else concurrently.
    pub(super) fn answer(&mut self, ask: Ask) {
        if self.running.len() + self.waiting.len() >= self.most {
            ask.refuse_busy();
        } else if self.in_order && !self.running.is_empty() {
            self.waiting.push_back(ask);
        } else {
            self.start(ask);
        }
    }

    /// Puts away what has finished and starts what waited for it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        loop {
            while let Poll::Ready(Some(finished)) = self.running.poll_join_next(cx) {
                if let Err(error) = finished {
                    log_panic(&error);
                }
            }
            if !self.running.is_empty() {
                return;
            }
            let Some(ask) = self.waiting.pop_front() else { return };
            self.start(ask);
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    /// Polls the responder once where it stands, so that responders begin in the order of their asks.
    fn start(&mut self, ask: Ask) {
        // A panic drops the ask, and a dropped ask is answered with an error: nothing else is torn.
        let begun = catch_unwind(AssertUnwindSafe(|| begin(&*self.locator, ask)));
        match begun {
            Ok(Some(responding)) => {
                self.running.spawn(responding);
            }
            Ok(None) => {}
            Err(_) => tracing::error!("a responder panicked"),
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

fn log_panic(error: &JoinError) {
    if error.is_panic() {
        tracing::error!("a responder panicked");
    }
}
