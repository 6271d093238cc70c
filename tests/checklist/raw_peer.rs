//! A peer that is a script: it writes and expects bytes.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use amp::connection::ConnectionBuilder;
use amp::locator::Locator;
use amp::{Connection, Peer, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

/// What takes longer than this does not happen. In paused time it passes at once when nothing else can.
const NEVER: Duration = Duration::from_secs(60);

/// The future's output, or a failed test if it hangs.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(NEVER, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: this hangs"),
    }
}

/// The bytes of a box, with its pairs in this order.
pub(crate) fn packed<K: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: &[(K, V)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in pairs {
        for part in [key.as_ref(), value.as_ref()] {
            bytes.extend(u16::try_from(part.len()).expect("a length that fits").to_be_bytes());
            bytes.extend(part);
        }
    }
    bytes.extend([0, 0]);
    bytes
}

pub(crate) fn ask(tag: &str, command: &str, arguments: &[(&str, &str)]) -> Vec<u8> {
    packed(&[&[("_ask", tag), ("_command", command)], arguments].concat())
}

pub(crate) fn answer(tag: &str, response: &[(&str, &str)]) -> Vec<u8> {
    packed(&[&[("_answer", tag)], response].concat())
}

pub(crate) fn error(tag: &str, code: &str, description: &str) -> Vec<u8> {
    packed(&[("_error", tag), ("_error_code", code), ("_error_description", description)])
}

pub(crate) fn draining(tag: &str) -> Vec<u8> {
    error(tag, "DRAINING", "The connection is closing; nothing was done")
}

pub(crate) fn unknown(tag: &str) -> Vec<u8> {
    error(tag, "UNKNOWN", "Unknown Error")
}

/// `Sum` of 1 and 2, and its answer.
pub(crate) fn ask_sum(tag: &str) -> Vec<u8> {
    ask(tag, "Sum", &[("a", "1"), ("b", "2")])
}

pub(crate) fn answer_sum(tag: &str) -> Vec<u8> {
    answer(tag, &[("total", "3")])
}

/// The other end of a connection under test.
#[derive(Debug)]
pub(crate) struct RawPeer {
    stream: DuplexStream,
}

impl RawPeer {
    /// A connection and the script's end of it; each direction holds `room` bytes. What is sent is AMP alone.
    pub(crate) fn with_room(room: usize, locator: impl Locator, settings: Settings) -> (Connection, Self) {
        Self::start(room, locator, settings.announce(false))
    }

    /// The same with the announcements of this library.
    #[allow(dead_code, reason = "the tests of announcements use it")]
    pub(crate) fn announcing(locator: impl Locator, settings: Settings) -> (Connection, Self) {
        Self::start(1 << 20, locator, settings)
    }

    fn start(room: usize, locator: impl Locator, settings: Settings) -> (Connection, Self) {
        Self::of(room, Connection::builder().locator(locator).settings(settings))
    }

    /// The script's end of a connection that is made elsewhere.
    #[allow(dead_code, reason = "the tests of servers use it")]
    pub(crate) fn over(stream: DuplexStream) -> Self {
        Self { stream }
    }

    /// The connection of a builder, and the script's end of it.
    pub(crate) fn of(room: usize, builder: ConnectionBuilder) -> (Connection, Self) {
        let (ours, theirs) = tokio::io::duplex(room);
        (builder.start(ours, Peer::other("script")), Self { stream: theirs })
    }

    pub(crate) fn with(locator: impl Locator, settings: Settings) -> (Connection, Self) {
        Self::with_room(1 << 20, locator, settings)
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon("sending", self.stream.write_all(bytes.as_ref())).await.expect("the connection takes bytes");
    }

    /// Sends no more, and still reads.
    pub(crate) async fn finish(&mut self) {
        soon("half-closing", self.stream.shutdown()).await.expect("the connection is there");
    }

    /// The next bytes are these.
    pub(crate) async fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        let mut got = vec![0; bytes.as_ref().len()];
        let read = soon("expecting bytes", self.stream.read_exact(&mut got)).await;
        read.unwrap_or_else(|error| panic!("{error} instead of {}", bytes.as_ref().escape_ascii()));
        same(&got, bytes.as_ref());
    }

    /// So many bytes.
    #[allow(dead_code, reason = "the tests of routes use it")]
    pub(crate) async fn expect_bytes(&mut self, count: usize) -> Vec<u8> {
        let mut got = vec![0; count];
        soon("expecting bytes", self.stream.read_exact(&mut got)).await.expect("the connection gives bytes");
        got
    }

    /// These are the last bytes.
    pub(crate) async fn expect_end(&mut self, bytes: impl AsRef<[u8]>) {
        let mut got = Vec::new();
        soon("expecting the end", self.stream.read_to_end(&mut got)).await.expect("the connection gives bytes");
        same(&got, bytes.as_ref());
    }

    /// Nothing comes, neither bytes nor the end. Only in paused time.
    pub(crate) async fn expect_silence(&mut self) {
        self.expect_silence_for(NEVER).await;
    }

    pub(crate) async fn expect_silence_for(&mut self, time: Duration) {
        let mut byte = [0];
        if let Ok(read) = timeout(time, self.stream.read(&mut byte)).await {
            panic!("{read:?} {} instead of silence", byte.escape_ascii());
        }
    }

    /// The connection still answers.
    pub(crate) async fn expect_open(&mut self) {
        self.send(ask_sum("still open")).await;
        self.expect(answer_sum("still open")).await;
    }

    /// The next bytes, however many there are: at least one.
    pub(crate) async fn some(&mut self) -> Vec<u8> {
        let mut got = vec![0; 4096];
        let count = soon("reading", self.stream.read(&mut got)).await.expect("the connection gives bytes");
        got.truncate(count);
        got
    }

    /// All bytes until the end.
    pub(crate) async fn rest(mut self) -> Vec<u8> {
        let mut got = Vec::new();
        soon("reading to the end", self.stream.read_to_end(&mut got)).await.expect("the connection gives bytes");
        got
    }
}

fn same(got: &[u8], expected: &[u8]) {
    assert_eq!(got.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

/// Why the connection has ended, in one word.
pub(crate) async fn ended(connection: &Connection) -> String {
    word(&soon("the connection ends", connection.closed()).await)
}

/// The name of a variant: `Closed`, `ClosedMidBox`, …
pub(crate) fn word(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    text.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// The reason for which a call failed, in one word.
pub(crate) fn reason<T: Debug, E: Debug>(reply: Result<T, amp::CallError<E>>) -> String {
    match reply {
        Err(amp::CallError::Connection { reason, .. }) => word(&reason),
        other => panic!("{other:?}"),
    }
}
