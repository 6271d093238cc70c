use std::fmt;
use std::sync::Arc;

use amp_core::connection::WeakConnection;
use amp_core::extension::{EventKind, Events, Extension, Handler};
use amp_core::locator::Ask;
use amp_core::schema::CommandDeclaration;
use amp_core::{Command, Connection};
use tracing::Level;

use crate::commands::{Connect, Connected, Disconnect, ExtraKey, Id, Transmit};
use crate::factory::Factories;
use crate::multiplexer::Multiplexer;
use crate::peer_commands;
use crate::settings::StreamSettings;
use crate::stream::Streams;

/// The extension that adds streams to connections: the factories that the peer may open them to, and the limits.
///
/// It is passed to [`ConnectionBuilder::extension`](amp_core::connection::ConnectionBuilder::extension) or
/// [`ServerBuilder::extension`](amp_core::server::ServerBuilder::extension). Each connection has streams of its own, which
/// [`Multiplexer::of`] returns. Cheap to clone.
///
/// ```
/// use amp::Connection;
/// use amp::connection::pair;
/// use amp::multiplex::{Factories, Multiplexer, Multiplexing};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let factories = Factories::new();
/// factories.serve("sink", async |stream| drop(stream));
/// let serving = Connection::builder().extension(Multiplexing::new(&factories));
/// let (connection, _peer) = pair(Connection::builder().extension(Multiplexing::default()), serving);
///
/// let multiplexer = Multiplexer::of(&connection).ok_or("it has the extension")?;
/// let stream = multiplexer.connect("sink").await?;
/// # drop(stream);
/// # Ok(())
/// # }
/// ```
#[doc(alias("MultiplexingCommandLocator", "ProxyingAMPLocator"))]
#[derive(Clone)]
pub struct Multiplexing {
    factories: Factories,
    settings: StreamSettings,
}

impl Multiplexing {
    /// An extension for connections whose peers may open streams to `factories`.
    #[must_use]
    pub fn new(factories: &Factories) -> Self {
        Self::with_settings(factories, StreamSettings::default())
    }

    /// As [`new`](Self::new), with other limits.
    #[must_use]
    pub fn with_settings(factories: &Factories, settings: StreamSettings) -> Self {
        Self { factories: factories.clone(), settings }
    }
}

/// Only this end opens streams: the peer finds no factory.
impl Default for Multiplexing {
    fn default() -> Self {
        Self::new(&Factories::new())
    }
}

impl fmt::Debug for Multiplexing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Multiplexing").field("settings", &self.settings).finish_non_exhaustive()
    }
}

const UNANSWERED_CONNECT: EventKind = EventKind::new(Level::WARN, "Connects without an answer");

const CONNECT: usize = 0;
const TRANSMIT: usize = 1;
const DISCONNECT: usize = 2;

/// The claimed commands. A handler receives the index into this list.
const COMMANDS: [CommandDeclaration; 3] = {
    let mut commands = [Connect::DECLARATION; 3];
    commands[CONNECT] = Connect::DECLARATION;
    commands[TRANSMIT] = Transmit::DECLARATION;
    commands[DISCONNECT] = Disconnect::DECLARATION;
    commands
};

impl Extension for Multiplexing {
    fn commands(&self) -> Vec<CommandDeclaration> {
        COMMANDS.to_vec()
    }

    /// A stream is served by one.
    fn starts_task(&self, command: usize) -> bool {
        command == CONNECT
    }

    fn attach(&self, connection: WeakConnection) -> Arc<dyn Handler> {
        let streams = Streams::new(self.settings.clone(), connection.clone());
        if let Some(connection) = connection.upgrade() {
            fail_at_the_end(&streams, &connection);
            connection.set_state(Multiplexer::new(&streams, &self.factories));
        }
        Arc::new(StreamHandler { streams, factories: self.factories.clone() })
    }
}

/// Fails all streams when the connection has ended. Bytes that they hold then are discarded when the server's memory is used up.
fn fail_at_the_end(streams: &Arc<Streams>, connection: &Connection) {
    let weak = Arc::downgrade(streams);
    connection.on_end(move |reason| {
        if let Some(streams) = weak.upgrade() {
            streams.end(reason).iter().for_each(|stream| stream.end(reason));
        }
    });
    let (weak, tasks) = (Arc::downgrade(streams), Arc::downgrade(streams.tasks()));
    connection.on_out_of_memory(move |reason| {
        if let Some(streams) = weak.upgrade() {
            streams.kept().lose(reason);
        }
        // The tasks may outlive the streams.
        if let Some(tasks) = tasks.upgrade() {
            tasks.abort();
        }
    });
}

/// Handles the commands of streams. An error that answers their bytes would end a txampext peer's connection.
struct StreamHandler {
    streams: Arc<Streams>,
    factories: Factories,
}

impl Handler for StreamHandler {
    fn handle(&self, command: usize, ask: Ask) {
        match command {
            TRANSMIT => {
                if let Some((command, ack)) = ask.accept() {
                    peer_commands::transmit(&self.streams, command, ack);
                }
            }
            DISCONNECT => {
                if let Some((command, answer)) = ask.accept() {
                    peer_commands::disconnect(&self.streams, &command, answer);
                }
            }
            CONNECT => self.connect(ask),
            // No other command is claimed.
            _ => drop(ask),
        }
    }
}

impl StreamHandler {
    fn connect(&self, ask: Ask) {
        if ask.wants_answer() {
            if let (Ok(connection), Some((command, answer))) = (ask.exposed(), ask.accept()) {
                peer_commands::connect(&self.streams, &self.factories, connection, command, answer);
            }
            return;
        }
        // The peer would never learn the id of the stream. A dropped ask counts as a failure: so this one is answered, and the
        // answer goes nowhere.
        Events::of_ask(&ask).tell(UNANSWERED_CONNECT, |peer, omitted| {
            tracing::warn!(%peer, omitted, "a Connect that wants no answer opens nothing");
        });
        if let Some((_, answer)) = ask.accept::<Connect>() {
            let (half_close, keeps) = (ExtraKey(None), ExtraKey(None));
            answer.send(Ok(Connected { connection: Id::random(), half_close, keeps }));
        }
    }
}
