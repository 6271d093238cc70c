//! A time limit for what a test waits for.

use std::future::Future;
use std::panic::Location;
use std::time::Duration;

use tokio::time::timeout;

/// Default time limit of expectations, and the limit of [`soon`].
pub(super) const TIMEOUT: Duration = Duration::from_secs(60);

/// Returns the future's output, or fails the test if it takes more than a minute. In paused time it fails as soon as nothing else in the
/// program can go on.
///
/// # Panics
/// If it takes longer. The message has the caller's line and `what`.
///
/// # Cancel safety
/// That of the future.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::Connection;
/// use amp::testing::{soon, pair};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (one, other) = pair(Connection::builder(), Connection::builder());
/// one.close();
/// soon("the end of the other connection", other.closed()).await;
/// # }
/// ```
#[track_caller]
pub fn soon<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let at = Location::caller();
    async move {
        match timeout(TIMEOUT, future).await {
            Ok(output) => output,
            Err(_) => panic!("{at} {what}: not complete after {TIMEOUT:?}"),
        }
    }
}
