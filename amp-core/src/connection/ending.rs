use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::shared::Shared;
use super::state::EndListener;
use crate::reason::CloseReason;
use crate::responder::Answering;

/// Tells everybody that the connection has ended, however the driver ends.
pub(super) struct Latch(pub(super) Arc<Shared>);

impl Shared {
    /// Runs `listener` when the connection has ended: now, if that was before.
    pub(super) fn on_end(&self, listener: EndListener) {
        let mut state = self.lock();
        match &mut state.end_listeners {
            Some(listeners) => listeners.push(listener),
            None => {
                drop(state);
                self.run_end_listeners([listener]);
            }
        }
    }

    /// Runs what waits for the end of the connection, once: nothing more is received.
    pub(super) fn announce_end(&self) {
        let listeners = self.lock().end_listeners.take();
        self.run_end_listeners(listeners.into_iter().flatten());
    }

    /// Never under the lock: a listener may use the connection.
    fn run_end_listeners(&self, listeners: impl IntoIterator<Item = EndListener>) {
        let reason = self.over().unwrap_or(CloseReason::DriverDropped);
        for listener in listeners {
            if catch_unwind(AssertUnwindSafe(|| listener(&reason))).is_err() {
                tracing::error!("a listener for the end of a connection panicked");
            }
        }
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        self.0.end(CloseReason::DriverDropped);
        self.0.announce_end();
        let reason = self.0.over();
        self.0.switch.stop(reason.as_ref().unwrap_or(&CloseReason::DriverDropped));
        self.0.ended.send_replace(reason);
    }
}

/// Writes the last bytes, says that they were the last, and lets the peer read them: a socket that is closed with
/// unread bytes in it is reset, and the peer's unread answers with it.
pub(super) async fn part<T: AsyncRead + AsyncWrite + Unpin>(
    mut transport: T,
    last: &[u8],
    at_end: bool,
) -> std::io::Result<()> {
    transport.write_all(last).await?;
    transport.shutdown().await?;
    if !at_end {
        tokio::io::copy(&mut transport, &mut tokio::io::sink()).await?;
    }
    Ok(())
}
