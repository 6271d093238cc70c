use std::future::poll_fn;
use std::io::ErrorKind;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::Sleep;

use super::any_transport::Transport;
use super::clock::now;
use super::responders::Responders;
use super::shared::Shared;
use super::writer::Writer;
use crate::reason::CloseReason;

/// Tells everybody that the connection has ended, however the driver ends.
pub(super) struct EndGuard(pub(super) Arc<Shared>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.end(CloseReason::DriverDropped);
        // What is still queued must not live as long as the handles.
        drop(self.0.seal());
        self.0.announce_end();
        self.0.transport_closed(Some(CloseReason::DriverDropped));
        self.0.ended.send_modify(|ended| ended.finished = true);
    }
}

/// Lets the responders finish that go on although the connection is over, for as long as they may.
pub(super) async fn finish(mut responders: Responders, shared: Arc<Shared>) {
    let mut alarm: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx| {
        let until = shared.finishes_by(cx.waker());
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

/// Writes the last bytes, shuts the transport's writing down, and lets the peer read them: a socket that is closed with
/// unread bytes in it is reset, and the peer's unread answers with it. That takes no longer than `linger`.
///
/// # Errors
/// Why the last bytes are lost, as far as that is known here.
pub(super) async fn write_last<T: Transport>(
    mut transport: T,
    mut writer: Writer,
    at_end: bool,
    linger: Duration,
) -> Result<(), CloseReason> {
    let mut is_written = false;
    let written = tokio::time::timeout(linger, async {
        poll_fn(|cx| writer.poll_all(&mut transport, cx)).await?;
        is_written = true;
        // A failure of the shutdown says no more than what is read behind it.
        let _ = transport.shutdown().await;
        if at_end {
            return Ok(());
        }
        match tokio::io::copy(&mut transport, &mut tokio::io::sink()).await {
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => Err(error.into()),
            _ => Ok(()),
        }
    })
    .await;
    match written {
        Ok(written) => written,
        // A peer that has not ended its direction may still have read all.
        Err(_) if is_written => Ok(()),
        Err(_) => Err(CloseReason::Unwritten),
    }
}
