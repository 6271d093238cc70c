//! The boxes beneath the dispatcher: a receiver that takes them raw.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp::connection::{BoxReceiver, BoxSender, WeakConnection};
use amp::{AmpBox, CallError, CloseReason, Command, Connection, Exposed, Reply, Settings, responder};
use tokio::time::sleep;

use crate::commands::{House, sum};
use crate::logged::{Level, logged};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, ended, packed, soon, word};

/// What receivers were told: the `text` of every box, and the reasons for which they were stopped.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, text: impl Into<String>) {
        self.0.lock().expect("no panic under it").push(text.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic under it"))
    }
}

/// Writes down what it receives, and does what the box tells it.
struct Writer {
    name: &'static str,
    diary: Diary,
    connection: WeakConnection,
}

impl Writer {
    fn new(name: &'static str, diary: &Diary, connection: &Connection) -> Self {
        Self { name, diary: diary.clone(), connection: connection.downgrade() }
    }
}

impl BoxReceiver for Writer {
    fn receive_box(&mut self, received: AmpBox) {
        let keys: Vec<_> = received.iter().map(|(key, _)| key.escape_ascii().to_string()).collect();
        self.diary.note(format!("{}: {}", self.name, keys.join(" ")));
        let connection = self.connection.upgrade().expect("it is open");
        if received.value("restore").is_some() {
            connection.restore_receiver();
        } else if received.value("switch").is_some() {
            connection.switch_receiver(Self::new("another", &self.diary, &connection));
        } else if received.value("echo").is_some() {
            connection.send_box(received).expect("it is open");
        } else if received.value("abort").is_some() {
            connection.abort();
        } else if received.value("panic").is_some() {
            panic!("a receiver panics");
        }
    }

    fn stop(&mut self, reason: &CloseReason) {
        self.diary.note(format!("{} stops: {}", self.name, word(reason)));
    }
}

/// Gives the boxes to a writer.
#[derive(Command, Debug)]
struct Switch {
    #[exposed]
    connection: Exposed<Connection>,
}

#[responder]
impl Diary {
    async fn switch(&self, command: Switch) -> Reply<Switch> {
        command.connection.switch_receiver(Writer::new("writer", self, &command.connection));
        Ok(())
    }
}

fn connected(settings: Settings) -> (Connection, RawPeer, Diary) {
    let diary = Diary::default();
    let locator = (diary.clone().into_locator(), House::new().into_locator());
    let (connection, peer) = RawPeer::with(locator, settings);
    (connection, peer, diary)
}

/// Connected, and the writer has the boxes.
async fn switched() -> (Connection, RawPeer, Diary) {
    let (connection, mut peer, diary) = connected(Settings::new());
    peer.send(ask("s", "Switch", &[])).await;
    peer.expect(answer("s", &[])).await;
    (connection, peer, diary)
}

fn tell(key: &str) -> Vec<u8> {
    packed(&[(key, "")])
}

#[tokio::test(start_paused = true)]
async fn a_responder_switches_the_receiver_from_the_next_box_on() {
    let (_connection, mut peer, diary) = connected(Settings::new());
    let rest = [ask_sum("2"), tell("no meaning"), packed::<&str, &str>(&[]), answer_sum("99")];
    peer.send([ask_sum("0"), ask("1", "Switch", &[]), rest.concat()].concat()).await;
    peer.expect([answer_sum("0"), answer("1", &[])].concat()).await;
    peer.expect_silence().await;
    let boxes = ["_ask _command a b", "no meaning", "", "_answer total"];
    assert_eq!(diary.take(), boxes.map(|keys| format!("writer: {keys}")));
}

