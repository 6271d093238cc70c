//! The server: accepts connections and gives each a locator of its own. Imports `connection`.

mod builder;
mod house;
mod listener;
mod session;
mod unix;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::watch;

pub use builder::ServerBuilder;
pub use listener::Listener;
pub use session::{IntoSession, Session};
pub use unix::UnixSocket;

use house::{Stage, reached};

/// Accepts connections until it is closed or dropped. Cheap to hold; the work is in tasks of its own.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// # extern crate amp_core as amp;
/// use amp::Server;
///
/// let server = Server::builder().bind_tcp("127.0.0.1:0", |_peer| ()).await?;
/// println!("listening on {:?}", server.local_addr());
/// server.close();
/// server.closed().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "dropping a server closes it"]
pub struct Server {
    stage: watch::Sender<Stage>,
    live: Arc<AtomicUsize>,
    local: Option<SocketAddr>,
}

impl Server {
    /// Begins to set a server up.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }

    /// The address that [`bind_tcp`](ServerBuilder::bind_tcp) bound, with the port that the system chose for port 0.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// Begins to close: nothing more is accepted, and every connection is closed as by [`Connection::close`](crate::Connection::close), so what
    /// runs may finish within [`close_timeout`](crate::Settings::close_timeout). [`closed`](Self::closed) tells when it is done.
    pub fn close(&self) {
        self.stage.send_if_modified(|stage| {
            let open = *stage == Stage::Accepting;
            if open {
                *stage = Stage::Closing;
            }
            open
        });
    }

    /// Waits until the server was closed and its last connection has ended.
    ///
    /// # Cancel safety
    /// Safe to drop and to call again.
    pub async fn closed(&self) {
        reached(self.stage.subscribe(), Stage::Closed).await;
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
