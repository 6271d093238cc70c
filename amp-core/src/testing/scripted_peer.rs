//! A peer that is a script, at the other end of a connection.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::command::Command;
use crate::connection::{Connection, ConnectionBuilder};
use crate::peer::Peer;
use crate::testing::boxes::{ANY_SIZE, decode_box, differ, format_boxes, indented};
use crate::testing::command::{answer_bytes, ask_bytes, error_bytes, notification_bytes};
use crate::testing::soon::TIMEOUT;
use crate::wire::{AmpBox, BoxDecoder, RawBox};

/// How many bytes the pipe holds in each direction.
const PIPE: usize = 1 << 20;

/// How long a failing expectation reads on, so that the message shows all that came.
const REST: Duration = Duration::from_millis(50);

/// A peer whose every byte is written by the test: it sends and expects bytes, boxes or commands. What differs from an expectation fails
/// the test, and the message shows both.
///
/// It reads no more than what is expected, so that a connection can be tested with a peer that does not read. Each expectation fails
/// after [`timeout`](Self::timeout). Over a transport in memory, such as that of [`connect`](Self::connect), this takes no real time
/// in a test with `#[tokio::test(start_paused = true)]`. Over sockets and pipes time must not be paused: tokio does not know that
/// bytes are on their way there, and its clock jumps to the next time limit.
///
/// Its methods return futures. The message of each begins with the line of the caller. They are cancel safe: received bytes are kept
/// for the next expectation. A send that is dropped may have sent a part.
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
    pub(super) timeout: Duration,
    /// Bytes that were read for an expectation and are not used up.
    pub(super) received: BoxDecoder,
}

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Why no more bytes were read.
pub(super) enum Stop {
    /// What came is no box, nor the beginning of one.
    NoBox,
    End,
    Silence(Duration),
    Error(io::Error),
}

impl ScriptedPeer {
    /// Starts the connection of a builder over a pipe in memory, and returns it and the peer at its other end.
    ///
    /// # Panics
    /// If called outside a tokio runtime with time enabled.
    #[track_caller]
    pub fn connect(builder: ConnectionBuilder) -> (Connection, Self) {
        Self::connect_with_capacity(builder, PIPE)
    }

    /// As [`connect`](Self::connect), over a pipe that holds `capacity` bytes in each direction instead of 1 MiB.
    ///
    /// # Panics
    /// As [`connect`](Self::connect).
    #[track_caller]
    pub fn connect_with_capacity(builder: ConnectionBuilder, capacity: usize) -> (Connection, Self) {
        let (ours, theirs) = tokio::io::duplex(capacity);
        (builder.start(ours, Peer::other("script")), Self::over(theirs))
    }

    /// A peer over a transport, for a connection that is made elsewhere, as by a server.
    #[must_use]
    pub fn over(transport: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self { transport: Box::new(transport), timeout: TIMEOUT, received: BoxDecoder::new(ANY_SIZE) }
    }

