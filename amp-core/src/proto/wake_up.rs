use std::time::Instant;

use super::timers::{TimerKey, Timers};
use super::waiter::Waiter;

/// When the driver has a turn: because a box was appended, because something has changed, or because an instant has come. The
/// driver has the only timer of a runtime: waiters may be polled where there is none.
#[derive(Debug)]
pub(crate) struct WakeUp<W> {
    /// `None` until its first turn, which comes by itself.
    driver: Option<W>,
    /// The driver was woken, or is about to look at the outbound buffer anyway.
    is_awake: bool,
    /// Not later than the first deadline of an outstanding call, and than the first of the timers.
    alarm: Option<Instant>,
    timers: Timers<W>,
}

impl<W: Waiter> WakeUp<W> {
    pub(super) fn new() -> Self {
        Self { driver: None, is_awake: false, alarm: None, timers: Timers::default() }
    }

    /// A turn has begun, at whose end the driver looks at the outbound buffer.
    pub(super) fn awake(&mut self) {
        self.is_awake = true;
    }

    /// The driver sleeps until it is woken, unless it `comes_back` by itself. Returns its previous waiter.
    pub(super) fn sleep(&mut self, driver: &W, comes_back: bool) -> Option<W> {
        self.is_awake = comes_back;
        match &self.driver {
            Some(before) if before.identity() == driver.identity() => None,
            _ => self.driver.replace(driver.clone()),
        }
    }

    /// There is something to write. Returns the driver unless it is awake: once for many boxes.
    #[inline]
    pub(super) fn wake(&mut self) -> Option<W> {
        if self.is_awake { None } else { self.wake_always() }
    }

    /// The driver must look at something besides the outbound buffer.
    #[cold]
    pub(super) fn wake_always(&mut self) -> Option<W> {
        self.is_awake = true;
        self.driver.clone()
    }

    /// Ensures that the driver has a turn at the instant. Returns whether it must be woken for that.
    pub(super) fn set_alarm(&mut self, at: Instant) -> bool {
        let sooner = self.alarm.is_none_or(|alarm| at < alarm);
        if sooner {
            self.alarm = Some(at);
        }
        sooner
    }

    /// Keeps waiting, or begins to wait for the instant. Returns the key to keep waiting with, and the previous waiter.
    pub(super) fn wait(&mut self, key: Option<TimerKey>, at: Instant, waiter: &W) -> (TimerKey, Option<W>) {
        self.timers.wait(key, at, waiter)
    }

    /// Stops waiting. Returns the waiter that was there.
    pub(super) fn leave(&mut self, key: TimerKey) -> Option<W> {
        self.timers.leave(key)
    }

    pub(super) fn alarm(&self) -> Option<Instant> {
        self.alarm
    }

    /// Hands out the waiters whose instant is not later than `now`, and sets the alarm again. `calls` is the first deadline of a
    /// call.
    pub(super) fn expire(&mut self, now: Instant, calls: Option<Instant>, woken: &mut Vec<W>) {
        let timers = self.timers.expire(now, |waiter| woken.push(waiter));
        self.alarm = calls.into_iter().chain(timers).min();
    }

    /// Takes out all waiters for an instant.
    pub(super) fn clear(&mut self, woken: &mut Vec<W>) {
        woken.extend(self.timers.clear());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_driver_is_woken_once_until_it_sleeps_again_and_by_the_waiter_that_it_had_last() {
        let mut wake_up = WakeUp::<u64>::new();
        assert_eq!(wake_up.wake(), None, "its first turn comes by itself");
        assert_eq!(wake_up.sleep(&1, false), None);
        assert_eq!((wake_up.wake(), wake_up.wake()), (Some(1), None));
        assert_eq!(wake_up.wake_always(), Some(1));
        assert_eq!(wake_up.sleep(&1, false), None, "the same waiter is not replaced");
        assert_eq!(wake_up.sleep(&2, false), Some(1));
        assert_eq!(wake_up.wake(), Some(2));
        let _ = wake_up.sleep(&2, true);
        assert_eq!(wake_up.wake(), None, "it comes back by itself");
        let _ = wake_up.sleep(&2, false);
        wake_up.awake();
        assert_eq!(wake_up.wake(), None, "a turn has begun");
    }

    #[test]
    fn the_driver_is_woken_for_what_is_sooner_than_its_alarm_and_nothing_else() {
        let (mut wake_up, start) = (WakeUp::<u64>::new(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!([3, 3, 4, 2].map(|seconds| wake_up.set_alarm(at(seconds))), [true, false, false, true]);
        let (key, _) = wake_up.wait(None, at(5), &7);
        wake_up.wait(None, at(6), &8);
        let mut woken = Vec::new();
        wake_up.expire(at(2), Some(at(9)), &mut woken);
        assert_eq!((wake_up.alarm(), wake_up.leave(key)), (Some(at(5)), Some(7)));
        wake_up.expire(at(5), Some(at(9)), &mut woken);
        assert_eq!((wake_up.alarm(), &woken), (Some(at(6)), &vec![]));
        wake_up.expire(at(6), None, &mut woken);
        assert_eq!((wake_up.alarm(), woken), (None, vec![8]));
    }
}
