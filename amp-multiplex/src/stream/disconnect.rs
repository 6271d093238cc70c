use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use amp_core::extension::{Delivery, ReplySink, Sender};
use amp_core::{Arguments, CallError, CloseReason, Connection, Reply, codes};
use tokio::sync::oneshot;
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
    let (weak, mut sender) = (connection.downgrade(), Sender::new(&connection));
    let (mut connection, mut give_up) = (Some(connection), None);
    loop {
        let Some(open) = connection.take().or_else(|| weak.upgrade()) else {
            return Err(CloseReason::Closed.into());
        };
        let (answered, answer) = oneshot::channel();
        let sink: Arc<dyn ReplySink> =
            Arc::new(PendingAnswer { streams: Arc::clone(streams), answered: Mutex::new(Some(answered)) });
        poll_fn(|cx| sender.poll_send::<Disconnect>(cx.waker(), &sink, |out| command.put_trailing(out))).await?;
        drop((open, sink));
        // A peer that is always busy has no more time than one that says nothing.
        let give_up = *give_up.get_or_insert_with(|| Instant::now() + limit);
        match timeout(limit, answer).await {
            Ok(Ok(Err(CallError::Connection { reason, .. }))) => return Err(reason.into()),
            Ok(Ok(Err(CallError::Remote { code, .. }))) if code == codes::BUSY => {
                if Instant::now() >= give_up {
                    return Err(StreamError::Timeout);
                }
                sleep(BUSY_PAUSE).await;
            }
            Ok(Ok(Err(CallError::Declared(error)))) if command.half.0 == Some(true) => {
                return Err(CallError::Declared(error).into());
            }
            // Whatever else it answers, it knows.
            Ok(Ok(_)) => return Ok(()),
            // The connection has lost the answer.
            Ok(Err(_)) => return Err(CloseReason::DriverDropped.into()),
            Err(_) => {
                streams.unanswered().add(&weak);
                return Err(StreamError::Timeout);
            }
        }
    }
}

/// Waits for the answer to a Disconnect: longer than whoever has sent it, so that it is known which have one.
struct PendingAnswer {
    streams: Arc<Streams>,
    answered: Mutex<Option<oneshot::Sender<Reply<Disconnect>>>>,
}

impl ReplySink for PendingAnswer {
    fn deliver(self: Arc<Self>, replies: &mut dyn Iterator<Item = Delivery>) {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(answered), Some(reply)) = (answered, replies.next())
            && answered.send(reply.into_reply::<Disconnect>()).is_err()
        {
            self.streams.unanswered().remove();
        }
    }
}
