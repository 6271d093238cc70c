use std::future::poll_fn;
use std::io::ErrorKind;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::Sleep;

use super::now;
use super::responders::Responders;
use super::shared::Shared;
use super::state::EndListener;
use crate::panics::caught;
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

    /// Nothing more is received: tells the box receiver, and runs what waits for the end of the connection, once.
    pub(super) fn announce_end(&self) {
        self.switch.stop(&self.over().unwrap_or(CloseReason::DriverDropped));
        let listeners = self.lock().end_listeners.take();
        self.run_end_listeners(listeners.into_iter().flatten());
    }

    /// The transport is closed, and why the last bytes are lost, if they are. Returns why the connection has ended, which it does once.
    pub(super) fn transport_closed(&self, lost: Option<CloseReason>) -> CloseReason {
        let mut reason = self.over().unwrap_or(CloseReason::DriverDropped);
        // For whoever has only closed, all that was accepted would be said. Any other reason tells that it may not be.
        if matches!(reason, CloseReason::Closed)
            && let Some(lost) = lost
        {
            reason = lost;
        }
        self.ended.send_modify(|ended| {
            ended.reason.get_or_insert_with(|| reason.clone());
        });
        reason
    }

    /// Never under the lock: a listener may use the connection.
    fn run_end_listeners(&self, listeners: impl IntoIterator<Item = EndListener>) {
        let reason = self.over().unwrap_or(CloseReason::DriverDropped);
        for listener in listeners {
            if caught(AssertUnwindSafe(|| listener(&reason))).is_none() {
                tracing::error!("a listener for the end of a connection panicked");
            }
        }
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        self.0.end(CloseReason::DriverDropped);
        self.0.announce_end();
        self.0.transport_closed(Some(CloseReason::DriverDropped));
        self.0.ended.send_modify(|ended| ended.finished = true);
    }
}

/// Lets the responders finish that go on although the connection is over, for as long as they may.
pub(super) async fn finish(mut responders: Responders, shared: Arc<Shared>) {
    let mut alarm: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx| {
        let until = shared.finish_by(cx.waker());
        // What has no time left begins nothing either.
        if until <= now() || responders.poll_finish(cx).is_ready() {
            return Poll::Ready(());
        }
        let until = until.into();
        let alarm = alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if alarm.deadline() != until {
            alarm.as_mut().reset(until);
        }
        alarm.as_mut().poll(cx)
    })
    .await;
    let cut = responders.len();
    if cut > 0 {
        let (peer, timeout) = (&shared.peer, shared.settings.close_timeout);
        tracing::warn!(%peer, cut, ?timeout, "commands that had arrived were cut when the time for closing was over");
    }
}

/// Writes the last bytes, says that they were the last, and lets the peer read them: a socket that is closed with unread bytes in it
/// is reset, and the peer's unread answers with it. That takes no longer than `linger`.
///
/// # Errors
/// Why the last bytes are lost, as far as that is known here.
pub(super) async fn part<T: AsyncRead + AsyncWrite + Unpin>(
    mut transport: T,
    last: &[u8],
    at_end: bool,
    linger: Duration,
) -> Result<(), CloseReason> {
    let mut is_written = false;
    let parted = tokio::time::timeout(linger, async {
        transport.write_all(last).await?;
        transport.flush().await?;
        is_written = true;
        // Of a peer that is gone already, what follows tells enough.
        let _ = transport.shutdown().await;
        if at_end {
            return Ok(());
        }
        match tokio::io::copy(&mut transport, &mut tokio::io::sink()).await {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error),
            _ => Ok(()),
        }
    })
    .await;
    match parted {
        Ok(parted) => parted.map_err(CloseReason::from),
        // A peer that has not ended its direction may still have read all.
        Err(_) if is_written => Ok(()),
        Err(_) => Err(CloseReason::Unwritten),
    }
}
