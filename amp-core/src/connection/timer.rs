use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::alarms::Alarm;
use super::state::Phase;
use super::{Connection, after, now};
use crate::reason::CloseReason;

/// Done when its time has come, or with the reason when the connection has ended before; see [`Connection::timer`].
///
/// # Cancel safety
/// Dropping it costs nothing.
#[must_use = "a timer does nothing until it is awaited"]
pub struct Timer {
    connection: Connection,
    at: Instant,
    alarm: Option<Alarm>,
}

impl Connection {
    /// A timer that the connection's driver rings, as it does for the deadlines of calls: it may be awaited where there is no
    /// tokio runtime. It does not keep the connection open.
    pub fn timer(&self, duration: Duration) -> Timer {
        Timer { connection: self.uncounted(), at: after(duration), alarm: None }
    }
}

impl Future for Timer {
    type Output = Result<(), CloseReason>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { connection, at, alarm } = &mut *self;
        let mut state = connection.shared.lock();
        if *at <= now() {
            return Poll::Ready(Ok(()));
        }
        if let Phase::Over(reason) = &state.phase {
            return Poll::Ready(Err(reason.clone()));
        }
        let (waits, before) = state.alarms.wait(*alarm, *at, cx.waker());
        *alarm = Some(waits);
        let sooner = state.set_alarm(*at);
        connection.shared.wake_driver_for(state, sooner);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let waiter = self.alarm.and_then(|alarm| self.connection.shared.lock().alarms.leave(alarm));
        drop(waiter);
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("at", &self.at).finish_non_exhaustive()
    }
}
