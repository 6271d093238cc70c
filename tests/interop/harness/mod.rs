//! What every test stands on: the Python environment, a Twisted process and raw sockets.

mod environment;
mod on;
mod raw;
mod recorder;
mod twisted;

use std::future::Future;
use std::time::Duration;

pub(crate) use environment::{generated, python};
pub(crate) use on::on;
pub(crate) use raw::{boxed, said_and_open, said_before_close, shown};
pub(crate) use recorder::Recorder;
pub(crate) use twisted::{CHILD, Served, Twisted};

/// Long enough for a busy machine: it ends what hangs and measures nothing.
const PATIENCE: Duration = Duration::from_secs(120);

/// Returns the output of the future. Panics if it hangs.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(PATIENCE, future).await.expect("this should have come to an end long ago")
}
