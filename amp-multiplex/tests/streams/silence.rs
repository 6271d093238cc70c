//! Peers that do not answer a Disconnect.

use std::time::Duration;

use amp_core::{CloseReason, Settings};
use amp_multiplex::{Stream, StreamSettings};
use tokio::io::{AsyncWriteExt, duplex};
use tokio::time::{sleep, timeout};

use crate::raw::{Packet, RawPeer, scripted_with};
use crate::support::{End, soon, why, write};

const LIMIT: Duration = Duration::from_secs(30);

/// An end with two factories: what is opened to one is dropped at once, what to the other after it has said something.
fn leaving(streams: StreamSettings) -> (End, RawPeer) {
    let (end, peer) = scripted_with(streams.disconnect_timeout(LIMIT));
    end.factories.serve("drop", async |stream: Stream| drop(stream));
    end.factories.serve("banner", async |mut stream: Stream| {
        let _ = stream.write_all(b"220 hello").await;
    });
    (end, peer)
}

/// Opens a stream, which this end leaves. Returns its Disconnect.
async fn left(peer: &mut RawPeer, factory: &str) -> Packet {
    let tag = peer.ask("Connect", &[("factory", factory.as_bytes())]).await;
    peer.expect_answer(&tag).await;
    if factory == "banner" {
        peer.expect_ask("Transmit").await;
    }
    peer.expect_ask("Disconnect").await
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_disconnect_has_no_answer_gives_its_place_back_when_the_time_is_over() {
    for factory in ["drop", "banner"] {
        let (end, mut peer) = leaving(StreamSettings::new().max_streams(2));
        left(&mut peer, factory).await;
        left(&mut peer, factory).await;
        sleep(LIMIT - Duration::from_millis(10)).await;
        let tag = peer.ask("Connect", &[("factory", factory.as_bytes())]).await;
        peer.expect_error(&tag, "CONNECTION_REFUSED").await;
        sleep(Duration::from_millis(20)).await;
        end.is_empty().await;
        let third = left(&mut peer, factory).await;
        peer.answer(&third, &[]).await;
        peer.expect_open().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_for_the_answer_begins_when_the_disconnect_is_on_its_way() {
    let (ours, theirs) = duplex(1000);
    let settings = Settings::new().write_timeout(None);
    let end = End::over(ours, settings, StreamSettings::new().disconnect_timeout(LIMIT).first_window(1 << 20));
    let mut peer = RawPeer::over(theirs);
    let mut listener = end.factories.listen("source", 1);
    let (_, mut stream) = peer.open("source", &mut listener).await;
    let (_, other) = peer.open("source", &mut listener).await;
    // The peer does not read: nothing more of streams fits in.
    let writing = async { while stream.write_all(&[7; 1000]).await.is_ok() {} };
    assert!(timeout(Duration::from_millis(1), writing).await.is_err());
    drop(other);
    sleep(10 * LIMIT).await;
    let shown = format!("{:?}", end.multiplexer);
    assert!(shown.contains("streams: 1, closing: 1"), "{shown}");
    loop {
        let packet = peer.packet().await;
        peer.answer(&packet, &[]).await;
        if packet.text("_command") == "Disconnect" {
            break;
        }
    }
    drop(stream);
    let packet = peer.expect_ask("Disconnect").await;
    peer.answer(&packet, &[]).await;
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_leaves_over_a_thousand_disconnects_without_an_answer_ends_the_connection() {
    let (end, mut peer) = leaving(StreamSettings::new());
    for _ in 0..1024 {
        left(&mut peer, "drop").await;
    }
    sleep(LIMIT * 2).await;
    peer.expect_open().await;
    left(&mut peer, "drop").await;
    sleep(LIMIT * 2).await;
    let reason = soon("the end", end.connection.closed()).await;
    assert!(matches!(reason, CloseReason::NotAnswering { limit: 1024 }), "{reason:?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_each_disconnect_too_late_stays() {
    let (end, mut peer) = leaving(StreamSettings::new());
    for _ in 0..3 {
        let mut late = Vec::new();
        for _ in 0..1024 {
            late.push(left(&mut peer, "drop").await);
        }
        sleep(LIMIT * 2).await;
        for packet in &late {
            peer.answer(packet, &[]).await;
        }
    }
    peer.expect_open().await;
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_always_busy_has_no_more_time_than_one_that_says_nothing() {
    let (end, mut peer) = leaving(StreamSettings::new());
    let mut packet = left(&mut peer, "drop").await;
    let busy = async {
        loop {
            peer.error(&packet, "BUSY").await;
            packet = peer.expect_ask("Disconnect").await;
        }
    };
    assert!(timeout(LIMIT + Duration::from_secs(1), busy).await.is_err());
    let shown = format!("{:?}", end.multiplexer);
    assert!(shown.contains("streams: 0, closing: 0"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_has_no_answer_fails_when_the_time_is_over_and_the_stream_may_still_be_read() {
    // The close of one direction, and with a txampext peer that of both.
    for half_close in [true, false] {
        let (end, mut peer) = leaving(StreamSettings::new());
        let multiplexer = end.multiplexer.clone();
        let connecting = tokio::spawn(async move { multiplexer.connect("sink").await });
        let ask = peer.expect_ask("Connect").await;
        let announced = [("connection", "abc"), ("half_close", "True")];
        peer.answer(&ask, &announced[..if half_close { 2 } else { 1 }]).await;
        let mut stream = connecting.await.expect("no panic").expect("a stream");
        let error = soon("closing", stream.shutdown()).await.expect_err("the peer says nothing");
        assert_eq!((why(&error).as_str(), error.kind()), ("Timeout", std::io::ErrorKind::TimedOut));
        assert_eq!(peer.expect_ask("Disconnect").await.has("half"), half_close);
        if half_close {
            peer.transmit("abc", b"still here").await;
            assert_eq!(crate::support::read_exactly(&mut stream, 10).await, b"still here");
            assert_eq!(why(&stream.write(b"x").await.expect_err("closed")), "Closed");
        }
        drop(stream);
        sleep(LIMIT * 2).await;
        end.is_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_closing_connection_waits_for_no_bytes_of_a_stream_that_was_given_up() {
    let (end, mut peer) = leaving(StreamSettings::new());
    let mut listener = end.factories.listen("source", 1);
    let (_, mut stream) = peer.open("source", &mut listener).await;
    write(&mut stream, "hello").await;
    drop(stream);
    peer.expect_ask("Transmit").await;
    let close = peer.expect_ask("Disconnect").await;
    sleep(LIMIT * 2).await;
    end.is_empty().await;
    peer.answer(&close, &[]).await;
    peer.expect_open().await;
    let (over, ended) = tokio::sync::oneshot::channel();
    end.connection.on_end(|reason| drop(over.send(reason.clone())));
    end.connection.close();
    let ended = timeout(Duration::from_secs(1), ended).await;
    assert!(matches!(ended, Ok(Ok(CloseReason::Closed))), "{ended:?}");
}
