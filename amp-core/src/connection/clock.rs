use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

/// Panics outside a runtime with time enabled, with tokio's message: otherwise the first time limit would panic, long after the
/// mistake.
#[track_caller]
pub(crate) fn require_time() {
    drop(tokio::time::sleep(Duration::ZERO));
}

/// The runtime's time, which a test may have paused.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The instant after `duration`; if the clock cannot represent it, an instant in the far future.
pub(super) fn after(duration: Duration) -> Instant {
    const DECADES: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    now().checked_add(duration).unwrap_or_else(|| now() + DECADES)
}

/// A timer whose owner sets it at each poll. It costs nothing before the first one.
#[derive(Debug, Default)]
pub(super) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    /// Ready when the instant has come.
    pub(super) fn poll(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let at = at.into();
        let sleep = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}
