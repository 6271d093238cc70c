//! The other end of a connection, by hand.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::command::Command;
use crate::connection::{Connection, ConnectionBuilder};
use crate::peer::Peer;
use crate::testing::boxes::{Extent, boxes, differ, extent, indented, readable};
use crate::testing::command::{answer_bytes, ask_bytes, error_bytes, notification_bytes};
use crate::wire::AmpBox;

/// How many bytes the pipe holds in each direction.
const PIPE: usize = 1 << 20;

/// What takes longer than this does not happen. In paused time it passes at once when nothing else can.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long more is waited for when something is wrong, so that the message shows it whole.
const REST: Duration = Duration::from_millis(50);

/// The future's output, or a failed test when it takes more than a minute. In paused time that is as soon as nobody else can go on.
///
/// # Panics
/// When it takes longer, with `what` in the message.
///
/// # Cancel safety
/// That of the future.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::Connection;
/// use amp::testing::{pair, soon};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (one, other) = pair(Connection::builder(), Connection::builder());
/// one.close();
/// soon("the other end learns of it", other.closed()).await;
/// # }
/// ```
#[track_caller]
pub fn soon<T>(what: &str, future: impl Future<Output = T>) -> impl Future<Output = T> {
    let at = Location::caller();
    async move {
        match timeout(PATIENCE, future).await {
            Ok(output) => output,
            Err(_) => panic!("{at} {what}: this hangs"),
        }
    }
}

/// The other end of a connection, by hand: it sends and expects bytes, boxes or commands. What differs from what was expected fails the
/// test, and the message shows both.
///
/// Nothing is read from the pipe that is not expected, so that a connection sees a peer that does not read. What does not come within
/// [`patience`](Self::patience) fails the test, too; with `#[tokio::test(start_paused = true)]` that takes no time.
///
/// Its methods return futures that fail at the caller's line, which the message begins with. Each is cancel safe: what had come of
/// something that was waited for is kept for the next. What was half sent stays half sent.
///
/// A connection of this library [announces](crate::Settings::announce) itself in its first box, by a key `_amp` that
/// [`expect`](Self::expect) sees.
///
/// ```
/// # extern crate amp_core as amp;
/// # use amp_derive::{Arguments, Command};
/// use amp::testing::{ScriptedPeer, box_bytes};
/// use amp::{Arguments, Command, Connection, Settings};
///
/// #[derive(Command, Debug)]
/// #[amp(response = Total)]
/// struct Sum {
///     a: i64,
///     b: i64,
/// }
///
/// #[derive(Arguments, Debug)]
/// struct Total {
///     total: i64,
/// }
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let builder = Connection::builder().settings(Settings::new().announce(false));
/// let (connection, mut peer) = ScriptedPeer::connect(builder);
///
/// // By commands.
/// let call = tokio::spawn(connection.call(Sum { a: 1, b: 2 }));
/// let (tag, sum) = peer.expect_ask::<Sum>().await;
/// peer.send_answer::<Sum>(&tag, &Total { total: sum.a + sum.b }).await;
/// assert_eq!(call.await??.total, 3);
///
/// // By bytes: an ask that nobody answers here.
/// peer.send(box_bytes(&[("_ask", "x"), ("_command", "Nope")])).await;
/// let description = "Unhandled Command: b'Nope'";
/// peer.expect(box_bytes(&[("_error", "x"), ("_error_code", "UNHANDLED"), ("_error_description", description)])).await;
///
/// connection.close();
/// peer.expect_end().await;
/// # Ok(())
/// # }
/// ```
pub struct ScriptedPeer {
    transport: Box<dyn Transport>,
    pub(super) patience: Duration,
    /// What was read of something that is not there as a whole.
    pub(super) received: Vec<u8>,
}

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Why no more bytes came.
pub(super) enum Stop {
    End,
    Silence(Duration),
    Error(io::Error),
}

impl ScriptedPeer {
    /// Starts the connection of a builder over a pipe in memory, with the script at its other end.
    ///
    /// # Panics
    /// When called outside a tokio runtime with time enabled.
    #[track_caller]
    pub fn connect(builder: ConnectionBuilder) -> (Connection, Self) {
        Self::connect_with_room(builder, PIPE)
    }

