//! Rule 64: every bound of `Settings` and `BoxLimits` is met by somebody here. `linger`, `close_timeout` and
//! `call_timeout` are met in `closing` and `timeouts`.

use std::time::Duration;

use amp::value::EncodeErrorKind;
use amp::wire::BoxLimits;
use amp::{Arguments, CallError, Command, Reply, Settings, responder};
use tokio::task::JoinSet;

use crate::commands::{Echo, House, Note, Wait, sum};
use crate::logged::{self, logged};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, ended, error, packed, soon};

fn with(settings: Settings) -> (amp::Connection, RawPeer, House) {
    let house = House::new();
    let (connection, peer) = RawPeer::with(house.clone().into_locator(), settings);
    (connection, peer, house)
}

#[tokio::test(start_paused = true)]
async fn a_received_box_over_the_limit_of_bytes_closes_and_earlier_answers_are_flushed() {
    let limit = ask_sum("x").len();
    let (connection, mut peer, _) = with(Settings::new().boxes(BoxLimits::new().bytes(limit)));
    peer.send([ask_sum("x"), ask_sum("xx")].concat()).await;
    peer.expect_end(answer_sum("x")).await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Wire");
}

#[tokio::test(start_paused = true)]
async fn a_received_box_over_the_limit_of_pairs_closes_and_earlier_answers_are_flushed() {
    let (connection, mut peer, _) = with(Settings::new().boxes(BoxLimits::new().pairs(4)));
    peer.send([ask_sum("x"), ask("x", "Sum", &[("a", "1"), ("b", "2"), ("c", "3")])].concat()).await;
    peer.expect_end(answer_sum("x")).await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Wire");
}

#[tokio::test(start_paused = true)]
async fn a_box_over_the_limit_of_bytes_is_not_sent() {
    let (connection, mut peer, _) = with(Settings::new().boxes(BoxLimits::new().bytes(200)));
    match soon("refused", connection.call(Echo { data: vec![0; 200] })).await {
        Err(CallError::Invalid(error)) => assert_eq!(error.kind(), &EncodeErrorKind::BoxTooLong { limit: 200 }),
        other => panic!("{other:?}"),
    }
    peer.send(ask("1", "Big", &[("size", "200")])).await;
    peer.expect(error("1", "TOO_LONG", "the box has more than 200 bytes; see `BoxLimits::bytes`")).await;
    peer.expect_open().await;
}

#[derive(Command, Debug)]
struct Deep {
    one: Vec<Vec<Level>>,
}

#[derive(Arguments, Debug)]
struct Level {}

struct Bottom;

