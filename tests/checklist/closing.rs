//! Closing: what still arrives, and for how long.

use std::pin::Pin;
use std::time::Duration;

use amp::{CloseReason, Connection, Peer, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::yield_now;
use tokio::time::Instant;

use crate::commands::{House, Note, Wait, sum};
use crate::logged::{Level, logged};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, draining, ended, packed, reason, soon};

fn house(settings: Settings) -> (Connection, RawPeer, House) {
    let house = House::new();
    let (connection, peer) = RawPeer::with(house.clone().into_locator(), settings);
    (connection, peer, house)
}

/// Longer than any silence that a test listens to.
fn patient() -> Settings {
    Settings::new().close_timeout(Duration::from_secs(24 * 3600))
}

#[tokio::test(start_paused = true)]
async fn closing_lets_outstanding_answers_arrive_and_takes_no_new_calls() {
    let (connection, mut peer, _) = house(patient());
    let calls = [tokio::spawn(connection.call(sum())), tokio::spawn(connection.call(sum()))];
    peer.expect([ask_sum("1"), ask_sum("2")].concat()).await;
    connection.close();
    connection.close();
    assert!(connection.is_closed());
    assert_eq!(reason(connection.call(sum()).await), "Closed");
    peer.send(answer_sum("2")).await;
    peer.expect_silence().await;
    peer.send(answer_sum("1")).await;
    peer.expect_end("").await;
    for call in calls {
        soon("answered", call).await.expect("no panic").expect("an answer");
    }
    drop(peer);
    assert_eq!(ended(&connection).await, "Closed");
}

#[tokio::test(start_paused = true)]
async fn closing_lets_running_responders_finish() {
    let (connection, mut peer, house) = house(patient());
    peer.send(ask("1", "Wait", &[])).await;
    peer.expect_silence().await;
    connection.close();
    peer.expect_silence().await;
    house.open(1);
    peer.expect_end(answer("1", &[])).await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Closed");
}

