use std::future::poll_fn;
use std::sync::Arc;

use amp_core::Connection;
use tokio::task::JoinHandle;

use super::House;
use crate::commands::{Disconnect, Id};
use crate::error::StreamError;
use crate::outlet::Chunk;

/// The peer is being told of an end; gives whether it knows.
pub(crate) type Told = JoinHandle<Result<(), StreamError>>;

/// How streams end.
impl House {
    /// Tells the peer that a stream which was [left](Registry::leave) is over, after the last bytes that were written.
    pub(crate) fn say_goodbye(self: &Arc<Self>, connection: &Connection, id: Id, last: Option<Chunk>) -> Option<Told> {
        let (house, connection) = (Arc::clone(self), connection.clone());
        self.spawn(async move {
            if let Some(mut last) = last {
                // A connection that has ended is told nothing.
                let _ = poll_fn(|cx| last.call.poll_sent(cx)).await;
            }
            let told = disconnect(connection, id, None).await;
            house.registry().left(id);
            told
        })
    }

    /// Tells the peer that this end writes no more.
    pub(crate) fn say_half(&self, connection: &Connection, id: Id) -> Option<Told> {
        self.spawn(disconnect(connection.clone(), id, Some(true)))
    }
}

/// Done when the peer knows, whatever it answers. Once it is sent, the wait keeps no connection open.
async fn disconnect(connection: Connection, id: Id, half: Option<bool>) -> Result<(), StreamError> {
    let mut call = connection.call(Disconnect { connection: id, half }).no_timeout().uncounted();
    drop(connection);
    poll_fn(|cx| call.poll_sent(cx)).await?;
    match call.weak().await.map_err(StreamError::from) {
        Err(error @ StreamError::Connection(_)) => Err(error),
        _ => Ok(()),
    }
}