#[responder]
impl Bottom {
    async fn deep(&self, _command: Deep) -> Reply<Deep> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_over_the_limit_of_nesting_is_an_invalid_argument_and_is_not_sent() {
    let with = |nesting| RawPeer::with(Bottom.into_locator(), Settings::new().boxes(BoxLimits::new().nesting(nesting)));
    let (_connection, mut peer) = with(2);
    peer.send(ask("1", "Deep", &[("one", "\0\x02\0\0")])).await;
    peer.expect(answer("1", &[])).await;
    let (connection, mut peer) = with(1);
    peer.send(ask("1", "Deep", &[("one", "\0\x02\0\0")])).await;
    peer.expect(error("1", "INVALID_ARGUMENT", "one[0][0]: nested too deep; see `BoxLimits::nesting`")).await;
    match soon("refused", connection.call(Deep { one: vec![vec![Level {}]] })).await {
        Err(CallError::Invalid(error)) => {
            assert_eq!((error.path(), error.kind()), ("one[0][0]", &EncodeErrorKind::TooDeep))
        }
        other => panic!("{other:?}"),
    }
    peer.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn calls_over_the_limit_wait_for_a_place() {
    let (connection, mut peer, _) = with(Settings::new().max_calls(2));
    let mut calls: Vec<_> = (0..4).map(|_| tokio::spawn(connection.call(sum()))).collect();
    peer.expect([ask_sum("1"), ask_sum("2")].concat()).await;
    peer.expect_silence().await;
    connection.notify(Note { text: "no place needed".into() }).await.expect("sent");
    peer.expect(packed(&[("_command", "Note"), ("text", "no place needed")])).await;
    calls.remove(0).abort();
    peer.expect_silence().await;
    peer.send(answer_sum("1")).await;
    peer.expect(ask_sum("4")).await;
    peer.send(answer_sum("2")).await;
    peer.expect(ask_sum("5")).await;
    peer.send([answer_sum("4"), answer_sum("5")].concat()).await;
    for call in calls {
        soon("answered", call).await.expect("no panic").expect("an answer");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_waits_for_a_place_is_never_sent() {
    let (connection, mut peer, _) = with(Settings::new().max_calls(1));
    let first = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    let second = tokio::spawn(connection.call(Wait));
    peer.expect_silence().await;
    second.abort();
    let third = tokio::spawn(connection.call(sum()));
    peer.send(answer_sum("1")).await;
    peer.expect(ask_sum("2")).await;
    peer.send(answer_sum("2")).await;
    for call in [first, third] {
        soon("answered", call).await.expect("no panic").expect("an answer");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_waits_for_room_gives_its_place_back() {
    let settings = Settings::new().max_calls(3).outbound_high_water(1);
    let (connection, mut peer) = RawPeer::with_room(16, (), settings);
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(tokio::spawn(connection.call(sum())));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let without_room = calls.remove(2);
    without_room.abort();
    calls.push(tokio::spawn(connection.call(sum())));
    peer.expect([ask_sum("1"), ask_sum("2"), ask_sum("3")].concat()).await;
    peer.send([answer_sum("3"), answer_sum("2"), answer_sum("1")].concat()).await;
    for call in calls {
        soon("answered", call).await.expect("no panic").expect("an answer");
    }
}

#[tokio::test(start_paused = true)]
async fn commands_over_the_limit_are_answered_with_busy_and_do_not_run() {
    let (_connection, mut peer, house) = with(Settings::new().max_responders(2));
    peer.send([ask("1", "Wait", &[]), ask("2", "Wait", &[]), ask("3", "Note", &[("text", "n")])].concat()).await;
    peer.expect(error("3", "BUSY", "Too many commands are running; try again later")).await;
    assert_eq!((house.waiting(), house.notes().len()), (2, 0));
    house.open(2);
    peer.expect([answer("1", &[]), answer("2", &[])].concat()).await;
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn in_order_the_limit_counts_those_that_wait_for_their_turn() {
    let (_connection, mut peer, house) = with(Settings::new().max_responders(2).in_order(true));
    peer.send([ask("1", "Wait", &[]), ask_sum("2"), ask_sum("3")].concat()).await;
    peer.expect(error("3", "BUSY", "Too many commands are running; try again later")).await;
    house.open(1);
    peer.expect([answer("1", &[]), answer_sum("2")].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn callers_wait_at_the_outbound_high_water_and_go_on_when_the_peer_reads() {
    let settings = Settings::new().outbound_high_water(200);
    let (connection, peer) = RawPeer::with_room(64, House::new().into_locator(), settings);
    let note = || Note { text: "x".repeat(20) };
    let mut notes = JoinSet::new();
    for _ in 0..50 {
        let connection = connection.clone();
        notes.spawn(async move { connection.notify(note()).await });
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut sent = 0;
    while let Some(done) = notes.try_join_next() {
        done.expect("no panic").expect("sent");
        sent += 1;
    }
    assert!((1..20).contains(&sent), "{sent} were queued although the peer does not read");
    drop(connection);
    let all = packed(&[("_command", "Note"), ("text", &"x".repeat(20))]).repeat(50);
    assert_eq!(peer.rest().await.len(), all.len());
    for done in notes.join_all().await {
        done.expect("sent");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_asks_and_never_reads_ends_at_the_limit_of_outbound_bytes() {
    let logged = logged(logged::Level::INFO);
    let settings = Settings::new().max_outbound(1000);
    let (connection, mut peer) = RawPeer::with_room(64, House::new().into_locator(), settings);
    let flood = tokio::spawn(async move {
        for _ in 0..1000 {
            // The connection reads on, however much it has to write.
            peer.send(ask_sum("1")).await;
        }
    });
    assert_eq!(ended(&connection).await, "NotReading");
    let lines = logged.text();
    assert!(lines.contains("the peer does not read: over 1000 bytes"), "{lines}");
    assert_eq!(lines.lines().count(), 1, "the reason says all: {lines}");
    flood.abort();
}

#[tokio::test(start_paused = true)]
async fn the_reader_does_not_wait_for_the_writer() {
    let (connection, mut peer) = RawPeer::with_room(64, House::new().into_locator(), Settings::new());
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    // A hundred answers that the script does not read, and then the answer that the caller waits for.
    peer.send(ask_sum("x").repeat(100)).await;
    peer.send(answer_sum("1")).await;
    soon("answered", call).await.expect("no panic").expect("an answer");
    peer.expect(answer_sum("x").repeat(100)).await;
}
