//! How long a peer may keep a connection waiting, in paused time.

use std::time::Duration;

use amp::{CloseReason, Connection, Peer, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep};

use crate::commands::{House, Note, sum};
use crate::logged::{Level, logged};
use crate::raw_peer::{RawPeer, answer_sum, ask_sum, ended, soon};

const SECOND: Duration = Duration::from_secs(1);

fn with(settings: Settings) -> (Connection, RawPeer) {
    RawPeer::with(House::new().into_locator(), settings.linger(Duration::ZERO))
}

#[tokio::test(start_paused = true)]
async fn a_box_that_has_begun_ends_the_connection_when_nothing_more_of_it_comes() {
    for settings in [
        Settings::new(),
        Settings::new().in_order(true),
        Settings::new().strictness(amp::connection::Strictness::Twisted),
    ] {
        let logged = logged(Level::INFO);
        let (connection, mut peer) = with(settings);
        peer.expect_open().await;
        let start = Instant::now();
        peer.send(&ask_sum("1")[..9]).await;
        let reason = soon("the end", connection.closed()).await;
        assert!(matches!(reason, CloseReason::BoxTimeout { timeout } if timeout == 30 * SECOND), "{reason:?}");
        assert_eq!(start.elapsed().as_secs(), 30);
        peer.expect_end("").await;
        assert_eq!(
            logged.text().matches("began a box and sent nothing more of it for 30s").count(),
            1,
            "{}",
            logged.text()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn one_byte_of_a_box_is_a_box_that_has_begun() {
    let (connection, mut peer) = with(Settings::new());
    peer.send([0]).await;
    assert_eq!(ended(&connection).await, "BoxTimeout");
}

#[tokio::test(start_paused = true)]
async fn each_byte_of_a_box_begins_its_time_anew() {
    let (connection, mut peer) = with(Settings::new().box_timeout(10 * SECOND));
    for byte in ask_sum("1") {
        sleep(9 * SECOND).await;
        peer.send([byte]).await;
    }
    peer.expect(answer_sum("1")).await;
    peer.send(&ask_sum("2")[..3]).await;
    sleep(9 * SECOND).await;
    peer.send(&ask_sum("2")[3..5]).await;
    let start = Instant::now();
    assert_eq!(ended(&connection).await, "BoxTimeout");
    assert_eq!(start.elapsed().as_secs(), 10, "from the last byte, not from the first or from when it was looked");
}

#[tokio::test(start_paused = true)]
async fn turns_in_which_nothing_comes_do_not_begin_the_time_of_a_box_anew() {
    let (connection, mut peer) = with(Settings::new().box_timeout(10 * SECOND));
    peer.send(&ask_sum("1")[..3]).await;
    let start = Instant::now();
    for _ in 0..9 {
        sleep(SECOND).await;
        connection.notify(Note { text: "busy".into() }).await.expect("sent");
    }
    assert_eq!(ended(&connection).await, "BoxTimeout");
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn between_boxes_and_before_the_first_one_there_is_no_limit() {
    let (connection, mut peer) = with(Settings::new());
    sleep(86_400 * SECOND).await;
    peer.expect_open().await;
    // A box in two parts has had a limit, and it is over.
    peer.send(&ask_sum("1")[..9]).await;
    sleep(SECOND).await;
    peer.send(&ask_sum("1")[9..]).await;
    peer.expect(answer_sum("1")).await;
    sleep(86_400 * SECOND).await;
    peer.expect_open().await;
    assert!(!connection.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_peer_of_this_library_learns_that_its_box_took_too_long() {
    let (ours, relayed) = tokio::io::duplex(1 << 16);
    let (relay, theirs) = tokio::io::duplex(1 << 16);
    let here = Connection::builder().locator(House::new().into_locator()).start(ours, Peer::other("there"));
    let there = Connection::builder().start(theirs, Peer::other("here"));
    // What stands between the two holds the second half of a box back.
    let (mut from_here, mut to_here) = tokio::io::split(relayed);
    let (mut from_there, mut to_there) = tokio::io::split(relay);
    tokio::spawn(async move { tokio::io::copy(&mut from_here, &mut to_there).await });
    let holding = tokio::spawn(async move {
        let mut bytes = [0; 4096];
        let count = from_there.read(&mut bytes).await.expect("the first call");
        to_here.write_all(&bytes[..count]).await.expect("the first call");
        let count = from_there.read(&mut bytes).await.expect("the second call");
        to_here.write_all(&bytes[..count / 2]).await.expect("half of it");
        (from_there, to_here)
    });
    there.call(sum()).await.expect("an answer");
    let reply = soon("told", there.call(sum())).await;
    let _held = holding.await.expect("no panic");
    assert!(reply.is_err(), "{reply:?}");
    let reason = there.closed().await;
    assert!(
        matches!(&reason, CloseReason::EndedByPeer { code, .. } if code == amp::error::codes::TIMEOUT),
        "{reason:?}"
    );
    assert_eq!(ended(&here).await, "BoxTimeout");
}

/// A connection that has more to write than the transport takes.
async fn stalled(settings: Settings) -> (Connection, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(64);
    let settings = settings.announce(false).linger(Duration::ZERO);
    let connection = Connection::builder().settings(settings).start(ours, Peer::other("script"));
    connection.notify(Note { text: "x".repeat(1000) }).await.expect("queued");
    (connection, theirs)
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_of_what_waits_ends_the_connection() {
    for settings in [
        Settings::new(),
        Settings::new().in_order(true),
        Settings::new().strictness(amp::connection::Strictness::Twisted),
    ] {
        let logged = logged(Level::INFO);
        let start = Instant::now();
        let (connection, _peer) = stalled(settings).await;
        let reason = tokio::time::timeout(600 * SECOND, connection.closed()).await.expect("it ends");
        assert!(matches!(reason, CloseReason::WriteTimeout { timeout } if timeout == 120 * SECOND), "{reason:?}");
        assert_eq!(start.elapsed().as_secs(), 120);
        assert_eq!(logged.text().matches("took nothing of what waits to be written for 120s").count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn each_byte_that_is_taken_begins_the_time_of_a_write_anew() {
    let (connection, mut peer) = stalled(Settings::new().write_timeout(10 * SECOND)).await;
    let mut byte = [0];
    for _ in 0..20 {
        sleep(9 * SECOND).await;
        peer.read_exact(&mut byte).await.expect("it is open");
    }
    let start = Instant::now();
    for _ in 0..9 {
        sleep(SECOND).await;
        peer.write_all(&ask_sum("1")).await.expect("it is open");
    }
    assert_eq!(ended(&connection).await, "WriteTimeout");
    assert_eq!(start.elapsed().as_secs(), 10, "what it sends meanwhile is no sign that it reads");
}

#[tokio::test(start_paused = true)]
async fn without_limits_silence_ends_nothing() {
    let settings = Settings::new().box_timeout(None).write_timeout(None);
    let (connection, mut peer) = stalled(settings).await;
    peer.write_all(&ask_sum("1")[..9]).await.expect("it is open");
    sleep(86_400 * SECOND).await;
    assert!(!connection.is_closed());
}
