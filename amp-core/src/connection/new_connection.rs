use std::fmt;

use super::weak::WeakConnection;
use crate::peer::Peer;

/// A connection that is being set up: the argument of a server's closure and of
/// [`locator_with`](super::ConnectionBuilder::locator_with).
///
/// What is made from it may hold the peer and a handle, so that commands need no exposed fields for them. The same object serves
/// at either end:
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp::locator::{Ask, Located, Locator};
/// use amp::connection::{NewConnection, WeakConnection};
/// use amp::{Connection, Peer, Server};
///
/// /// What is known of one connection, from its first command to its end. Its commands are methods.
/// struct HubSession {
///     peer: Peer,
///     connection: WeakConnection,
/// }
/// # impl Locator for HubSession {
/// #     fn locate(&self, ask: Ask) -> Located {
/// #         ().locate(ask)
/// #     }
/// # }
///
/// impl HubSession {
///     fn new(new: &NewConnection) -> Self {
///         Self { peer: new.peer().clone(), connection: new.connection().clone() }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let server = Server::builder().bind_tcp("127.0.0.1:0", HubSession::new).await?;
/// let client = Connection::builder().locator_with(HubSession::new);
/// # Ok(())
/// # }
/// ```
pub struct NewConnection {
    peer: Peer,
    connection: WeakConnection,
}

impl NewConnection {
    pub(super) fn new(peer: Peer, connection: WeakConnection) -> Self {
        Self { peer, connection }
    }

    /// The connected peer.
    #[must_use]
    pub fn peer(&self) -> &Peer {
        &self.peer
    }

    /// A weak handle, which does not keep the connection open. There is no connection before the closure has returned: until
    /// then, and for good if a server's closure refuses the peer, [`upgrade`](WeakConnection::upgrade) returns `None`.
    ///
    /// Unlike an exposed `Connection`, it belongs to no ask. A call through it is a callback only while a responder is polled. In a task
    /// that a responder has spawned and waits for, it is an ordinary call: it waits for a place among
    /// [`max_calls`](crate::Settings::max_calls), which the calls may hold that wait for this responder at the other end. There use the
    /// exposed handle.
    #[must_use]
    pub fn connection(&self) -> &WeakConnection {
        &self.connection
    }
}

impl fmt::Debug for NewConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewConnection").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// A closure that makes the locator of each connection, from its peer and a handle of it: the argument of
/// [`locator_with`](super::ConnectionBuilder::locator_with).
///
/// Every `Fn(&NewConnection) -> impl Locator` is one; the trait is not implemented by hand.
#[diagnostic::on_unimplemented(
    message = "`locator_with` takes a closure that makes a locator for each connection, not `{Self}`",
    label = "not such a closure",
    note = "write `.locator(..)` for one locator that all connections share",
    note = "write `.locator_with(|new| Service::new(new.peer()).into_locator())` for a locator of each connection's own",
    note = "what the closure captures is `Send + Sync + 'static`: an `Arc`, a `Mutex`, an atomic, and no `Rc`, `RefCell` or `Cell`"
)]
pub trait MakeLocator<L>: Fn(&NewConnection) -> L + Send + Sync + 'static {}

// Without the hint the compiler would ask for a `Fn(&NewConnection)` and not for what stands above.
#[diagnostic::do_not_recommend]
impl<M: Fn(&NewConnection) -> L + Send + Sync + 'static, L> MakeLocator<L> for M {}
