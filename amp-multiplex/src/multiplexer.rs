use std::sync::Arc;

use amp_core::schema::CommandDeclaration;
use amp_core::{Ask, Call, Command, Connection, Located, Locator};

use crate::commands::{Connect, Disconnect, Transmit};
use crate::error::ConnectError;
use crate::factory::Factories;
use crate::house::House;
use crate::settings::StreamSettings;
use crate::stream::Stream;

/// The streams of one AMP connection, from either end. Cheap to clone.
///
/// It is a [`Locator`]: give a clone to the connection's builder, beside the locators of your own commands, and
/// [`attach`](Self::attach) it to the connection. Where streams are only accepted, as in a server's closure, the first
/// command of the peer attaches it.
#[derive(Clone, Debug)]
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
        if !self.house.registry().connect() {
            return Err(ConnectError::TooManyStreams { limit: self.house.settings.most_streams });
        }
        let ask = Connect { factory: factory.to_owned(), half_close: Some(true) };
        let mut connecting = Connecting { house: &self.house, call: Some(connection.call(ask)) };
        let answer = connecting.answer().await;
        match answer {
            Ok(connected) => self.house.connected(connection, &connected),
            Err(error) => {
                self.house.not_connected();
                Err(error.into())
            }
        }
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

/// A Connect that is out. Dropped before its answer came, it sees to the stream that nobody wants.
struct Connecting<'a> {
    house: &'a Arc<House>,
    call: Option<Call<Connect>>,
}

impl Connecting<'_> {
    async fn answer(&mut self) -> amp_core::Reply<Connect> {
        let answer = match &mut self.call {
            Some(call) => call.await,
            None => std::future::pending().await,
        };
        self.call = None;
        answer
    }
}

impl Drop for Connecting<'_> {
    fn drop(&mut self) {
        let Some(call) = self.call.take() else { return };
        let house = Arc::clone(self.house);
        let (true, Some(connection), Ok(runtime)) =
            (call.is_sent(), house.connection(), tokio::runtime::Handle::try_current())
        else {
            return house.not_connected();
        };
        runtime.spawn(async move {
            match call.await {
                Ok(connected) => house.unwanted(connection, connected.connection),
                Err(_) => house.not_connected(),
            }
        });
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
                house.transmitted(&connection, transmit, receipt);
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
