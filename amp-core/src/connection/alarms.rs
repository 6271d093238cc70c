use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Instant;

/// Who is to be woken at an instant. The driver does it, whose runtime has the one timer: whoever waits may be polled where there
/// is none.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    waiting: BTreeMap<Alarm, Waker>,
    next: u64,
}

/// An instant, and who waits for it.
pub(super) type Alarm = (Instant, u64);

impl Alarms {
    /// Waits on, or begins to wait for `at`. Gives what to wait on with, and the waker that was there before: it is to be
    /// dropped under no lock.
    pub(super) fn wait(&mut self, alarm: Option<Alarm>, at: Instant, waker: &Waker) -> (Alarm, Option<Waker>) {
        let alarm = alarm.unwrap_or_else(|| {
            self.next += 1;
            (at, self.next)
        });
        let same = self.waiting.get(&alarm).is_some_and(|before| before.will_wake(waker));
        (alarm, if same { None } else { self.waiting.insert(alarm, waker.clone()) })
    }

    /// Waits no more. Gives the waker, which is to be dropped under no lock.
    pub(super) fn leave(&mut self, alarm: Alarm) -> Option<Waker> {
        self.waiting.remove(&alarm)
    }

    /// Hands out who waits for what is not later than `now`, and says when the next one is due.
    pub(super) fn expire(&mut self, now: Instant, mut wake: impl FnMut(Waker)) -> Option<Instant> {
        while let Some(first) = self.waiting.first_entry() {
            let (at, _) = *first.key();
            if at > now {
                return Some(at);
            }
            wake(first.remove());
        }
        None
    }

    /// Lets everybody go.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.waiting).into_values()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_waits_is_woken_in_the_order_of_time_and_once() {
        let (mut alarms, start) = (Alarms::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let (late, _) = alarms.wait(None, at(3), Waker::noop());
        let (left, _) = alarms.wait(None, at(1), Waker::noop());
        alarms.wait(None, at(1), Waker::noop());
        assert_eq!(alarms.wait(Some(late), at(3), Waker::noop()).0, late);
        assert!(alarms.leave(left).is_some() && alarms.leave(left).is_none());
        let mut woken = 0;
        assert_eq!(alarms.expire(at(2), |_| woken += 1), Some(at(3)));
        assert_eq!((woken, alarms.expire(at(3), |_| woken += 1)), (1, None));
        assert_eq!(woken, 2);
    }
}