    /// The same over a pipe that holds so many bytes in each direction, instead of 1 MiB.
    ///
    /// # Panics
    /// As [`connect`](Self::connect).
    #[track_caller]
    pub fn connect_with_room(builder: ConnectionBuilder, room: usize) -> (Connection, Self) {
        let (ours, theirs) = tokio::io::duplex(room);
        (builder.start(ours, Peer::other("script")), Self::over(theirs))
    }

    /// The script over a transport whose other end is elsewhere: at a server, say.
    #[must_use]
    pub fn over(transport: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { transport: Box::new(transport), patience: PATIENCE, received: Vec::new() }
    }

    /// Sets how long to wait for what is expected. Default one minute.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// When the connection has ended, or does not read.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            let bytes = bytes.as_ref();
            if let Err(error) = self.try_send(bytes).await {
                panic!("{at} could not send, {error}:\n{}", indented(&readable(bytes)));
            }
        }
    }

    /// Sends bytes as they are, to a connection that may end.
    ///
    /// # Errors
    /// That of the transport; [`TimedOut`](io::ErrorKind::TimedOut) when the connection does not read.
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        match timeout(self.patience, self.transport.write_all(bytes.as_ref())).await {
            Ok(written) => written,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the connection does not read")),
        }
    }

    /// Sends a box.
    ///
    /// # Panics
    /// As [`send`](Self::send).
    #[track_caller]
    pub fn send_box(&mut self, sent: &AmpBox) -> impl Future<Output = ()> + use<'_> {
        let mut bytes = Vec::new();
        sent.encode(&mut bytes);
        self.send(bytes)
    }

    /// Asks for a command, with a tag in any case.
    ///
    /// # Panics
    /// As [`ask_bytes`] and [`send`](Self::send).
    #[track_caller]
    pub fn send_ask<C: Command>(&mut self, tag: impl AsRef<[u8]>, command: &C) -> impl Future<Output = ()> {
        self.send(ask_bytes(tag, command))
    }

    /// Asks for a command without a tag: no answer is wanted.
    ///
    /// # Panics
    /// As [`notification_bytes`] and [`send`](Self::send).
    #[track_caller]
    pub fn send_notification<C: Command>(&mut self, command: &C) -> impl Future<Output = ()> {
        self.send(notification_bytes(command))
    }

    /// Answers the ask with the tag.
    ///
    /// # Panics
    /// As [`answer_bytes`] and [`send`](Self::send).
    #[track_caller]
    pub fn send_answer<C: Command>(
        &mut self,
        tag: impl AsRef<[u8]>,
        response: &C::Response,
    ) -> impl Future<Output = ()> {
        self.send(answer_bytes::<C>(tag, response))
    }

    /// Answers the ask with the tag by a declared error.
    ///
    /// # Panics
    /// As [`error_bytes`] and [`send`](Self::send).
    #[track_caller]
    pub fn send_error<C: Command>(&mut self, tag: impl AsRef<[u8]>, error: &C::Errors) -> impl Future<Output = ()> {
        self.send(error_bytes::<C>(tag, error))
    }

    /// Sends no more, and still reads.
    ///
    /// # Panics
    /// When the transport cannot do that.
    #[track_caller]
    pub fn finish(&mut self) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            match timeout(self.patience, self.transport.shutdown()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => panic!("{at} could not end what it sends: {error}"),
                Err(_) => panic!("{at} the connection does not read, so what is sent cannot end"),
            }
        }
    }

    /// The next box.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn next_box(&mut self) -> impl Future<Output = AmpBox> {
        let at = Location::caller();
        async move {
            let received = self.whole_box("a box", at).await;
            boxes(&received).remove(0)
        }
    }

    /// The next box, if it comes as a whole within this time; `None` also at the end.
    ///
    /// # Panics
    /// When what comes is no box.
    #[track_caller]
    pub fn try_next_box(&mut self, time: Duration) -> impl Future<Output = Option<AmpBox>> {
        let at = Location::caller();
        async move {
            match timeout(time, self.receive_box("a box", time, at)).await {
                Ok(Ok(received)) => Some(boxes(&received).remove(0)),
                Ok(Err(_)) | Err(_) => None,
            }
        }
    }

    /// The next bytes, exactly so many.
    ///
    /// # Panics
    /// When fewer come.
    #[track_caller]
    pub fn read_bytes(&mut self, count: usize) -> impl Future<Output = Vec<u8>> {
        let at = Location::caller();
        async move {
            while self.received.len() < count {
                if let Err(stop) = self.receive(count - self.received.len(), self.patience).await {
                    panic!("{at} expected {count} bytes, but {}", self.told(&stop));
                }
            }
            self.received.drain(..count).collect()
        }
    }

    /// The next bytes, as many as come at once, which is at least one.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn read_some(&mut self) -> impl Future<Output = Vec<u8>> {
        let at = Location::caller();
        async move {
            if self.received.is_empty()
                && let Err(stop) = self.receive(4096, self.patience).await
            {
                panic!("{at} expected bytes, but {}", self.told(&stop));
            }
            std::mem::take(&mut self.received)
        }
    }

    /// All bytes until the end.
    ///
    /// # Panics
    /// When the end does not come, or the transport fails.
    #[track_caller]
    pub fn read_to_end(&mut self) -> impl Future<Output = Vec<u8>> {
        let at = Location::caller();
        async move {
            let read = timeout(self.patience, self.transport.read_to_end(&mut self.received)).await;
            match read
                .unwrap_or_else(|_| panic!("{at} expected the end, but {}", self.told(&Stop::Silence(self.patience))))
            {
                Ok(_) => std::mem::take(&mut self.received),
                Err(error) => panic!("{at} expected the end, but {}", self.told(&Stop::Error(error))),
            }
        }
    }

    pub(super) async fn whole_box(&mut self, expected: &str, at: &Location<'_>) -> Vec<u8> {
        match self.receive_box(expected, self.patience, at).await {
            Ok(received) => received,
            Err(stop) => panic!("{at} expected\n{}\nbut {}", indented(expected), self.told(&stop)),
        }
    }

    async fn receive_box(&mut self, expected: &str, time: Duration, at: &Location<'_>) -> Result<Vec<u8>, Stop> {
        loop {
            match extent(&self.received) {
                Extent::Whole(length) => return Ok(self.received.drain(..length).collect()),
                Extent::Missing(count) => self.receive(count, time).await?,
                Extent::NoBox => {
                    self.read_rest().await;
                    differ(&self.received, expected, at);
                }
            }
        }
    }

    /// Reads more: at least one byte, and no more than so many.
    pub(super) async fn receive(&mut self, most: usize, time: Duration) -> Result<(), Stop> {
        let before = self.received.len();
        self.received.reserve(most);
        let mut limited = (&mut self.transport).take(most as u64);
        match timeout(time, limited.read_buf(&mut self.received)).await {
            Ok(Ok(_)) if self.received.len() > before => Ok(()),
            Ok(Ok(_)) => Err(Stop::End),
            Ok(Err(error)) => Err(Stop::Error(error)),
            Err(_) => Err(Stop::Silence(time)),
        }
    }

    /// Reads what else comes: the test fails.
    pub(super) async fn read_rest(&mut self) {
        while self.received.len() < 4096 && self.receive(4096, REST).await.is_ok() {}
    }

    /// Why it stopped, and what came before.
    pub(super) fn told(&self, stop: &Stop) -> String {
        let why = match stop {
            Stop::End => "the connection ended".to_owned(),
            Stop::Silence(time) => format!("nothing more came for {time:?}"),
            Stop::Error(error) => format!("reading failed ({error})"),
        };
        match &*self.received {
            [] => why,
            received => format!("{why} behind:\n{}", indented(&readable(received))),
        }
    }
}

impl fmt::Debug for ScriptedPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedPeer").field("received", &readable(&self.received)).finish_non_exhaustive()
    }
}
