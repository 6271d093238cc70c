use std::collections::BTreeMap;
use std::time::Instant;

use super::waiter::Waiter;

/// Waiters for an instant.
#[derive(Debug)]
pub(super) struct Timers<W> {
    waiting: BTreeMap<TimerKey, W>,
    next: u64,
}

/// An instant, and the number of one of its waiters.
pub(crate) type TimerKey = (Instant, u64);

impl<W> Default for Timers<W> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), next: 0 }
    }
}

impl<W: Waiter> Timers<W> {
    /// Keeps waiting, or begins to wait for `at`. Returns the key to keep waiting with, and the previous waiter, which is to be
    /// dropped under no lock.
    pub(super) fn wait(&mut self, key: Option<TimerKey>, at: Instant, waiter: &W) -> (TimerKey, Option<W>) {
        let key = key.unwrap_or_else(|| {
            self.next += 1;
            (at, self.next)
        });
        let same = self.waiting.get(&key).is_some_and(|before| before.identity() == waiter.identity());
        (key, if same { None } else { self.waiting.insert(key, waiter.clone()) })
    }

    /// Stops waiting. Returns the waiter, which is to be dropped under no lock.
    pub(super) fn leave(&mut self, key: TimerKey) -> Option<W> {
        self.waiting.remove(&key)
    }

    /// Hands out the waiters whose instant is not later than `now`, and returns when the next one is due.
    pub(super) fn expire(&mut self, now: Instant, mut wake: impl FnMut(W)) -> Option<Instant> {
        while let Some(first) = self.waiting.first_entry() {
            let (at, _) = *first.key();
            if at > now {
                return Some(at);
            }
            wake(first.remove());
        }
        None
    }

    /// Takes out all waiters.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = W> + use<W> {
        std::mem::take(&mut self.waiting).into_values()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_waits_is_woken_in_the_order_of_time_and_once() {
        let (mut timers, start) = (Timers::<u64>::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let (late, _) = timers.wait(None, at(3), &0);
        let (left, _) = timers.wait(None, at(1), &0);
        timers.wait(None, at(1), &0);
        assert_eq!(timers.wait(Some(late), at(3), &0), (late, None));
        assert_eq!(timers.wait(Some(late), at(3), &1), (late, Some(0)), "the waiter that it had is returned");
        assert!(timers.leave(left).is_some() && timers.leave(left).is_none());
        let mut woken = 0;
        assert_eq!(timers.expire(at(2), |_| woken += 1), Some(at(3)));
        assert_eq!((woken, timers.expire(at(3), |_| woken += 1)), (1, None));
        assert_eq!(woken, 2);
    }
}
