use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Weak};

use tokio::io::{AsyncRead, AsyncWrite};

use super::any_transport::{Adapted, Transport};
use super::clock::require_time;
use super::decoders::Decoders;
use super::driver::Driver;
use super::ending::EndGuard;
use super::extension::{Claims, Extension, Extensions};
use super::handle::Connection;
use super::memory_holder::MemoryHolder;
use super::new_connection::{MakeLocator, NewConnection};
use super::reader::OnFirstBox;
use super::shared::Shared;
use super::states::States;
use super::weak::WeakConnection;
use crate::events::{EventKind, EventLimit, Events};
use crate::locator::Locator;
use crate::memory::{Account, Pool};
use crate::panics::install_hook;
use crate::peer::Peer;
use crate::reason::CloseReason;
use crate::schema::CommandDeclaration;
use crate::settings::Settings;

/// Configures a connection: its locator, its extensions and its limits. Cheap to clone.
///
/// # Logging
/// Events of a connection are logged by `tracing`. Nothing that a peer can cause is above `WARN`. An event of a kind is logged
/// once on a connection, and then once a minute; omitted events are counted, and their number is in the next line (`omitted`), or
/// in a line at the end of the connection. Over all connections of a builder and its clones, or of a server, there are at most 32
/// lines of a kind at once, and then one a second. Text that the peer chose is [escaped](crate::error::Escaped).
///
/// # Panics of responders
/// A panic of a responder, or of another piece of user code that the library runs, costs no more than the call that ran it, and
/// is logged with its command, its message and its place. Only a panic hook sees the place, so the first connection of a process
/// installs one in front of the existing hook, which is called as before. A program that later sets a hook of its own without
/// calling the previous one loses the place in these lines and nothing else.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// # extern crate amp_core as amp;
/// use amp::{Connection, Settings};
/// use std::time::Duration;
///
/// let settings = Settings::new().call_timeout(Duration::from_secs(30));
/// let connection = Connection::builder().settings(settings).connect_tcp("127.0.0.1:1234").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until it starts a connection"]
pub struct ConnectionBuilder {
    locator: LocatorSource,
    extensions: Extensions,
    states: States,
    settings: Settings,
    /// Pool that limits the memory of its connections together.
    memory: Option<Arc<Pool>>,
    /// Bounds the log lines of all connections of this builder and its clones.
    events: Arc<EventLimit>,
    /// Decodes their large asks.
    decoders: Decoders,
}

impl ConnectionBuilder {
    /// A connection that answers no commands, with the default settings.
    pub fn new() -> Self {
        Self {
            locator: LocatorSource::Made(Arc::new(())),
            extensions: Extensions::default(),
            states: States::default(),
            settings: Settings::default(),
            memory: None,
            events: Arc::default(),
            decoders: Decoders::default(),
        }
    }

    /// Sets the locator that answers the peer's commands.
    ///
    /// The commands that it [lists](Locator::commands) are looked at when a connection is made. If one has a
    /// [`Big`](crate::value::Big) whose maximum is over [`BoxLimits::bytes`](crate::wire::BoxLimits::bytes), that is a mistake in the
    /// program, and each connection of the builder has ended from the start with
    /// [`CloseReason::BoxLimitTooLow`](crate::CloseReason::BoxLimitTooLow).
    pub fn locator(mut self, locator: impl Locator) -> Self {
        self.locator = LocatorSource::Made(Arc::new(locator));
        self
    }

    /// Sets a function that makes the locator of each connection. It gets what a server's closure gets, the peer and a weak handle,
    /// and the locator may hold both, so that its responders call the peer back without an exposed field. It replaces the locator
    /// set by [`locator`](Self::locator), and the other way round.
    ///
    /// It runs once for each connection, while the connection is being made: the handle cannot be
    /// [upgraded](WeakConnection::upgrade) before the function has returned. It must not block.
    ///
    /// ```
    /// # extern crate amp_core as amp;
    /// # use amp::locator::{Ask, Located, Locator};
    /// use amp::Connection;
    /// use amp::connection::WeakConnection;
    ///
    /// /// An agent, whose commands are methods.
    /// struct Agent {
    ///     hub: WeakConnection,
    /// }
    /// # impl Locator for Agent {
    /// #     fn locate(&self, ask: Ask) -> Located {
    /// #         ().locate(ask)
    /// #     }
    /// # }
    ///
    /// let builder = Connection::builder().locator_with(|new| Agent { hub: new.connection().clone() });
    /// ```
    pub fn locator_with<L: Locator>(mut self, make: impl MakeLocator<L>) -> Self {
        self.locator = LocatorSource::Make(Arc::new(move |new| Arc::new(make(new))));
        self
    }

