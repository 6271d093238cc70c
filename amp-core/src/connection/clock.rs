use std::time::{Duration, Instant};

/// Panics outside a runtime with time enabled, in tokio's words for it: else the first time limit would, long after the
/// mistake.
#[track_caller]
pub(crate) fn require_time() {
    drop(tokio::time::sleep(Duration::ZERO));
}

/// The runtime's time, which a test may have paused.
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The instant after `duration`; for one that the clock does not hold, an instant that nobody lives to see.
pub(super) fn after(duration: Duration) -> Instant {
    const DECADES: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    now().checked_add(duration).unwrap_or_else(|| now() + DECADES)
}
