//! What streams may hold, whoever the peer is.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp_core::Settings;
use amp_multiplex::{Opening, Stream, StreamSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use crate::raw::{packed, scripted_with};
use crate::support::{End, ends_with, pattern, soon, why, write};

#[tokio::test(start_paused = true)]
async fn streams_that_the_peer_has_ended_and_nobody_has_dropped_take_their_places() {
    let (end, mut peer) = scripted_with(StreamSettings::new().max_streams(4));
    let kept: Arc<Mutex<Vec<Stream>>> = Arc::default();
    let keep = Arc::clone(&kept);
    end.factories.insert("x", move |opening: Opening| keep.lock().unwrap().push(opening.accept()));
    for round in 0..5 {
        let tag = peer.ask("Connect", &[("factory", b"x")]).await;
        let packet = peer.packet().await;
        assert_eq!(packet.has("_error"), round == 4, "{round}");
        if round < 4 {
            assert_eq!(packet.text("_answer"), tag);
            let id = packet.text("connection");
            peer.transmit(&id, &[7; 1700]).await;
            let tag = peer.disconnect(&id).await;
            peer.expect_answer(&tag).await;
        }
    }
    assert_eq!(end.multiplexer.streams(), 0);
    kept.lock().unwrap().clear();
    let tag = peer.ask("Connect", &[("factory", b"x")]).await;
    peer.skip_to_answer(&tag).await;
}

#[tokio::test]
async fn an_end_that_keeps_little_does_not_lose_the_streams_of_a_peer_of_ours() {
    for little in [StreamSettings::new().max_buffered(128 << 10), StreamSettings::new().max_received(256 << 10)] {
        let (a, b) = duplex(1 << 16);
        let here = End::over(a, Settings::new(), StreamSettings::new());
        let there = End::over(b, Settings::new(), little);
        let mut listener = there.factories.listen("x", 4);
        let (mut one, mut other) = here.open("x", &mut listener).await;
        let writing = tokio::spawn(async move { one.write_all(&pattern(1 << 20)).await });
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut got = vec![0; 1 << 20];
        let read = soon("r", other.read_exact(&mut got)).await;
        drop(writing);
        assert!(read.is_ok(), "{:?}", read.map_err(|e| why(&e)));
    }
}

/// The bytes of streams that were dropped still lie at the peer.
#[tokio::test]
async fn what_dropped_streams_have_on_their_way_counts() {
    let settings = StreamSettings::new().max_in_flight(64 << 10).max_received(256 << 10);
    let (here, there) = ends_with(1 << 16, &settings);
    let mut listener = there.factories.listen("up", 1000);
    let (mut kept, mut writing) = (Vec::new(), Vec::new());
    for _ in 0..60 {
        let (mut one, other) = here.open("up", &mut listener).await;
        writing.push(tokio::spawn(async move {
            one.write_all(&[1; 16_000]).await.expect("written");
            one.shutdown().await.expect("closed");
        }));
        tokio::time::sleep(Duration::from_millis(1)).await;
        kept.push(other);
    }
    for (at, mut stream) in kept.into_iter().enumerate() {
        let mut got = Vec::new();
        soon("reading", stream.read_to_end(&mut got)).await.unwrap_or_else(|error| panic!("{at}: {}", why(&error)));
        assert_eq!(got.len(), 16_000);
    }
    for writing in writing {
        soon("writing", writing).await.expect("whole");
    }
    here.is_empty().await;
}

/// A peer that answers nothing owes answers for as many streams as there may be, and then gets no more.
#[tokio::test]
async fn streams_that_have_ended_take_their_places_until_their_bytes_are_answered() {
    let (end, mut peer) = scripted_with(StreamSettings::new().max_streams(50));
    end.factories.serve("banner", |mut stream: Stream| async move {
        let _ = stream.write_all(b"220 hello").await;
    });
    let (mut opened, mut owed) = (0, Vec::new());
    for _ in 0..200 {
        let tag = peer.ask("Connect", &[("factory", b"banner")]).await;
        let mut packet = peer.packet().await;
        if packet.has("_error") {
            break;
        }
        assert_eq!(packet.text("_answer"), tag);
        opened += 1;
        owed.push(peer.expect_ask("Transmit").await);
        // It tells of its own end, and the peer of the stream's.
        packet = peer.expect_ask("Disconnect").await;
        peer.answer(&packet, &[]).await;
    }
    assert_eq!(opened, 50);
    for ask in owed {
        peer.answer(&ask, &[]).await;
    }
    peer.expect_open().await;
    let tag = peer.ask("Connect", &[("factory", b"banner")]).await;
    peer.expect_answer(&tag).await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_leaves_takes_one_place() {
    let (end, mut peer) = scripted_with(StreamSettings::new().max_streams(2));
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("a").await });
    peer.accept("abc").await;
    let mut first = connecting.await.unwrap().unwrap();
    write(&mut first, "x").await;
    peer.expect_ask("Transmit").await;
    drop(first);
    peer.expect_ask("Disconnect").await;
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("b").await });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(
        !connecting.is_finished(),
        "one stream is there: {:?}",
        connecting.await.unwrap().map_err(|e| e.to_string())
    );
}

/// A tag of 60,000 bytes, which its receipt holds.
static TAG: [u8; 60_000] = [b't'; 60_000];

fn byte_under_a_long_tag(id: &str) -> Vec<u8> {
    packed(&[("_ask", &TAG[..]), ("_command", b"Transmit"), ("connection", id.as_bytes()), ("data", b"x")])
}

#[tokio::test(start_paused = true)]
async fn single_bytes_under_long_tags_end_their_stream_at_the_limit() {
    let settings = [StreamSettings::new().max_buffered(1 << 20), StreamSettings::new().max_received(4 << 20)];
    for streams in settings {
        let (end, mut peer) = scripted_with(streams);
        let mut listener = end.factories.listen("x", 1);
        let (id, mut stream) = peer.open("x", &mut listener).await;
        for _ in 0..18 {
            peer.send_bytes(&byte_under_a_long_tag(&id)).await.expect("the connection is there");
        }
        while !peer.packet().await.has("_command") {}
        let mut got = Vec::new();
        let error = soon("reading", stream.read_to_end(&mut got)).await.expect_err("it has ended");
        assert_eq!(why(&error), "Overrun");
        assert!(got.len() <= 17, "{} receipts of 60,000 bytes were held", got.len());
        drop(stream);
        peer.expect_open_behind_answers().await;
    }
}

#[tokio::test(start_paused = true)]
async fn early_bytes_under_long_tags_are_kept_up_to_the_limit() {
    let (end, mut peer) = scripted_with(StreamSettings::new().max_early(1 << 20));
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("x").await });
    let connect = peer.expect_ask("Connect").await;
    for _ in 0..100 {
        peer.send_bytes(&byte_under_a_long_tag("abc")).await.expect("the connection is there");
    }
    let mut answered = 0;
    while let Some(packet) = peer.next_packet(Duration::from_secs(1)).await {
        answered += usize::from(packet.has("_answer"));
    }
    assert!(answered >= 83, "{} receipts of 60,000 bytes are held", 100 - answered);
    peer.answer(&connect, &[("connection", "abc")]).await;
    let mut stream = connecting.await.expect("no panic").expect("a stream");
    assert_eq!(why(&soon("reading", stream.read_to_end(&mut Vec::new())).await.expect_err("not whole")), "Overrun");
}