    /// Sets how long each expectation waits, and each send. Default one minute.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// If the connection has ended, or does not read within [`timeout`](Self::timeout).
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            let bytes = bytes.as_ref();
            if let Err(error) = self.try_send(bytes).await {
                panic!("{at} could not send, {error}:\n{}", indented(&format_boxes(bytes)));
            }
        }
    }

    /// Sends bytes as they are, to a connection that may end.
    ///
    /// # Errors
    /// That of the transport; [`TimedOut`](io::ErrorKind::TimedOut) if the connection does not read within [`timeout`](Self::timeout).
    pub async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        match timeout(self.timeout, self.transport.write_all(bytes.as_ref())).await {
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

    /// Sends an ask for a command. It has the tag even if the command wants no answer.
    ///
    /// # Panics
    /// As [`ask_bytes`] and [`send`](Self::send).
    #[track_caller]
    pub fn send_ask<C: Command, T: AsRef<[u8]>>(
        &mut self,
        tag: T,
        command: &C,
    ) -> impl Future<Output = ()> + use<'_, C, T> {
        self.send(ask_bytes(tag, command))
    }

    /// Sends an ask for a command that wants no answer: it has no tag.
    ///
    /// # Panics
    /// As [`notification_bytes`] and [`send`](Self::send).
    #[track_caller]
    pub fn send_notification<C: Command>(&mut self, command: &C) -> impl Future<Output = ()> + use<'_, C> {
        self.send(notification_bytes(command))
    }

    /// Sends the answer to the ask with the tag.
    ///
    /// # Panics
    /// As [`answer_bytes`] and [`send`](Self::send).
    #[track_caller]
    pub fn send_answer<C: Command>(
        &mut self,
        tag: impl AsRef<[u8]>,
        response: &C::Response,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.send(answer_bytes::<C>(tag, response)))
    }

    /// Sends a declared error as the answer to the ask with the tag.
    ///
    /// # Panics
    /// As [`error_bytes`] and [`send`](Self::send).
    #[track_caller]
    pub fn send_error<C: Command>(
        &mut self,
        tag: impl AsRef<[u8]>,
        error: &C::Errors,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.send(error_bytes::<C>(tag, error)))
    }

    /// Ends what is sent. What the connection sends can still be read.
    ///
    /// # Panics
    /// If the transport fails, or does not end within [`timeout`](Self::timeout).
    #[track_caller]
    pub fn finish(&mut self) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            match timeout(self.timeout, self.transport.shutdown()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => panic!("{at} could not end what it sends: {error}"),
                Err(_) => panic!("{at} the connection does not read, so what is sent cannot end"),
            }
        }
    }

    /// Returns the next box.
    ///
    /// # Panics
    /// If none comes within [`timeout`](Self::timeout), or if it has a key twice.
    #[track_caller]
    pub fn next_box(&mut self) -> impl Future<Output = AmpBox> {
        let at = Location::caller();
        async move {
            let received = self.whole_box("a box", at).await;
            decode_box(&received, at)
        }
    }

    /// Returns the next box if it arrives within this time; `None` also when the connection has ended, in order or because its transport failed.
    ///
    /// # Panics
    /// If the bytes that arrive are no box, or if it has a key twice.
    #[track_caller]
    pub fn next_box_within(&mut self, time: Duration) -> impl Future<Output = Option<AmpBox>> {
        let at = Location::caller();
        async move {
            // The time is that of what is waited for: what came is judged, however little is left of it.
            match timeout(time, self.receive_box(time)).await {
                Ok(Ok(received)) => Some(decode_box(&received, at)),
                Ok(Err(Stop::NoBox)) => self.fail_at_no_box("a box", at).await,
                Ok(Err(Stop::End | Stop::Silence(_) | Stop::Error(_))) | Err(_) => None,
            }
        }
    }

    /// Returns the next `count` bytes.
    ///
    /// # Panics
    /// If fewer come within [`timeout`](Self::timeout).
    #[track_caller]
    pub fn read_bytes(&mut self, count: usize) -> impl Future<Output = Vec<u8>> {
        let at = Location::caller();
        async move {
            while let missing @ 1.. = count.saturating_sub(self.received.pending().len()) {
                if let Err(stop) = self.receive(missing, self.timeout).await {
                    panic!("{at} expected {count} bytes, but {}", self.told(&stop));
                }
            }
            self.take(count)
        }
    }

    /// Returns the bytes of one read: at least one.
    ///
    /// # Panics
    /// If none comes within [`timeout`](Self::timeout).
    #[track_caller]
    pub fn read_some(&mut self) -> impl Future<Output = Vec<u8>> {
        let at = Location::caller();
        async move {
            if self.received.pending().is_empty()
                && let Err(stop) = self.receive(4096, self.timeout).await
            {
                panic!("{at} expected bytes, but {}", self.told(&stop));
            }
            self.take_all()
        }
    }

    /// Returns all bytes until the end.
    ///
    /// # Panics
    /// If the end does not come within [`timeout`](Self::timeout), or if the transport fails.
    #[track_caller]
    pub fn read_to_end(&mut self) -> impl Future<Output = Vec<u8>> {
        let at = Location::caller();
        async move {
            let time = self.timeout;
            let read = async {
                loop {
                    if let Err(stop) = self.receive(4096, time).await {
                        return stop;
                    }
                }
            };
            match timeout(time, read).await.unwrap_or(Stop::Silence(time)) {
                Stop::End => self.take_all(),
                stop => panic!("{at} expected the end, but {}", self.told(&stop)),
            }
        }
    }

    pub(super) async fn whole_box(&mut self, expected: &str, at: &Location<'_>) -> RawBox {
        match self.receive_box(self.timeout).await {
            Ok(received) => received,
            Err(Stop::NoBox) => self.fail_at_no_box(expected, at).await,
            Err(stop) => panic!("{at} expected\n{}\nbut {}", indented(expected), self.told(&stop)),
        }
    }

    async fn receive_box(&mut self, time: Duration) -> Result<RawBox, Stop> {
        loop {
            match self.received.next_box() {
                Ok(Some(raw)) => return Ok(raw),
                Ok(None) => self.receive(self.received.missing(), time).await?,
                Err(_) => return Err(Stop::NoBox),
            }
        }
    }

    async fn fail_at_no_box(&mut self, expected: &str, at: &Location<'_>) -> ! {
        self.read_rest().await;
        differ(self.received.pending(), expected, at);
    }

    /// Takes what was received first.
    pub(super) fn take(&mut self, count: usize) -> Vec<u8> {
        let mut rest = std::mem::replace(&mut self.received, BoxDecoder::new(ANY_SIZE)).into_leftover();
        let taken = rest.split_to(count);
        // A box begins behind it.
        self.received = BoxDecoder::with_leftover(ANY_SIZE, rest);
        taken.into()
    }

    fn take_all(&mut self) -> Vec<u8> {
        self.take(self.received.pending().len())
    }

    /// Reads more: at least one byte, and no more than so many.
    pub(super) async fn receive(&mut self, most: usize, time: Duration) -> Result<(), Stop> {
        let buffer = self.received.buffer();
        buffer.reserve(most);
        let mut limited = (&mut self.transport).take(most as u64);
        match timeout(time, limited.read_buf(buffer)).await {
            Ok(Ok(1..)) => Ok(()),
            Ok(Ok(0)) => Err(Stop::End),
            Ok(Err(error)) => Err(Stop::Error(error)),
            Err(_) => Err(Stop::Silence(time)),
        }
    }

    /// Reads what else comes: the test fails.
    pub(super) async fn read_rest(&mut self) {
        while self.received.pending().len() < 4096 && self.receive(4096, REST).await.is_ok() {}
    }

    /// Why it stopped, and what came before.
    pub(super) fn told(&self, stop: &Stop) -> String {
        let why = match stop {
            Stop::NoBox => "what came is no box".to_owned(),
            Stop::End => "the connection ended".to_owned(),
            Stop::Silence(time) => format!("nothing more came for {time:?}"),
            Stop::Error(error) => format!("reading failed ({error})"),
        };
        match self.received.pending() {
            [] => why,
            received => format!("{why} behind:\n{}", indented(&format_boxes(received))),
        }
    }
}

impl fmt::Debug for ScriptedPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedPeer").field("received", &format_boxes(self.received.pending())).finish_non_exhaustive()
    }
}
