use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use amp_core::extension::CallExt;
use amp_core::{Call, CallError, CloseReason, Connection, WeakConnection, codes};
use tokio::time::{Instant, sleep, timeout};

use super::shared::Streams;
use crate::commands::Disconnect;
use crate::error::StreamError;

/// How long to wait before a Disconnect is sent again to a peer that is busy.
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// Sends a Disconnect and waits until the peer knows. Once it is sent, the wait keeps no connection open. An error for the close of
/// one direction when the peer has not got all that was sent before it.
pub(super) async fn send_disconnect(
    streams: &Arc<Streams>,
    connection: Connection,
    command: Disconnect,
) -> Result<(), StreamError> {
    let limit = streams.settings().disconnect_timeout;
    let weak = connection.downgrade();
    let (mut connection, mut busy_since) = (Some(connection), None);
    let Disconnect { connection: id, half, cut } = command;
    loop {
        let Some(open) = connection.take().or_else(|| weak.upgrade()) else {
            return Err(CloseReason::Closed.into());
        };
        let mut call = open.call(Disconnect { connection: id.clone(), half, cut }).no_timeout().uncounted();
        drop(open);
        poll_fn(|cx| call.poll_sent(cx)).await?;
        // What is awaited below is no part of the task while this is: there is one for each end of a stream.
        let mut call = call.weak();
        let Ok(answer) = timeout(limit, &mut call).await else {
            await_overdue(streams, call, &weak);
            return Err(StreamError::Timeout);
        };
        match answer {
            Err(CallError::Connection { reason, .. }) => return Err(reason.into()),
            Err(CallError::Remote { code, .. }) if code == codes::BUSY => {
                // A peer that is always busy has no more time than one that says nothing.
                if busy_since.get_or_insert_with(Instant::now).elapsed() >= limit {
                    return Err(StreamError::Timeout);
                }
                sleep(BUSY_PAUSE).await;
            }
            Err(CallError::Declared(error)) if half.0 == Some(true) => return Err(CallError::Declared(error).into()),
            // Whatever else it answers, it knows.
            _ => return Ok(()),
        }
    }
}

/// Counts one whose time is over until it is answered all the same: so a slow peer is told from a silent one.
#[cold]
fn await_overdue(streams: &Arc<Streams>, call: Call<Disconnect>, connection: &WeakConnection) {
    streams.unanswered().add(connection);
    let owner = Arc::clone(streams);
    streams.spawn(async move {
        drop(call.await);
        owner.unanswered().remove();
    });
}
