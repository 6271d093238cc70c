use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use super::accept::{Lifecycle, Stage};
use super::roster::Roster;
use crate::memory::Pool;

/// Accepts connections until it is closed or dropped. Cheap to hold: the work is done in tasks of its own.
///
/// Dropping it closes its connections gracefully, as [`close`](Self::close) does: keep it for as long as it is to serve.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// # extern crate amp_core as amp;
/// use amp::Server;
///
/// let server = Server::builder().bind_tcp("127.0.0.1:0", |_| ()).await?;
/// println!("listening on {:?}", server.local_addr());
/// server.close();
/// server.closed().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping a server closes it"]
pub struct Server {
    lifecycle: Lifecycle,
    roster: Arc<Roster>,
    memory: Arc<Pool>,
    local: Option<SocketAddr>,
}

impl Server {
    pub(super) fn new(lifecycle: Lifecycle, roster: Arc<Roster>, memory: Arc<Pool>, local: Option<SocketAddr>) -> Self {
        Self { lifecycle, roster, memory, local }
    }

    /// The address that [`bind_tcp`](super::ServerBuilder::bind_tcp) bound, with the port that the system chose for port 0.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }

    /// Returns the number of connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.roster.connections()
    }

    /// Returns how many connections were refused since the server began: because of a limit, for lack of descriptors, or by the
    /// closure that sees each peer. Connections that were ended to make room for another count, too.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.roster.refused()
    }

    /// Returns how many bytes its connections hold on behalf of their peers, of [`max_memory`](super::ServerBuilder::max_memory).
    /// They are counted in steps of 8 KiB, and the first step of each kind is not counted: a server with only idle connections
    /// returns 0.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.memory.reserved()
    }

    /// Begins to close. Nothing more is accepted, and every connection is closed as by
    /// [`Connection::close`](crate::Connection::close): running responders may finish within
    /// [`close_timeout`](crate::Settings::close_timeout). [`closed`](Self::closed) waits until all of this has ended.
    pub fn close(&self) {
        self.lifecycle.advance(Stage::Closing);
    }

    /// Waits until the server was closed and its last connection has ended. It returns no reason: each connection has its own.
    ///
    /// # Cancel safety
    /// Safe to drop and to call again.
    pub async fn closed(&self) {
        self.lifecycle.reached(Stage::Ended).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local", &self.local).field("connections", &self.connections()).finish()
    }
}
