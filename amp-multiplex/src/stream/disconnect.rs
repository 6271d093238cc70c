use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use amp_core::error::codes;
use amp_core::extension::{CallExt, EventKind, Events};
use amp_core::{CallError, CloseReason, Connection};
use tokio::time::{Instant, sleep};
use tracing::Level;

use super::shared::Streams;
use crate::commands::{Disconnect, ExtraKey, Id};
use crate::error::StreamError;

const UNANSWERED: EventKind = EventKind::new(Level::WARN, "Disconnects not answered in time");

/// Pause before a Disconnect is sent again to a peer that is busy.
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// Sends a Disconnect and waits until the peer knows. Once it is sent, the wait keeps no connection open. Returns an error for
/// the close of one direction if the peer has not received all bytes that were sent before it.
pub(super) async fn send_disconnect(
    streams: &Arc<Streams>,
    connection: Connection,
    id: &Id,
    half: ExtraKey<bool>,
    cut: ExtraKey<bool>,
) -> Result<(), StreamError> {
    let limit = || streams.settings().disconnect_timeout;
    let weak = connection.downgrade();
    let (mut connection, mut busy_since) = (Some(connection), None);
    loop {
        let Some(open) = connection.take().or_else(|| weak.upgrade()) else {
            return Err(CloseReason::Closed.into());
        };
        let mut call = open.call(Disconnect { connection: id.clone(), half, cut }).timeout(limit()).uncounted();
        drop(open);
        poll_fn(|cx| call.poll_sent(cx)).await?;
        // The futures awaited below are not alive while this one is, which keeps the task small: there is one for each end of a
        // stream.
        match call.weak().await {
            Err(CallError::Connection { reason, .. }) => return Err(reason.into()),
            // A peer that is always busy has no more time than a silent one.
            Err(CallError::Remote { code, .. }) if code == codes::BUSY => {
                // On the heap, as the pause is: there is a task for each end of a stream, and few wait here.
                if busy_since.get_or_insert_with(|| Box::new(Instant::now())).elapsed() >= limit() {
                    return Err(StreamError::Timeout);
                }
                Box::pin(sleep(BUSY_PAUSE)).await;
            }
            Err(CallError::Timeout { .. }) => {
                if let Some(connection) = weak.upgrade() {
                    Events::of(&connection).tell(UNANSWERED, |peer, omitted| {
                        let what = "the peer has not answered a Disconnect in time";
                        tracing::warn!(%peer, omitted, "{what}; see `StreamSettings::disconnect_timeout`");
                    });
                }
                return Err(StreamError::Timeout);
            }
            Err(CallError::Declared(error)) if half.0 == Some(true) => return Err(CallError::Declared(error).into()),
            // Any other answer shows that it knows.
            _ => return Ok(()),
        }
    }
}
