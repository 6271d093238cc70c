use std::fmt;
use std::sync::Arc;

use amp_core::Connection;

use crate::error::ConnectError;
use crate::factory::Factories;
use crate::limit::ConnectionNumber;
use crate::open;
use crate::settings::StreamSettings;
use crate::stream::{Stream, Streams};

/// The streams of one AMP connection, from either end. Cheap to clone.
///
/// The extension [`Multiplexing`](crate::Multiplexing) makes it together with the connection. [`of`](Self::of) returns it, and it
/// is exposed to responders of the connection as [`State<Multiplexer>`](amp_core::State).
///
/// # Order
/// Commands and the bytes of streams arrive in the order in which they were sent. Bytes that a stream's writer had written before
/// a command was called, or before an answer was sent, can be *read* at the other end when the command's responder starts, or
/// when the answer is there. They need not have been read: a task that reads the stream may not have run yet. If a responder
/// needs the result of such a task, it waits for the task, which it may do with [`in_order`](amp_core::Settings::in_order) too,
/// as streams wait for no responder:
///
/// ```
/// use amp::connection::pair;
/// use amp::multiplex::{Factories, Multiplexer, Multiplexing, Stream};
/// use amp::{Command, Connection, Reply, responder};
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use tokio::sync::watch;
///
/// /// So many bytes have been sent.
/// #[derive(Command, Debug)]
/// struct Finish {
///     bytes: u64,
/// }
///
/// struct Uploads {
///     stored: watch::Sender<u64>,
/// }
///
/// #[responder]
/// impl Uploads {
///     async fn finish(&self, command: Finish) -> Reply<Finish> {
///         // The bytes are here. That they are stored is for the reader to say.
///         self.stored.subscribe().wait_for(|stored| *stored >= command.bytes).await?;
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (stored, factories) = (watch::Sender::new(0), Factories::new());
/// let counter = stored.clone();
/// factories.serve("upload", move |mut stream: Stream| {
///     let counter = counter.clone();
///     async move {
///         let mut part = vec![0; 16 * 1024];
///         while let Ok(bytes @ 1..) = stream.read(&mut part).await {
///             counter.send_modify(|stored| *stored += bytes as u64);
///         }
///     }
/// });
/// let uploads = Uploads { stored: stored.clone() }.into_locator();
/// let (connection, _peer) = pair(
///     Connection::builder().extension(Multiplexing::default()),
///     Connection::builder().extension(Multiplexing::new(&factories)).locator(uploads),
/// );
///
/// let multiplexer = Multiplexer::of(&connection).ok_or("it has the extension")?;
/// let mut stream = multiplexer.connect("upload").await?;
/// stream.write_all(&[1; 100_000]).await?;
/// connection.call(Finish { bytes: 100_000 }).await?;
/// assert_eq!(*stored.borrow(), 100_000);
/// # Ok(())
/// # }
/// ```
#[doc(alias("MultiplexingCommandLocator"))]
#[derive(Clone)]
pub struct Multiplexer {
    streams: Arc<Streams>,
    factories: Factories,
}

impl Multiplexer {
    pub(crate) fn new(streams: &Arc<Streams>, factories: &Factories) -> Self {
        Self { streams: Arc::clone(streams), factories: factories.clone() }
    }

    /// The streams of a connection. `None` if it does not have the extension [`Multiplexing`](crate::Multiplexing).
    #[must_use]
    pub fn of(connection: &Connection) -> Option<Self> {
        connection.state::<Self>().map(|multiplexer| (*multiplexer).clone())
    }

    /// Opens a stream to a factory of the peer. The name is a byte string, usually text.
    ///
    /// # Errors
    /// If the peer has no such factory, refuses or takes longer than the connection's
    /// [`call_timeout`](amp_core::Settings::call_timeout), if there are too many streams here, if the peer assigns an invalid id
    /// to the stream, or if the connection has ended.
    ///
    /// # Cancel safety
    /// If dropped, the stream is closed again as soon as the peer has opened it. If the connection closes before, it waits for
    /// that as for any outstanding call, for up to [`close_timeout`](amp_core::Settings::close_timeout).
    pub async fn connect(&self, factory: impl AsRef<[u8]>) -> Result<Stream, ConnectError> {
        open::connect(&self.streams, factory.as_ref()).await
    }

    /// Waits until the connection has ended.
    pub(crate) fn connection_ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.streams.ended()
    }

    /// The connection, while it lives.
    pub(crate) fn connection(&self) -> Result<Connection, ConnectError> {
        self.streams.connection()
    }

    pub(crate) fn connection_number(&self) -> ConnectionNumber {
        self.streams.number()
    }

    pub(crate) fn settings(&self) -> &StreamSettings {
        self.streams.settings()
    }

    /// Returns the number of streams.
    #[must_use]
    pub fn streams(&self) -> usize {
        self.streams.registry().len()
    }

    /// The factories that the peer may open streams to.
    #[must_use]
    pub fn factories(&self) -> &Factories {
        &self.factories
    }
}

/// Shows how many streams there are, how many this end is closing, and how many Connects of either end are undecided.
impl fmt::Debug for Multiplexer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Multiplexer").field(&*self.streams.registry()).finish()
    }
}
