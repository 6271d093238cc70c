use std::fmt;
use std::sync::Arc;

use amp_core::schema::CommandDeclaration;
use amp_core::{Ask, Call, Command, Connection, Located, Locator};

use crate::commands::{Connect, Disconnect, Transmit};
use crate::error::ConnectError;
use crate::factory::Factories;
use crate::house::{House, PATIENCE};
use crate::machine::Connecting;
use crate::settings::StreamSettings;
use crate::stream::Stream;

/// The streams of one AMP connection, from either end. Cheap to clone.
///
/// It is a [`Locator`]: give a clone to the connection's builder, beside the locators of your own commands, and
/// [`attach`](Self::attach) it to the connection. Where streams are only accepted, as in a server's closure, the first
/// command of the peer attaches it.
#[derive(Clone)]
pub struct Multiplexer {
    house: Arc<House>,
}

impl Multiplexer {
    /// A multiplexer for one connection, whose peer may open streams to `factories`.
    #[must_use]
    pub fn new(factories: &Factories) -> Self {
        Self::with_settings(factories, StreamSettings::default())
    }

    /// As [`new`](Self::new), with other limits.
    #[must_use]
    pub fn with_settings(factories: &Factories, settings: StreamSettings) -> Self {
        Self { house: House::new(settings, factories.clone()) }
    }

    /// Says which connection the streams go over. The first one counts.
    ///
    /// # Panics
    /// When called outside a tokio runtime.
    pub fn attach(&self, connection: &Connection) {
        self.house.attach(connection);
    }

    /// Opens a stream to a factory of the peer.
    ///
    /// # Errors
    /// When the peer has no such factory or refuses, when there are too many streams here, or the connection has ended.
    ///
    /// # Cancel safety
    /// When dropped, the stream is closed again as soon as the peer has opened it.
    pub async fn connect(&self, factory: &str) -> Result<Stream, ConnectError> {
        let unattached =
            || ConnectError::Unsupported("the multiplexer is not attached to a connection that lives".to_owned());
        let connection = self.house.connection().ok_or_else(unattached)?;
        let Some(number) = self.house.registry().connect() else {
            return Err(ConnectError::TooManyStreams { limit: self.house.settings.most_streams });
        };
        let ask = Connect { factory: factory.to_owned(), half_close: Some(true) };
        let call = connection.call(ask);
        let mut asking = Asking { house: &self.house, number, call: Some((call, connection)) };
        asking.answer().await
    }

    /// Waits until the connection has ended; at once when there is none. Keeps nothing open.
    pub(crate) fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        let closed = self.house.connection().map(|connection| connection.closed());
        async move {
            if let Some(closed) = closed {
                closed.await;
            }
        }
    }

    /// How many streams there are.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.house.registry().len()
    }

    /// The factories that the peer may open streams to.
    #[must_use]
    pub fn factories(&self) -> &Factories {
        &self.house.factories
    }
}

/// How many streams there are, how many this end is leaving, and how many Connects of either end are not decided about.
impl fmt::Debug for Multiplexer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Multiplexer").field(&*self.house.registry()).finish()
    }
}

/// A Connect that is out. Dropped before its answer came, it sees to the stream that nobody wants.
struct Asking<'a> {
    house: &'a Arc<House>,
    number: Connecting,
    call: Option<(Call<Connect>, Connection)>,
}

impl Asking<'_> {
    async fn answer(&mut self) -> Result<Stream, ConnectError> {
        let answer = match &mut self.call {
            Some((call, _)) => call.await,
            None => std::future::pending().await,
        };
        match (answer, self.call.take()) {
            (Ok(connected), Some((_, connection))) => self.house.connected(self.number, connection, &connected),
            (Ok(_), None) => std::future::pending().await,
            (Err(error), _) => {
                self.house.not_connected(self.number);
                Err(error.into())
            }
        }
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let (house, number) = (Arc::clone(self.house), self.number);
        match self.call.take() {
            None => {}
            Some((call, _)) if !call.is_sent() => house.not_connected(number),
            Some((call, connection)) => {
                let owner = Arc::clone(self.house);
                owner.spawn(async move {
                    match tokio::time::timeout(PATIENCE, call).await {
                        Ok(Ok(connected)) => house.unwanted(number, &connection, &connected),
                        _ => house.not_connected(number),
                    }
                });
            }
        }
    }
}

impl Locator for Multiplexer {
    fn locate(&self, ask: Ask) -> Located {
        let house = &self.house;
        let ours = ask.is::<Connect>() || ask.is::<Transmit>() || ask.is::<Disconnect>();
        if !ours {
            return Located::Unknown(ask);
        }
        let connection = match ask.exposed::<Connection>() {
            Ok(connection) if house.attach(&connection) => connection,
            _ => return Located::Unknown(ask),
        };
        if ask.is::<Transmit>() {
            if let Some((transmit, receipt)) = ask.accept() {
                house.transmitted(transmit, receipt);
            }
        } else if ask.is::<Disconnect>() {
            if let Some((disconnect, answer)) = ask.accept() {
                house.disconnected(&disconnect, answer);
            }
        } else if !ask.wants_answer() {
            // A stream whose id nobody would learn.
            tracing::warn!(peer = %connection.peer(), "a Connect that wants no answer opens nothing");
        } else if let Some((connect, answer)) = ask.accept() {
            house.connect_asked(connection, connect, answer);
        }
        Located::Answered
    }

    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![Connect::DECLARATION, Transmit::DECLARATION, Disconnect::DECLARATION]
    }
}
