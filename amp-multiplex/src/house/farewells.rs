use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use amp_core::extension::CallExt;
use amp_core::{CallError, CloseReason, Connection, codes};
use tokio::task::JoinHandle;

use super::House;
use crate::commands::{Disconnect, Id, Ours};
use crate::error::StreamError;

/// How long to wait before a peer that is busy is told again.
const PAUSE: Duration = Duration::from_millis(100);

/// The peer is being told of an end; gives whether it knows.
pub(crate) type Told = JoinHandle<Result<(), StreamError>>;

/// How streams end.
impl House {
    /// Tells the peer that a stream which was [left](crate::machine::Registry::leave) is over. What is `kept` lives until the
    /// peer knows.
    pub(crate) fn say_goodbye<T: Send + 'static>(self: &Arc<Self>, id: Id, kept: T, cut: bool) -> Option<Told> {
        let Ok(connection) = self.connection() else {
            // There is nobody to tell.
            self.registry().left(&id);
            return None;
        };
        let house = Arc::clone(self);
        self.spawn(async move {
            let told = tell(connection, &id, Ours(None), Ours(cut.then_some(true))).await;
            house.registry().left(&id);
            drop(kept);
            told
        })
    }

    /// Tells the peer that this end writes no more.
    pub(crate) fn say_half(&self, connection: &Connection, id: Id) -> Option<Told> {
        let connection = connection.clone();
        self.spawn(async move { tell(connection, &id, Ours(Some(true)), Ours(None)).await })
    }
}

/// Done when the peer knows. Once it is sent, the wait keeps no connection open. An error for the end of one direction when the
/// peer has not, or not all, of what was written before it.
async fn tell(connection: Connection, id: &Id, half: Ours<bool>, cut: Ours<bool>) -> Result<(), StreamError> {
    let weak = connection.downgrade();
    let mut connection = Some(connection);
    loop {
        let Some(open) = connection.take().or_else(|| weak.upgrade()) else {
            return Err(CloseReason::Closed.into());
        };
        let mut call = open.call(Disconnect { connection: id.clone(), half, cut }).no_timeout().uncounted();
        drop(open);
        poll_fn(|cx| call.poll_sent(cx)).await?;
        // What is awaited below is no part of the task while this is: there is one for each end of a stream.
        let answer = call.weak().await;
        match answer {
            Err(CallError::Connection { reason, .. }) => return Err(reason.into()),
            Err(CallError::Remote { code, .. }) if code == codes::BUSY => tokio::time::sleep(PAUSE).await,
            Err(CallError::Declared(error)) if half.0 == Some(true) => return Err(CallError::Declared(error).into()),
            // Whatever else it answers, it knows.
            _ => return Ok(()),
        }
    }
}