    /// Adds a protocol that rides beside the commands, such as streams. Its commands are handled before the locator and the
    /// limits of [`Settings`] see them.
    ///
    /// Each connection has its own part of the extension, so that a builder with extensions may be cloned and used again. Two
    /// extensions that claim the same command are a mistake in the program: neither is preferred, and each connection of the
    /// builder has ended from the start with [`CloseReason::ClaimedTwice`](crate::CloseReason::ClaimedTwice).
    pub fn extension(mut self, extension: impl Extension) -> Self {
        self.extensions.add(Arc::new(extension));
        self
    }

    /// Replaces each connection's locator by what `change` makes of it.
    #[cfg(feature = "testing")]
    pub(crate) fn map_locator(
        mut self,
        change: impl Fn(Arc<dyn Locator>) -> Arc<dyn Locator> + Send + Sync + 'static,
    ) -> Self {
        self.locator = self.locator.map(change);
        self
    }

    /// Adds values to those of [`state`](Self::state), and replaces those of the same type.
    pub(crate) fn states(mut self, states: States) -> Self {
        self.states.append(states);
        self
    }

    pub(crate) fn extensions(mut self, extensions: Extensions) -> Self {
        self.extensions.append(extensions);
        self
    }

    /// Adds a value of the user's own, exposed to responders as [`State<T>`](crate::State). One of each type.
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.shared_state(Arc::new(value))
    }

    /// As [`state`](Self::state), for a value that others hold too.
    pub fn shared_state<T: Send + Sync + 'static>(mut self, value: Arc<T>) -> Self {
        self.states.set(value);
        self
    }

    /// Sets the limits and other settings of the connection.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Counts the memory of a server's connections against a pool that they share, and has busy ones take turns.
    pub(crate) fn of_server(mut self, pool: Arc<Pool>) -> Self {
        self.memory = Some(pool);
        self.decoders = self.decoders.of_server();
        self
    }

    /// A builder of connections that are not served: their events are not logged. Their large asks are bounded together with
    /// those that this builder decodes.
    pub(crate) fn unserved(&self) -> Self {
        Self { events: Arc::new(EventLimit::silent()), decoders: self.decoders.clone(), ..Self::new() }
    }

    pub(crate) fn events(&self) -> &Arc<EventLimit> {
        &self.events
    }

    pub(super) fn settings_ref(&self) -> &Settings {
        &self.settings
    }

    /// Runs the connection over a byte stream, in a task of its own.
    ///
    /// Reading and writing are two directions that fail separately. After an error of a write, a flush or a shutdown, as after a
    /// write of zero bytes, nothing is written, flushed or shut down any more; reading continues for as long as
    /// [`linger`](crate::Settings::linger), because answers may have arrived. After a read error or the end of the input, nothing
    /// is read any more. A transport whose directions fail together must report that in both, as sockets and TLS streams do. A
    /// read that fails as [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof) is the end of the input.
    ///
    /// # Panics
    /// If called outside a tokio runtime with time enabled.
    #[track_caller]
    pub fn start<T>(self, transport: T, peer: Peer) -> Connection
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.start_transport(Adapted::plain(transport), peer)
    }

    #[track_caller]
    pub(super) fn start_transport(self, transport: impl Transport + 'static, peer: Peer) -> Connection {
        require_time();
        let (connection, driver) = self.build_over(transport, peer);
        tokio::spawn(driver);
        connection
    }

    /// Makes a connection whose driver the caller polls, on a tokio runtime with time enabled. The rules of
    /// [`start`](Self::start) for the transport apply here too.
    ///
    /// `build` itself may be called outside a runtime.
    pub fn build<T>(self, transport: T, peer: Peer) -> (Connection, Driver)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.build_over(Adapted::plain(transport), peer)
    }

    /// As [`build`](Self::build), for a server that waits for the first whole box. Unless `on_first_box` agrees, that box is not
    /// handled: the connection has ended.
    pub(crate) fn build_placed<T>(self, transport: T, peer: Peer, on_first_box: OnFirstBox) -> (Connection, Driver)
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let Ok(built) = self.build_session(transport, peer, on_first_box, infallibly);
        built
    }

    /// As [`build_placed`](Self::build_placed), with the builder that `set_up` makes from this one for the new connection.
    ///
    /// # Errors
    /// Those of `set_up`: there is no connection.
    pub(crate) fn build_session<T, E>(
        self,
        transport: T,
        peer: Peer,
        on_first_box: OnFirstBox,
        set_up: impl FnOnce(Self, &NewConnection) -> Result<Self, E>,
    ) -> Result<(Connection, Driver), E>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.build_with(Adapted::plain(transport), peer, Some(on_first_box), set_up)
    }

    fn build_over(self, transport: impl Transport + 'static, peer: Peer) -> (Connection, Driver) {
        let Ok(built) = self.build_with(transport, peer, None, infallibly);
        built
    }

    fn build_with<E>(
        self,
        transport: impl Transport + 'static,
        peer: Peer,
        on_first_box: Option<OnFirstBox>,
        set_up: impl FnOnce(Self, &NewConnection) -> Result<Self, E>,
    ) -> Result<(Connection, Driver), E> {
        install_hook();
        let mut attached = Ok(Extensions::default());
        let shared = Arc::new_cyclic(|shared: &Weak<Shared>| {
            let new = NewConnection::new(peer.clone(), WeakConnection::early(shared));
            // The connection cannot be undone from here: one that is refused is made without a session, and dropped.
            let builder = set_up(self, &new).unwrap_or_else(|error| {
                attached = Err(error);
                Self::new()
            });
            let Self { locator, states, settings, memory, events, decoders, extensions } = builder;
            if let Ok(attached) = &mut attached {
                *attached = extensions;
            }
            let locator = locator.make(&new);
            let events = Events::new(peer.clone(), events);
            let holder = MemoryHolder::new(Weak::<Shared>::clone(shared), events.clone());
            let account = Account::new(memory, Arc::clone(&holder) as _);
            Shared::new(settings, peer, locator, states, (account, holder), (events, &decoders))
        });
        let extensions = attached?;
        shared.lock().transport().set_carries(transport.carries());
        let connection = Connection::of(&shared);
        // From here on a panic, such as one of an extension, ends the connection for all its waiters.
        let guard = EndGuard(shared);
        let fits = fit_into_boxes(&*guard.0.locator, guard.0.settings.boxes.bytes);
        let claims = fits.and_then(|()| extensions.attach(&connection)).unwrap_or_else(|reason| {
            guard.0.events.tell(EventKind::CANNOT_BEGIN, |peer, omitted| {
                tracing::error!(%peer, omitted, %reason, "a connection cannot begin");
            });
            guard.0.end(reason);
            Claims::default()
        });
        if let Some(keys) = claims.keys() {
            guard.0.lock().sending().add_keys(keys);
        }
        Ok((connection, Driver::new(transport, guard, claims, on_first_box)))
    }
}

