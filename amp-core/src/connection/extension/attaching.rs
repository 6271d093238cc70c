use tokio::io::AsyncRead;

use crate::connection::any_transport::{Adapted, AttachedWrite};
use crate::connection::builder::ConnectionBuilder;
use crate::connection::handle::Connection;
use crate::peer::Peer;

/// Methods of a [`ConnectionBuilder`] for extensions.
pub trait BuilderExt: Sized {
    /// Runs the connection, as [`ConnectionBuilder::start`] does, over a transport that carries attachments.
    ///
    /// # Panics
    /// If called outside a tokio runtime with time enabled.
    #[track_caller]
    fn start_attaching<T>(self, transport: T, peer: Peer) -> Connection
    where
        T: AsyncRead + AttachedWrite + Send + 'static;
}

impl BuilderExt for ConnectionBuilder {
    #[track_caller]
    fn start_attaching<T>(self, transport: T, peer: Peer) -> Connection
    where
        T: AsyncRead + AttachedWrite + Send + 'static,
    {
        self.start_transport(Adapted::attaching(transport), peer)
    }
}
