use std::future::poll_fn;
use std::sync::Arc;

use amp_core::Connection;
use tokio::task::JoinHandle;

use super::{House, PATIENCE};
use crate::commands::{Disconnect, Id};
use crate::outlet::Chunk;

/// How streams end.
impl House {
    /// Tells the peer that a stream which was [left](Registry::leave) is over, after the last bytes that were written.
    pub(crate) fn say_goodbye(
        self: &Arc<Self>,
        connection: &Connection,
        id: Id,
        last: Option<Chunk>,
    ) -> Option<JoinHandle<()>> {
        let (house, connection) = (Arc::clone(self), connection.clone());
        self.spawn(async move {
            if let Some(mut last) = last {
                // A connection that has ended is told nothing.
                let _ = poll_fn(|cx| last.call.poll_sent(cx)).await;
            }
            disconnect(&connection, id, None).await;
            house.registry().left(id);
        })
    }

    /// Tells the peer that this end writes no more.
    pub(crate) fn say_half(&self, connection: &Connection, id: Id) -> Option<JoinHandle<()>> {
        let connection = connection.clone();
        self.spawn(async move { disconnect(&connection, id, Some(true)).await })
    }
}

/// Done when the peer knows, whatever it answers, or has had its time.
async fn disconnect(connection: &Connection, id: Id, half: Option<bool>) {
    let mut call = connection.call(Disconnect { connection: id, half }).no_timeout().uncounted();
    if poll_fn(|cx| call.poll_sent(cx)).await.is_ok() {
        let _ = tokio::time::timeout(PATIENCE, call).await;
    }
}