/// Sets nothing more up.
fn infallibly(builder: ConnectionBuilder, _: &NewConnection) -> Result<ConnectionBuilder, Infallible> {
    Ok(builder)
}

/// Checks that a box has room for each value over several keys that the locator's commands declare.
fn fit_into_boxes(locator: &dyn Locator, limit: usize) -> Result<(), CloseReason> {
    let too_long = |command: CommandDeclaration| command.field_over(limit).map(|field| (command.name, field));
    match locator.commands().into_iter().find_map(too_long) {
        None => Ok(()),
        Some((command, (field, maximum))) => Err(CloseReason::BoxLimitTooLow { command, field, maximum, limit }),
    }
}

type MakeWith = dyn Fn(&NewConnection) -> Arc<dyn Locator> + Send + Sync;

/// The source of each connection's locator.
#[derive(Clone)]
enum LocatorSource {
    Made(Arc<dyn Locator>),
    Make(Arc<MakeWith>),
}

impl LocatorSource {
    /// The locators that `change` makes of these.
    #[cfg(feature = "testing")]
    fn map(self, change: impl Fn(Arc<dyn Locator>) -> Arc<dyn Locator> + Send + Sync + 'static) -> Self {
        match self {
            Self::Made(locator) => Self::Made(change(locator)),
            Self::Make(make) => Self::Make(Arc::new(move |new| change(make(new)))),
        }
    }

    fn make(self, new: &NewConnection) -> Arc<dyn Locator> {
        match self {
            Self::Made(locator) => locator,
            Self::Make(make) => make(new),
        }
    }
}

impl Connection {
    /// Returns a builder that configures a connection.
    pub fn builder() -> ConnectionBuilder {
        ConnectionBuilder::new()
    }
}

impl Default for ConnectionBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ConnectionBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_that_are_not_served_decode_within_the_bound_of_those_that_are() {
        let (builder, other) = (ConnectionBuilder::new(), ConnectionBuilder::new());
        assert!(builder.unserved().decoders.is_same(&builder.decoders));
        assert!(!builder.unserved().decoders.is_same(&other.decoders));
    }
}
