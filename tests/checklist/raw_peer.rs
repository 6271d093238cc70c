//! The scripted peer of the checklist's connections, and boxes with short names.

use std::fmt::Debug;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use amp::connection::ConnectionBuilder;
use amp::locator::Locator;
use amp::testing::ScriptedPeer;
pub(crate) use amp::testing::{box_bytes as packed, soon};
use amp::{Connection, Settings};
use tokio::io::DuplexStream;

/// How long nothing comes that never comes. In paused time it passes at once when nothing else can.
const NEVER: Duration = Duration::from_secs(60);

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

/// A scripted peer whose connections announce nothing unless they are to: their bytes are those of AMP alone.
#[derive(Debug)]
pub(crate) struct RawPeer(ScriptedPeer);

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
        Self(ScriptedPeer::over(stream))
    }

    /// The connection of a builder, and the script's end of it.
    pub(crate) fn of(room: usize, builder: ConnectionBuilder) -> (Connection, Self) {
        let (connection, peer) = ScriptedPeer::connect_with_capacity(builder, room);
        (connection, Self(peer))
    }

    pub(crate) fn with(locator: impl Locator, settings: Settings) -> (Connection, Self) {
        Self::with_room(1 << 20, locator, settings)
    }

    /// These are the last bytes.
    pub(crate) async fn expect_end(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.expect(bytes).await;
        self.0.expect_end().await;
    }

    /// Nothing comes, neither bytes nor the end. Only in paused time.
    pub(crate) async fn expect_silence(&mut self) {
        self.0.expect_silence(NEVER).await;
    }

    pub(crate) async fn expect_silence_for(&mut self, time: Duration) {
        self.0.expect_silence(time).await;
    }

    /// All bytes until the end, and then nobody is there.
    #[allow(dead_code, reason = "the checklist uses it")]
    pub(crate) async fn rest(mut self) -> Vec<u8> {
        self.0.read_to_end().await
    }

    /// The connection still answers.
    pub(crate) async fn expect_open(&mut self) {
        self.send(ask_sum("still open")).await;
        self.expect(answer_sum("still open")).await;
    }
}

impl Deref for RawPeer {
    type Target = ScriptedPeer;

    fn deref(&self) -> &ScriptedPeer {
        &self.0
    }
}

impl DerefMut for RawPeer {
    fn deref_mut(&mut self) -> &mut ScriptedPeer {
        &mut self.0
    }
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
