use std::fmt;
use std::sync::Arc;

use crate::connection::extension::{Extension, Extensions};
use crate::connection::{ConnectionBuilder, NewConnection, States};
use crate::escaped::Escaped;
use crate::locator::Locator;

/// Parts that a server sets up for one connection: its locator, its state and its extensions.
///
/// A server's closure returns one, or a [`Locator`] where no more is needed. State and extensions belong to this connection only;
/// [`ServerBuilder::state`](super::ServerBuilder::state) and [`ServerBuilder::extension`](super::ServerBuilder::extension) add
/// those of all connections.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::server::Session;
/// use amp::{Peer, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// // Responders get the number as `State<u16>`.
/// let server = Server::builder()
///     .bind_tcp("127.0.0.1:0", |new| {
///         let port = match new.peer() {
///             Peer::Tcp { address } => address.port(),
///             _ => 0,
///         };
///         Session::new(()).state(port)
///     })
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a session does nothing until a server's closure returns it"]
pub struct Session {
    locator: Arc<dyn Locator>,
    states: States,
    extensions: Extensions,
}

impl Session {
    /// A session whose commands `locator` answers.
    pub fn new(locator: impl Locator) -> Self {
        Self { locator: Arc::new(locator), states: States::default(), extensions: Extensions::default() }
    }

    /// Sets a value of the user's own, which the responders of this connection receive as [`State<T>`](crate::State). One of each
    /// type: it replaces the [server's](super::ServerBuilder::state).
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.shared_state(Arc::new(value))
    }

    /// As [`state`](Self::state), for a value that others hold too.
    pub fn shared_state<T: Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.states.set(value);
        self
    }

    /// Adds a protocol that rides beside the commands; see [`ConnectionBuilder::extension`].
    pub fn extension(mut self, extension: impl Extension) -> Self {
        self.extensions.add(Arc::new(extension));
        self
    }

    /// Configures a builder for the session's connection.
    pub(super) fn set_up(self, builder: ConnectionBuilder) -> ConnectionBuilder {
        builder.locator(self.locator).states(self.states).extensions(self.extensions)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("extensions", &self.extensions).finish_non_exhaustive()
    }
}

/// A peer that a server does not serve, and why.
///
/// A server's closure returns it in place of a session. The reason is logged at `WARN`, on one line and cut after 512 characters.
/// Of very many refusals only some are logged, with the number of the others. `?` converts any error into it, with the error's text as
/// the reason.
///
/// The peer is not told the reason: its transport is closed, and nothing is sent. A client connects all the same, and its first call fails
/// with [`CallError::Connection`](crate::CallError::Connection), whose reason is [`ClosedByPeer`](crate::CloseReason::ClosedByPeer) or an
/// [`Io`](crate::CloseReason::Io) of a reset. [`was_sent`](crate::CallError::was_sent) may be true although nothing was begun. To say
/// more, accept the peer and answer its log-in with a declared error.
///
/// ```no_run
/// # extern crate amp_core as amp;
/// # async fn example() -> std::io::Result<()> {
/// use amp::{Peer, Server};
/// use amp::server::Refused;
///
/// let server = Server::builder()
///     .bind_tcp("0.0.0.0:1234", |new| match new.peer() {
///         Peer::Tcp { address } if address.ip().is_loopback() => Ok(()),
///         _ => Err(Refused::new("only from this machine")),
///     })
///     .await?;
///
/// let agents = Server::builder().bind_unix("/run/agents.sock", |new| {
///     let Peer::Unix { credentials: Some(credentials), .. } = new.peer() else {
///         return Err(Refused::new("without credentials"));
///     };
///     match credentials.user {
///         0 | 1000 => Ok(()),
///         user => Err(Refused::new(format!("user {user} is not an agent"))),
///     }
/// })?;
/// # drop((server, agents));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a peer is refused when a server's closure returns it"]
pub struct Refused {
    reason: String,
}

impl Refused {
    /// Refuses a peer for a reason, which is logged.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self { reason: Escaped(reason).to_string() }
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }
}

impl<E: std::error::Error> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

/// The return value of a server's closure: a [`Locator`], a [`Session`], or a `Result` of one of them and [`Refused`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what a connection answers",
    label = "neither a locator nor a `Session`",
    note = "a trait `Calculator` with `#[responder]` has a `CalculatorLocator::new(..)` that makes a locator of its implementors",
    note = "a type whose `impl` block has `#[responder]` becomes one with `.into_locator()`",
    note = "the closure is not asynchronous; it refuses a peer with `Err(server::Refused::new(\"why\"))`"
)]
pub trait IntoSession: 'static {
    /// Converts it into the session of one connection.
    ///
    /// # Errors
    /// If the peer is refused: its transport is closed at once, and there is no connection.
    fn into_session(self) -> Result<Session, Refused>;
}

impl IntoSession for Session {
    fn into_session(self) -> Result<Session, Refused> {
        Ok(self)
    }
}

impl<L: Locator> IntoSession for L {
    fn into_session(self) -> Result<Session, Refused> {
        Ok(Session::new(self))
    }
}

impl<S: IntoSession> IntoSession for Result<S, Refused> {
    fn into_session(self) -> Result<Session, Refused> {
        self?.into_session()
    }
}

/// A closure that makes the session of each connection of a server, from its peer and a handle of it.
///
/// Every `Fn(&NewConnection) -> impl IntoSession` is one; the trait is not implemented by hand.
#[diagnostic::on_unimplemented(
    message = "a server takes a closure that makes a session for each connection, not `{Self}`",
    label = "not such a closure",
    note = "write `move |_new| locator.clone()` for one locator that all connections share (an `Arc` of a locator is one, too)",
    note = "write `|new| Service::new(new.peer()).into_locator()` for a locator of each connection's own",
    note = "what the closure captures is `Send + Sync + 'static`: an `Arc`, a `Mutex`, an atomic, and no `Rc`, `RefCell` or `Cell`"
)]
pub trait MakeSession<S>: Fn(&NewConnection) -> S + Send + Sync + 'static {}

// Without the hint the compiler would ask for a `Fn(&NewConnection)` and not for what stands above.
#[diagnostic::do_not_recommend]
impl<M: Fn(&NewConnection) -> S + Send + Sync + 'static, S> MakeSession<S> for M {}