#[tokio::test(start_paused = true)]
async fn closing_begins_nothing_that_waits_for_its_turn_and_says_so() {
    let (connection, mut peer, house) = house(patient().in_order(true));
    peer.send([ask("1", "Wait", &[]), ask_sum("2"), ask("3", "Wait", &[])].concat()).await;
    peer.expect_silence().await;
    connection.close();
    peer.expect([draining("2"), draining("3")].concat()).await;
    house.open(2);
    peer.expect_end(answer("1", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_this_end_closes_is_answered_that_nothing_was_done() {
    let (connection, mut peer, house) = house(patient());
    peer.send(ask("1", "Wait", &[])).await;
    peer.expect_silence().await;
    connection.close();
    peer.send([ask_sum("2"), ask("3", "Nope", &[]), ask("4", "Wait", &[])].concat()).await;
    peer.expect([draining("2"), draining("3"), draining("4")].concat()).await;
    house.open(1);
    peer.expect_end(answer("1", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn closing_ends_at_its_deadline_whoever_has_not_answered() {
    let (connection, mut peer, house) = house(Settings::new().close_timeout(Duration::from_secs(5)));
    let call = tokio::spawn(connection.call(Wait));
    peer.expect(ask("1", "Wait", &[])).await;
    peer.send(ask("1", "Wait", &[])).await;
    peer.expect_open().await;
    let start = Instant::now();
    connection.close();
    assert_eq!(reason(soon("told", call).await.expect("no panic")), "Closed");
    assert_eq!(start.elapsed().as_secs(), 5);
    peer.expect_end("").await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Closed");
    assert_eq!(house.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn closing_does_not_wait_for_calls_whose_callers_are_gone() {
    let (connection, mut peer, _) = house(patient());
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    connection.close();
    peer.expect_silence().await;
    call.abort();
    peer.expect_end("").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_queued_when_the_connection_closes_or_aborts_is_still_written() {
    for abort in [false, true] {
        // So small that the first box is still being written when the connection ends.
        let (connection, peer) = RawPeer::with_room(4, (), Settings::new());
        for _ in 0..20 {
            connection.notify(sum()).await.expect("there is room");
            // The first ones are being written when the last ones are queued.
            yield_now().await;
        }
        if abort {
            connection.abort();
        } else {
            connection.close();
        }
        let all = ask_notified().repeat(20);
        assert!(peer.rest().await == all, "abort: {abort}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_the_last_bytes_is_left_after_linger() {
    let (connection, _peer) = RawPeer::with_room(16, (), Settings::new().linger(Duration::from_secs(3)));
    connection.notify(sum()).await.expect("there is room");
    yield_now().await;
    let start = Instant::now();
    connection.abort();
    assert_eq!(ended(&connection).await, "Aborted");
    assert_eq!(start.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_closes_and_a_call_or_a_clone_is_a_handle() {
    let (connection, mut peer, _) = house(patient());
    let clone = connection.clone();
    drop(connection);
    peer.expect_open().await;
    let call = tokio::spawn(clone.call(sum()));
    peer.expect(ask_sum("1")).await;
    drop(clone);
    peer.expect_silence().await;
    peer.send(answer_sum("1")).await;
    soon("answered", call).await.expect("no panic").expect("an answer");
    peer.expect_end("").await;
}

#[tokio::test(start_paused = true)]
async fn a_driver_gives_the_reason_when_it_is_done() {
    let (ours, _theirs) = tokio::io::duplex(4096);
    let (connection, driver) = Connection::builder().build(ours, Peer::other("script"));
    let driver = tokio::spawn(driver);
    connection.close();
    let reason = soon("the driver ends", driver).await.expect("no panic");
    assert!(matches!(reason, CloseReason::Closed), "{reason:?}");
}

#[tokio::test(start_paused = true)]
async fn who_has_not_been_answered_when_the_connection_aborts_gets_the_end_and_nothing_else() {
    for in_order in [false, true] {
        let (connection, mut peer, house) = house(Settings::new().in_order(in_order));
        peer.send([ask_sum("0"), ask("1", "Wait", &[]), ask("2", "Wait", &[])].concat()).await;
        peer.expect(answer_sum("0")).await;
        assert_eq!(house.waiting(), if in_order { 1 } else { 2 });
        connection.abort();
        peer.expect_end("").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_half_closes_gets_what_was_answered_and_the_end() {
    let (connection, mut peer, house) = house(patient());
    peer.send([ask("1", "Wait", &[]), ask_sum("2")].concat()).await;
    peer.finish().await;
    peer.expect_end(answer_sum("2")).await;
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    assert_eq!(house.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_moves_to_another_task_is_woken_there() {
    let (ours, mut theirs) = tokio::io::duplex(4096);
    let builder = Connection::builder().settings(Settings::new().announce(false)).locator(House::new().into_locator());
    let (connection, mut driver) = builder.build(ours, Peer::other("script"));
    let mut nobody = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(Pin::new(&mut driver).poll(&mut nobody).is_pending());
    let driver = tokio::spawn(driver);
    yield_now().await;
    let call = tokio::spawn(connection.call(sum()));
    let mut got = vec![0; ask_sum("1").len()];
    soon("the ask", theirs.read_exact(&mut got)).await.expect("bytes");
    assert_eq!(got, ask_sum("1"));
    theirs.write_all(&answer_sum("1")).await.expect("room");
    soon("answered", call).await.expect("no panic").expect("an answer");
    connection.close();
    soon("the driver ends", driver).await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_a_place_when_the_connection_closes_are_told_at_once() {
    let (connection, mut peer, _) = house(patient().max_calls(1));
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    let queued = tokio::spawn(connection.call(Wait));
    peer.expect_silence().await;
    connection.close();
    assert_eq!(reason(soon("told", queued).await.expect("no panic")), "Closed");
    peer.send(answer_sum("1")).await;
    soon("answered", call).await.expect("no panic").expect("an answer");
    peer.expect_end("").await;
}

/// What was read together is handled in parts now and then, to see whether that is faster (`pace`).
#[tokio::test(start_paused = true)]
async fn a_responder_that_closes_leaves_nothing_that_was_read_with_its_ask_without_an_answer() {
    let (connection, mut peer, _) = house(patient());
    // As many boxes as the first measurement takes: the second is of parts.
    for _ in 0..260 {
        let (asks, answers) = (0..64).map(|at| at.to_string()).map(|tag| (ask_sum(&tag), answer_sum(&tag))).unzip();
        let (asks, answers): (Vec<_>, Vec<_>) = (asks, answers);
        peer.send(asks.concat()).await;
        peer.expect(answers.concat()).await;
    }
    let tags = || (1..100).map(|at| at.to_string());
    let asks: Vec<_> = tags().map(|tag| ask_sum(&tag)).collect();
    peer.send([ask("0", "Quit", &[]), asks.concat()].concat()).await;
    let answers: Vec<_> = tags().map(|tag| draining(&tag)).collect();
    peer.expect_end([answer("0", &[]), answers.concat()].concat()).await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Closed");
}

#[tokio::test(start_paused = true)]
async fn what_was_accepted_and_is_not_written_in_time_is_told_to_who_waits_for_the_end() {
    let logged = logged(Level::INFO);
    let (connection, mut peer) = RawPeer::with_room(16, (), Settings::new());
    connection.notify(sum()).await.expect("queued");
    connection.notify(sum()).await.expect("queued");
    connection.close();
    assert_eq!(ended(&connection).await, "Unwritten");
    assert_eq!(logged.text().matches("the last bytes of a connection may be lost").count(), 1, "{}", logged.text());
    assert_eq!(peer.read_some().await.len(), 16);
    // Whoever comes later learns the same.
    assert_eq!(ended(&connection).await, "Unwritten");
    assert_eq!(reason(connection.call(sum()).await), "Closed");
}

/// A pair of sockets of each kind.
async fn sockets() -> [(Connection, Box<dyn std::any::Any>); 2] {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let tcp = Connection::builder().connect_tcp(listener.local_addr().expect("TCP")).await.expect("it listens");
    let accepted = listener.accept().await.expect("a socket").0;
    let (one, other) = tokio::net::UnixStream::pair().expect("sockets");
    [(tcp, Box::new(accepted)), (Connection::builder().start_unix(one), Box::new(other))]
}

#[tokio::test]
async fn what_the_peer_threw_away_unread_is_told_to_who_waits_for_the_end() {
    for (connection, peer) in sockets().await {
        connection.notify(sum()).await.expect("queued");
        connection.close();
        // It is written, and the system of the peer has it.
        tokio::time::sleep(Duration::from_millis(100)).await;
        drop(peer);
        assert_eq!(ended(&connection).await, "Io");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_transport_holds_back_to_the_end_is_told_and_so_is_a_driver_that_goes_before() {
    let (ours, _theirs) = tokio::io::duplex(16);
    let connection = Connection::builder().start(tokio::io::BufStream::new(ours), Peer::other("held"));
    connection.notify(sum()).await.expect("queued");
    connection.close();
    assert_eq!(ended(&connection).await, "Unwritten");

    let (ours, _theirs) = tokio::io::duplex(16);
    let (connection, driver) = Connection::builder().build(ours, Peer::other("driven"));
    let driving = tokio::spawn(driver);
    connection.notify(sum()).await.expect("queued");
    connection.close();
    // Behind the time for closing, within that for the last bytes.
    tokio::time::sleep(Duration::from_millis(10_500)).await;
    driving.abort();
    assert_eq!(ended(&connection).await, "DriverDropped");
}

/// A Sum that wants no answer.
fn ask_notified() -> Vec<u8> {
    packed(&[("_command", "Sum"), ("a", "1"), ("b", "2")])
}

#[tokio::test(start_paused = true)]
async fn what_a_slow_peer_reads_within_the_time_is_not_told() {
    let (connection, mut peer) = RawPeer::with_room(16, (), Settings::new());
    connection.notify(sum()).await.expect("queued");
    connection.close();
    let read = tokio::spawn(async move { peer.expect_end(ask_notified()).await });
    assert_eq!(ended(&connection).await, "Closed");
    soon("read", read).await.expect("all of it");
}

/// What is logged of notifications of the peer that may be lost behind an orderly end of this one.
const CUT_SHORT: &str = "notifications that the peer had sent before it saw that this end closed may be lost";

#[tokio::test(start_paused = true)]
async fn it_is_logged_when_what_comes_behind_an_orderly_end_is_cut_off_or_too_late() {
    let half_a_box = &ask_notified()[..7];
    for (ends, sends, is_logged) in [
        (true, &ask_notified()[..], false),
        (true, b"", false),
        // A box that was cut in the middle.
        (true, half_a_box, true),
        // No box.
        (true, b"\xff\xff", true),
        // The peer goes on, as far as is known.
        (false, b"", true),
        (false, half_a_box, true),
    ] {
        let logged = logged(Level::INFO);
        let (connection, mut peer, _) = house(patient());
        connection.close();
        peer.expect_end("").await;
        peer.send(sends).await;
        let peer = if ends {
            drop(peer);
            None
        } else {
            Some(peer)
        };
        assert_eq!(ended(&connection).await, "Closed");
        assert_eq!(logged.text().contains(CUT_SHORT), is_logged, "{sends:?} {ends}: {}", logged.text());
        drop(peer);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_logged_of_what_comes_behind_an_end_that_the_peer_can_tell_from_an_orderly_one() {
    let logged = logged(Level::INFO);
    let (connection, mut peer, _) = house(patient());
    connection.abort();
    peer.expect_end("").await;
    peer.send(ask_notified()).await;
    assert_eq!(ended(&connection).await, "Aborted");
    assert!(!logged.text().contains(CUT_SHORT), "{}", logged.text());
}

#[tokio::test]
async fn last_bytes_are_not_reset_by_what_was_not_read_because_too_much_is_held() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let stream = tokio::net::TcpStream::connect(listener.local_addr().expect("bound")).await.expect("it listens");
    let (mut peer, _) = listener.accept().await.expect("a peer");
    let settings = Settings::new().max_inbound(1).linger(Duration::from_millis(100)).announce(false);
    let house = House::new();
    let connection = Connection::builder()
        .settings(settings.close_timeout(Duration::from_secs(1)))
        .locator(house.clone().into_locator())
        .start(stream, Peer::other("peer"));
    let text = "n".repeat(30_000);
    for _ in 0..30 {
        connection.notify(Note { text: text.clone() }).await.expect("there is room");
    }
    connection.close();
    let note = packed(&[("_command", "Note"), ("text", &text)]);
    let mut received = vec![0; 4_096];
    peer.read_exact(&mut received).await.expect("the first of it");
    // One waits for its gate, and so the next ones are not read.
    peer.write_all(&packed(&[("_command", "Wait")]).repeat(10_000)).await.expect("it is not closed");
    assert_eq!(ended(&connection).await, "Closed");
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).await.expect("no reset");
    assert!([received, rest].concat() == note.repeat(30), "all of it");
}
