use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::clock::{after, now};
use super::handle::Connection;
use super::shared::wake;
use crate::proto::TimerKey;
use crate::reason::CloseReason;

/// Completes when its time has come, or with the reason when the connection has ended before; see [`Connection::timer`].
///
/// # Cancel safety
/// Safe to drop.
#[must_use = "a timer does nothing until it is awaited"]
pub struct Timer {
    connection: Connection,
    at: Instant,
    key: Option<TimerKey>,
}

impl Connection {
    /// Returns a timer that the connection's driver fires, as it does for the deadlines of calls: it may be awaited where there
    /// is no tokio runtime. It does not keep the connection open.
    pub fn timer(&self, duration: Duration) -> Timer {
        Timer { connection: self.passive(), at: after(duration), key: None }
    }
}

impl Future for Timer {
    type Output = Result<(), CloseReason>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { connection, at, key } = &mut *self;
        let mut state = connection.shared.lock();
        if *at <= now() {
            return Poll::Ready(Ok(()));
        }
        if let Some(reason) = state.over() {
            return Poll::Ready(Err(reason.clone()));
        }
        let (waits, [before, driver]) = state.wait_until(*at, *key, cx.waker());
        *key = Some(waits);
        drop(state);
        drop(before);
        wake(driver);
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let waiter = self.key.and_then(|key| self.connection.shared.lock().leave_timer(key));
        drop(waiter);
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").field("at", &self.at).finish_non_exhaustive()
    }
}