#[tokio::test(start_paused = true)]
async fn boxes_that_were_sent_before_an_orderly_end_was_seen_are_received_before_the_receiver_stops() {
    let (connection, mut peer, diary) = switched().await;
    connection.close();
    peer.expect_end("").await;
    peer.send([tell("one"), tell("two")].concat()).await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Closed");
    assert_eq!(diary.take(), ["writer: one", "writer: two", "writer stops: Closed"]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_aborts_gets_no_further_box() {
    let (connection, mut peer, diary) = switched().await;
    peer.send([tell("abort"), tell("two"), tell("three")].concat()).await;
    assert_eq!(ended(&connection).await, "Aborted");
    assert_eq!(diary.take(), ["writer: abort", "writer stops: Aborted"]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_gives_the_boxes_back_and_the_next_one_is_answered() {
    let (_connection, mut peer, diary) = switched().await;
    peer.send([ask_sum("1"), tell("restore"), ask_sum("2"), ask("3", "Switch", &[]), ask_sum("4")].concat()).await;
    peer.expect([answer_sum("2"), answer("3", &[])].concat()).await;
    peer.expect_silence().await;
    let boxes = ["_ask _command a b", "restore", "_ask _command a b"];
    assert_eq!(diary.take(), boxes.map(|keys| format!("writer: {keys}")), "and it is not told to stop");
}

#[tokio::test(start_paused = true)]
async fn a_receiver_switches_to_another_one() {
    let (connection, mut peer, diary) = switched().await;
    peer.send([tell("switch"), tell("x"), tell("echo")].concat()).await;
    peer.expect(tell("echo")).await;
    connection.abort();
    assert_eq!(peer.rest().await, b"");
    assert_eq!(ended(&connection).await, "Aborted");
    assert_eq!(diary.take(), ["writer: switch", "another: x", "another: echo", "another stops: Aborted"]);
}

#[tokio::test(start_paused = true)]
async fn anybody_with_a_handle_switches_and_restores() {
    let (connection, mut peer, diary) = connected(Settings::new());
    peer.expect_open().await;
    connection.switch_receiver(Writer::new("writer", &diary, &connection));
    peer.send([ask_sum("1"), tell("echo")].concat()).await;
    peer.expect(tell("echo")).await;
    connection.restore_receiver();
    connection.restore_receiver();
    peer.expect_open().await;
    assert_eq!(diary.take(), ["writer: _ask _command a b", "writer: echo"]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_panics_loses_that_box_only() {
    let log = logged(Level::INFO);
    let (_connection, mut peer, diary) = switched().await;
    peer.send([tell("panic"), tell("echo"), tell("restore")].concat()).await;
    peer.expect(tell("echo")).await;
    peer.expect_open().await;
    assert_eq!(diary.take(), ["writer: panic", "writer: echo", "writer: restore"]);
    assert!(log.text().contains("a box receiver panicked"), "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn a_receiver_is_told_once_why_no_more_boxes_come() {
    for expected in ["ClosedByPeer", "Wire", "Aborted", "Closed"] {
        let (connection, mut peer, diary) = switched().await;
        match expected {
            "Wire" => peer.send(b"\xff\xff").await,
            "Aborted" => connection.abort(),
            "Closed" => {
                connection.close();
                peer.expect_end("").await;
            }
            _ => {}
        }
        drop(peer);
        assert_eq!(ended(&connection).await, expected);
        assert_eq!(diary.take(), [format!("writer stops: {expected}")]);
        connection.abort();
        connection.restore_receiver();
        assert!(diary.take().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_comes_after_the_end_is_told_at_once() {
    let (connection, peer, diary) = connected(Settings::new());
    drop(peer);
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    connection.switch_receiver(Writer::new("late", &diary, &connection));
    assert_eq!(diary.take(), ["late stops: ClosedByPeer"]);
    assert_eq!(Arc::strong_count(&diary.0), 2, "it is let go: the locator's and the test's are left");
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_out_get_no_answer_while_the_receiver_is_switched() {
    let (connection, mut peer, diary) = connected(Settings::new());
    let calls: Vec<_> =
        (0..4).map(|_| tokio::spawn(connection.call(sum()).timeout(Duration::from_secs(600)))).collect();
    peer.expect(["1", "2", "3", "4"].map(ask_sum).concat()).await;
    // The first answer stands before the switch in the same read, the second one behind it.
    peer.send([answer_sum("1"), ask("s", "Switch", &[]), answer_sum("2")].concat()).await;
    peer.expect(answer("s", &[])).await;
    peer.expect_silence().await;
    let mut calls = calls.into_iter();
    let mut next = || calls.next().expect("four calls");
    let [first, second, third, fourth] = [next(), next(), next(), next()];
    assert_eq!(soon("answered", first).await.expect("no panic").expect("an answer").total, 3);
    assert!(!second.is_finished());
    peer.send([tell("restore"), answer_sum("3")].concat()).await;
    assert_eq!(soon("answered", third).await.expect("no panic").expect("an answer").total, 3);
    assert_eq!(diary.take(), ["writer: _answer total", "writer: restore"]);
    sleep(Duration::from_secs(3600)).await;
    for call in [second, fourth] {
        assert!(matches!(call.await.expect("no panic"), Err(CallError::Timeout { .. })));
    }
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_out_learn_the_end_while_the_receiver_is_switched() {
    let (connection, peer, _) = switched().await;
    let call = tokio::spawn(connection.call(sum()));
    tokio::task::yield_now().await;
    drop(peer);
    assert_eq!(crate::raw_peer::reason(soon("told", call).await.expect("no panic")), "ClosedByPeer");
}
