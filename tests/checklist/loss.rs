//! However a connection ends, everybody who waits for it learns the reason.

use std::io;

use amp::testing::{Faults, FaultyTransport};
use amp::{AmpBox, Connection, Peer, Settings};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, yield_now};

use crate::commands::{House, Wait, sum};
use crate::raw_peer::{RawPeer, answer_sum, ask, ask_sum, ended, reason, soon, word};

/// Everything that can wait on a connection, waiting.
struct Waiters {
    calls: Vec<JoinHandle<String>>,
}

impl Waiters {
    /// The connection has place for two calls: the third one waits for it.
    async fn on(connection: &Connection) -> Self {
        let mut calls = Vec::new();
        for _ in 0..2 {
            let call = connection.call(sum());
            calls.push(tokio::spawn(async move { reason(call.await) }));
        }
        yield_now().await;
        let queued = connection.call(sum());
        calls.push(tokio::spawn(async move { reason(queued.await) }));
        for _ in 0..2 {
            let connection = connection.clone();
            calls.push(tokio::spawn(async move { word(&connection.closed().await) }));
        }
        yield_now().await;
        Self { calls }
    }

    /// All of them learn it, and so does who comes a moment too late.
    async fn learn(self, expected: &str, connection: &Connection) {
        for (at, call) in self.calls.into_iter().enumerate() {
            assert_eq!(soon("a waiter is woken", call).await.expect("no panic"), expected, "waiter {at}");
        }
        assert_eq!(reason(connection.call(sum()).await), expected);
        assert_eq!(reason(connection.call_box("Sum", AmpBox::new()).await), expected);
        assert_eq!(ended(connection).await, expected);
        assert!(connection.is_closed());
    }
}

fn two_calls() -> Settings {
    Settings::new().max_calls(2)
}

async fn connected(house: &House) -> (Connection, RawPeer, Waiters) {
    let (connection, mut peer) = RawPeer::with(house.clone().into_locator(), two_calls());
    peer.send(ask("w", "Wait", &[])).await;
    let waiters = Waiters::on(&connection).await;
    peer.expect([ask_sum("1"), ask_sum("2")].concat()).await;
    assert_eq!(house.waiting(), 1);
    (connection, peer, waiters)
}

#[tokio::test(start_paused = true)]
async fn when_the_peer_goes_every_waiter_is_told_and_running_responders_are_dropped() {
    let house = House::new();
    let (connection, peer, waiters) = connected(&house).await;
    drop(peer);
    waiters.learn("ClosedByPeer", &connection).await;
    assert_eq!(house.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn when_this_end_aborts_every_waiter_is_told_and_running_responders_are_dropped() {
    let house = House::new();
    let (connection, mut peer, waiters) = connected(&house).await;
    connection.abort();
    peer.expect_end("").await;
    drop(peer);
    waiters.learn("Aborted", &connection).await;
    assert_eq!(house.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn when_the_peers_bytes_are_not_amp_every_waiter_is_told() {
    for (bytes, expected) in [(&b"\xff\xff"[..], "Wire"), (b"\0\0", "Packet")] {
        let (connection, mut peer, waiters) = connected(&House::new()).await;
        peer.send(bytes).await;
        peer.expect_end("").await;
        drop(peer);
        waiters.learn(expected, &connection).await;
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_driver_is_dropped_every_waiter_is_told() {
    let (ours, theirs) = tokio::io::duplex(4096);
    let (connection, driver) = Connection::builder().settings(two_calls()).build(ours, Peer::other("script"));
    let driver = tokio::spawn(driver);
    let waiters = Waiters::on(&connection).await;
    driver.abort();
    waiters.learn("DriverDropped", &connection).await;
    drop(theirs);
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_is_never_polled_and_dropped_tells_who_waits() {
    let (ours, _theirs) = tokio::io::duplex(4096);
    let (connection, driver) = Connection::builder().settings(two_calls()).build(ours, Peer::other("script"));
    let waiters = Waiters::on(&connection).await;
    drop(driver);
    waiters.learn("DriverDropped", &connection).await;
}

#[tokio::test(start_paused = true)]
async fn when_reading_or_writing_fails_every_waiter_is_told() {
    let fails = |kind: io::ErrorKind| Faults::new().fail_after(0, kind);
    for (reads, writes) in
        [(Faults::new(), fails(io::ErrorKind::BrokenPipe)), (fails(io::ErrorKind::ConnectionReset), Faults::new())]
    {
        let (open, _held) = tokio::io::duplex(4096);
        let broken = FaultyTransport::new(open).reads(reads).writes(writes);
        let (connection, driver) = Connection::builder().settings(two_calls()).build(broken, Peer::other("broken"));
        let waiters = Waiters::on(&connection).await;
        tokio::spawn(driver);
        waiters.learn("Io", &connection).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_came_before_the_end_is_not_lost() {
    let (connection, mut peer) = RawPeer::with((), Settings::new());
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    peer.send([&answer_sum("1")[..], b"\xff\xff"].concat()).await;
    assert_eq!(soon("answered", call).await.expect("no panic").expect("an answer").total, 3);
    drop(peer);
    assert_eq!(ended(&connection).await, "Wire");
}

#[tokio::test(start_paused = true)]
async fn abort_is_heard_while_the_peer_does_not_read() {
    let (connection, mut peer) = RawPeer::with_room(16, (), Settings::new());
    let call = tokio::spawn(connection.call(sum()));
    assert!(!peer.read_some().await.is_empty());
    yield_now().await;
    connection.abort();
    assert_eq!(reason(soon("told", call).await.expect("no panic")), "Aborted");
    assert_eq!(ended(&connection).await, "Aborted", "after `linger`, although the last bytes were not read");
}

#[tokio::test(start_paused = true)]
async fn callers_that_wait_for_room_are_told() {
    let (connection, _peer) = RawPeer::with_room(16, (), Settings::new().outbound_high_water(1));
    let mut callers = Vec::new();
    for _ in 0..4 {
        let connection = connection.clone();
        callers.push(tokio::spawn(async move { connection.notify(sum()).await }));
        yield_now().await;
        yield_now().await;
    }
    connection.abort();
    let mut told = 0;
    for caller in callers {
        match soon("told", caller).await.expect("no panic") {
            Ok(()) => {}
            Err(amp::error::NotifyError::Connection(reason)) => told += usize::from(word(&reason) == "Aborted"),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(told, 2, "the first is being written, the second is queued");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_connection_leaves_no_task_behind() {
    let before = Handle::current().metrics().num_alive_tasks();
    for _ in 0..10 {
        let house = House::new();
        let (connection, mut peer) = RawPeer::with(house.into_locator(), Settings::new());
        peer.send(ask("1", "Wait", &[]).repeat(3)).await;
        peer.expect_open().await;
        let call = connection.call(Wait);
        drop((connection, call, peer));
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), before);
    }
}
