//! A peer that is a script: txampext as it is on the wire, and worse ones.

use std::time::Duration;

use amp_core::testing::ScriptedPeer;
pub(crate) use amp_core::testing::box_bytes as packed;
use amp_core::{AmpBox, Settings};
use amp_multiplex::{Stream, StreamListener, StreamSettings};
use tokio::io::{DuplexStream, duplex};

use crate::support::{End, NEVER, soon};

/// A box as it came.
#[derive(Clone, Debug)]
pub(crate) struct Packet(AmpBox);

impl Packet {
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.value(key).is_some()
    }

    pub(crate) fn bytes(&self, key: &str) -> &[u8] {
        self.0.value(key).unwrap_or_else(|| panic!("no {key} in {self:?}"))
    }

    pub(crate) fn text(&self, key: &str) -> String {
        String::from_utf8_lossy(self.bytes(key)).into_owned()
    }

    /// The ask of this command, or a failed test.
    pub(crate) fn named(self, command: &str) -> Self {
        assert!(self.has("_command") && self.text("_command") == command, "{self:?} instead of {command}");
        self
    }
}

/// The other end of a connection under test.
#[derive(Debug)]
pub(crate) struct RawPeer {
    script: ScriptedPeer,
    asked: usize,
}

/// A connection and the script's end of it.
pub(crate) fn scripted() -> (End, RawPeer) {
    scripted_with(StreamSettings::new())
}

pub(crate) fn scripted_with(streams: StreamSettings) -> (End, RawPeer) {
    let (ours, transport) = duplex(1 << 20);
    (End::over(ours, Settings::new(), streams), RawPeer::over(transport))
}

impl RawPeer {
    pub(crate) fn over(transport: DuplexStream) -> Self {
        Self { script: ScriptedPeer::over(transport), asked: 0 }
    }

    pub(crate) async fn send<K: AsRef<[u8]>, V: AsRef<[u8]>>(&mut self, pairs: &[(K, V)]) {
        self.script.send(packed(pairs)).await;
    }

    /// Sends bytes as they are.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.script.try_send(bytes).await
    }

    /// The next box, if it comes in time.
    pub(crate) async fn next_packet(&mut self, time: Duration) -> Option<Packet> {
        self.script.next_box_within(time).await.map(Packet)
    }

    /// Asks, and returns the tag.
    pub(crate) async fn ask(&mut self, command: &str, arguments: &[(&str, &[u8])]) -> String {
        self.asked += 1;
        let tag = format!("t{}", self.asked);
        let mut pairs = vec![("_ask", tag.as_bytes()), ("_command", command.as_bytes())];
        pairs.extend(arguments);
        self.send(&pairs).await;
        tag
    }

    pub(crate) async fn transmit(&mut self, id: &str, data: &[u8]) -> String {
        self.ask("Transmit", &[("connection", id.as_bytes()), ("data", data)]).await
    }

    pub(crate) async fn disconnect(&mut self, id: &str) -> String {
        self.ask("Disconnect", &[("connection", id.as_bytes())]).await
    }

    /// The next box.
    pub(crate) async fn packet(&mut self) -> Packet {
        Packet(self.script.next_box().await)
    }

    /// The next box is this ask.
    pub(crate) async fn expect_ask(&mut self, command: &str) -> Packet {
        self.packet().await.named(command)
    }

    /// The next box answers the tag.
    pub(crate) async fn expect_answer(&mut self, tag: &str) -> Packet {
        let packet = self.packet().await;
        assert!(packet.has("_answer") && packet.text("_answer") == tag, "{packet:?} instead of an answer to {tag}");
        packet
    }

    /// The answer to the tag, whatever comes before it.
    pub(crate) async fn skip_to_answer(&mut self, tag: &str) -> Packet {
        loop {
            let packet = self.packet().await;
            if packet.has("_answer") && packet.text("_answer") == tag {
                return packet;
            }
        }
    }

    /// The next box is an error to the tag.
    pub(crate) async fn expect_error(&mut self, tag: &str, code: &str) -> Packet {
        let packet = self.packet().await;
        assert!(packet.has("_error") && packet.text("_error") == tag, "{packet:?} instead of an error to {tag}");
        assert_eq!(packet.text("_error_code"), code);
        packet
    }

    pub(crate) async fn answer(&mut self, ask: &Packet, response: &[(&str, &str)]) {
        let tag = ask.text("_ask");
        self.send(&[&[("_answer", tag.as_str())], response].concat()).await;
    }

    pub(crate) async fn error(&mut self, ask: &Packet, code: &str) {
        let tag = ask.text("_ask");
        self.send(&[("_error", tag.as_str()), ("_error_code", code), ("_error_description", "")]).await;
    }

    /// Opens a stream to our listener. Returns its id and our end.
    pub(crate) async fn open(&mut self, factory: &str, listener: &mut StreamListener) -> (String, Stream) {
        self.open_bytes(factory.as_bytes(), listener).await
    }

    /// The same for a name of any bytes.
    pub(crate) async fn open_bytes(&mut self, factory: &[u8], listener: &mut StreamListener) -> (String, Stream) {
        let tag = self.ask("Connect", &[("factory", factory)]).await;
        let stream = soon("accepting", listener.accept()).await.expect("a factory");
        (self.expect_answer(&tag).await.text("connection"), stream)
    }

    /// Answers the Connect that comes next.
    pub(crate) async fn accept(&mut self, id: &str) {
        let ask = self.expect_ask("Connect").await;
        self.answer(&ask, &[("connection", id)]).await;
    }

    /// Nothing comes. Only in paused time.
    pub(crate) async fn expect_silence(&mut self) {
        self.script.expect_silence(NEVER).await;
    }

    /// The connection still answers, whatever comes before.
    pub(crate) async fn expect_open_behind_answers(&mut self) {
        let tag = self.ask("Ping", &[("n", b"5")]).await;
        self.skip_to_answer(&tag).await;
    }

    /// The connection still answers.
    pub(crate) async fn expect_open(&mut self) {
        let tag = self.ask("Ping", &[("n", b"5")]).await;
        assert_eq!(self.expect_answer(&tag).await.text("n"), "5");
    }
}
