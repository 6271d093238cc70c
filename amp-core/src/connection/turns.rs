use std::future::Future;
use std::pin::pin;
use std::task::Context;

use tokio::task::yield_now;

/// After this many turns without a pause other tasks go first.
const MAX_BUSY: u8 = 4;

/// Number of turns that the driver has had without a pause.
#[derive(Debug, Default)]
pub(super) struct Turns(u8);

impl Turns {
    /// Nothing is to be done until the driver is woken.
    pub(super) fn pause(&mut self) {
        self.0 = 0;
    }

    /// Has the driver polled again. Woken callers take their answers while they are in the cache; then the next batch is read.
    pub(super) fn again(&mut self, cx: &mut Context<'_>) {
        self.0 = self.0.saturating_add(1);
        if self.0 <= MAX_BUSY {
            cx.waker().wake_by_ref();
        } else {
            // A task that wakes itself keeps the run queue from becoming empty, and the runtime looks at sockets only now and
            // then: a peer that sends without a pause would keep all others waiting for dozens of turns. A task that yields is
            // woken after that look.
            let _ = pin!(yield_now()).poll(cx);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Wake, Waker};

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn behind_four_turns_without_a_pause_the_runtime_wakes_the_driver_when_it_has_looked_at_sockets() {
        let (mut turns, wakes) = (Turns::default(), Arc::new(Wakes::default()));
        let waker = Waker::from(Arc::clone(&wakes));
        let woken = || wakes.0.load(Ordering::Relaxed);
        for at_once in [4, 4] {
            for turn in 1..=6 {
                let before = woken();
                turns.again(&mut Context::from_waker(&waker));
                assert_eq!(woken() - before, usize::from(turn <= at_once), "turn {turn}");
                yield_now().await;
                assert_eq!(woken() - before, 1, "turn {turn}");
            }
            turns.pause();
        }
    }
}
