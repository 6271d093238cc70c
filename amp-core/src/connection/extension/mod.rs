//! Extensions: protocols that ride beside the commands of a connection, such as streams. For authors of such protocols.
//!
//! An [`Extension`] is passed to a [`ConnectionBuilder`](crate::connection::ConnectionBuilder::extension), a
//! [`ServerBuilder`](crate::server::ServerBuilder::extension) or a [`Session`](crate::server::Session::extension). It is attached
//! to each connection once, before anything is read, and makes the [`Handler`] of that connection, which settles the asks for the
//! commands that the extension claims: before locators, layers and limits. It sends by a [`Sender`], whose commands have room of
//! their own in the outbound buffer and take no place among the calls, and receives the replies to them by a [`ReplySink`].
//!
//! A handler may add [`Keys`] to the boxes of its connection and see those of received boxes. Values see their connection by
//! [`RawValue::context`](crate::value::RawValue::context) and [`ValueWriter::context`](crate::value::ValueWriter::context).
//! [`RunningAsks`] finds the peer's running asks by the peer's tags.
//!
//! It may also replace the transport behind a box, as `StartTLS` does ([`Upgrade`]), and attach objects that the transport
//! carries beside the bytes to a box ([`Sender::poll_send_attached`], [`AttachedWrite`]).
//!
//! # Stability
//! This module makes no promise of semantic versioning: any release may change it. A crate that implements a protocol depends
//! on `amp-core` with an exact version (`=0.1.0`), as `amp-multiplex` does.

mod attaching;
mod call_ext;
mod claims;
mod close_guard;
mod keys;
mod logging;
mod reply;
mod running;
mod sender;
mod upgrade;

use std::fmt;
use std::sync::Arc;

pub use attaching::BuilderExt;
pub use call_ext::CallExt;
pub use claims::Handler;
pub use close_guard::CloseGuard;
pub use keys::Keys;
pub use reply::PendingReply;
pub use running::RunningAsks;
pub use sender::Sender;
pub use upgrade::Upgrade;

pub use super::any_transport::{AttachedWrite, BoxedTransport};
pub use super::replacement::PreviousTransport;
pub use super::sink::{Delivery, ReplySink, SentTag};
pub use crate::events::{Chain, EventKind, EventLimit, Events, Omitted};
pub use crate::panics::catch_panic;
pub use crate::proto::Attachment;

pub(super) use claims::Claims;

pub use crate::packet::SentBox;

use super::{Connection, WeakConnection};
use crate::reason::CloseReason;
use crate::schema::CommandDeclaration;
use claims::{Claim, Names};

/// A protocol that rides beside the commands of connections.
///
/// It holds the common parts of all its connections, such as a configuration, so that a builder which is cloned, or used again
/// after a connection was lost, makes independent connections. The parts of one connection are in the [`Handler`] that it makes
/// for that connection.
pub trait Extension: Send + Sync + 'static {
    /// The commands that it claims. A locator never sees them.
    fn commands(&self) -> Vec<CommandDeclaration>;

    /// Whether a task is most often spawned for a command that it claims, by its place in the list. A turn of a connection handles fewer of
    /// these: hundreds of tasks at once would hold up other connections.
    fn starts_task(&self, command: usize) -> bool {
        _ = command;
        false
    }

    /// Makes what handles the claimed commands on `connection`. It runs once for each connection, before anything is read, and
    /// while the connection has a handle: [`upgrade`](WeakConnection::upgrade) returns one, for
    /// [`on_end`](crate::Connection::on_end) and [`set_state`](crate::Connection::set_state).
    ///
    /// The handler lives as long as the connection is driven. It keeps the weak handle, because a strong one would keep the
    /// connection open.
    fn attach(&self, connection: WeakConnection) -> Arc<dyn Handler>;
}

impl<E: Extension + ?Sized> Extension for Arc<E> {
    fn commands(&self) -> Vec<CommandDeclaration> {
        (**self).commands()
    }

    fn starts_task(&self, command: usize) -> bool {
        (**self).starts_task(command)
    }

    fn attach(&self, connection: WeakConnection) -> Arc<dyn Handler> {
        (**self).attach(connection)
    }
}

/// The extensions of connections that are yet to be made, and the commands that they claim.
#[derive(Clone, Default)]
pub(crate) struct Extensions {
    list: Vec<Arc<dyn Extension>>,
    names: Names,
    /// A command that two of them claim.
    claimed_twice: Option<&'static str>,
}

impl Extensions {
    pub(crate) fn add(&mut self, extension: Arc<dyn Extension>) {
        for (command, CommandDeclaration { name, .. }) in extension.commands().into_iter().enumerate() {
            let starts_task = extension.starts_task(command);
            if !self.names.claim(name, Claim { extension: self.list.len(), command, starts_task }) {
                self.claimed_twice.get_or_insert(name);
            }
        }
        self.list.push(extension);
    }

    pub(crate) fn append(&mut self, others: Self) {
        others.list.into_iter().for_each(|extension| self.add(extension));
    }

    /// Attaches all of them to a connection.
    ///
    /// # Errors
    /// If two of them claim the same command. None is attached then.
    pub(super) fn attach(self, connection: &Connection) -> Result<Claims, CloseReason> {
        if let Some(command) = self.claimed_twice {
            return Err(CloseReason::ClaimedTwice { command });
        }
        let weak = connection.downgrade();
        let handlers = self.list.iter().map(|extension| extension.attach(weak.clone())).collect();
        Ok(Claims::new(self.names, handlers, &connection.shared.events))
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.names.fmt(f)
    }
}
