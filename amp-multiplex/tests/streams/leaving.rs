//! How streams end when one end is quicker than the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use amp_multiplex::{Stream, StreamSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::raw::scripted;
use crate::support::{ends, ends_with, pattern, read_exactly, soon, streaming, until, why, write};

#[tokio::test(start_paused = true)]
async fn a_reader_in_another_task_learns_that_shutting_down_has_ended_a_stream_with_an_old_peer() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("source", 1);
    let (_, stream) = peer.open("source", &mut listener).await;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let reading = tokio::spawn(async move { reader.read_to_end(&mut Vec::new()).await });
    tokio::time::sleep(Duration::from_millis(10)).await;
    let closing = tokio::spawn(async move { writer.shutdown().await });
    let close = peer.expect_ask("Disconnect").await;
    peer.answer(&close, &[]).await;
    closing.await.unwrap().unwrap();
    drop(peer);
    end.connection.closed().await;
    let read = timeout(Duration::from_secs(3600), reading).await;
    assert!(read.is_ok(), "an hour after the stream, and its connection, have ended, the reader still waits");
}

#[tokio::test]
async fn shutdown_fails_when_the_peer_left_without_reading() {
    let (here, there, mut one, other) = streaming(ends()).await;
    write(&mut one, "never read").await;
    here.ping().await;
    drop(other);
    until("left", || here.multiplexer.streams() == 0).await;
    let closed = soon("closing", one.shutdown()).await;
    drop(there);
    assert!(closed.is_err(), "the peer took nothing of what was written, and shutdown says {closed:?}");
}

#[tokio::test]
async fn a_task_that_panics_half_way_does_not_look_like_an_orderly_end() {
    let (here, there) = ends();
    there.factories.serve("mad", |mut stream: Stream| async move {
        let _ = stream.write_all(b"half of the ans").await;
        panic!("mad");
    });
    let mut stream = here.connect("mad").await;
    let mut got = Vec::new();
    let read = soon("r", stream.read_to_end(&mut got)).await;
    assert!(read.is_err(), "{read:?}: the cut answer looks whole");
}

#[tokio::test(start_paused = true)]
async fn an_id_given_twice_leaves_no_stream_hanging_after_the_connections_end() {
    let (end, mut peer) = scripted();
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("a").await });
    peer.accept("abc").await;
    let mut first = connecting.await.unwrap().unwrap();
    let abandoned = timeout(Duration::from_secs(1), end.multiplexer.connect("b")).await;
    assert!(abandoned.is_err());
    peer.accept("abc").await;
    peer.expect_open().await;
    drop(peer);
    end.connection.closed().await;
    let read = timeout(Duration::from_secs(3600), first.read(&mut [0])).await;
    assert!(read.is_ok(), "the connection has ended and the reader waits for ever");
}

#[tokio::test]
async fn what_was_written_before_a_drop_and_a_graceful_close_arrives_and_ends_in_order() {
    let (here, _there, mut one, mut other) = streaming(ends_with(100, &StreamSettings::new())).await;
    let sent = pattern(50_000);
    write(&mut one, &sent).await;
    drop(one);
    here.connection.close();
    let mut got = Vec::new();
    let read = soon("r", other.read_to_end(&mut got)).await;
    assert!(read.is_ok() && got == sent, "{} of 50,000 bytes, {read:?}", got.len());
}

#[tokio::test]
async fn a_graceful_close_lets_a_stream_finish_within_close_timeout() {
    let (here, there) = ends();
    there.factories.serve("source", |mut stream: Stream| async move {
        let _ = stream.write_all(&vec![1; 8 << 20]).await;
        let _ = stream.shutdown().await;
    });
    let mut stream = here.connect("source").await;
    read_exactly(&mut stream, 100_000).await;
    there.connection.close();
    let mut got = Vec::new();
    let read = soon("r", stream.read_to_end(&mut got)).await;
    assert!(read.is_ok(), "{} bytes more, then {read:?}", got.len());
}

/// The peer closes it before or after its id is known here, and this end has not shut its own direction down.
#[tokio::test(start_paused = true)]
async fn a_stream_that_the_peer_has_dropped_holds_up_no_close() {
    for (writes, waits) in [(false, false), (true, false), (false, true), (true, true)] {
        let (here, there) = ends();
        there.factories.serve("brief", move |mut stream: Stream| async move {
            if waits {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            if writes {
                stream.write_all(b"brief").await.unwrap();
            }
        });
        let mut stream = here.connect("brief").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        // Bytes that wait to be read hold it up: their acknowledgement is owed.
        let mut got = String::new();
        soon("read", stream.read_to_string(&mut got)).await.unwrap();
        assert_eq!(got, if writes { "brief" } else { "" });
        let begun = tokio::time::Instant::now();
        here.connection.close();
        soon("closing", here.connection.closed()).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{writes} {waits}: {:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_finished_stream_that_its_user_keeps_holds_up_no_close() {
    for ends_first in [true, false] {
        let (here, there, mut one, mut other) = streaming(ends()).await;
        let (first, second) = if ends_first { (&mut one, &mut other) } else { (&mut other, &mut one) };
        write(first, "all of it").await;
        soon("shutdown", first.shutdown()).await.unwrap();
        let mut got = Vec::new();
        soon("read", second.read_to_end(&mut got)).await.unwrap();
        soon("shutdown", second.shutdown()).await.unwrap();
        soon("read", first.read_to_end(&mut Vec::new())).await.unwrap();
        let begun = tokio::time::Instant::now();
        here.connection.close();
        soon("closing", here.connection.closed()).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        drop((one, other, there));
    }
}

#[tokio::test]
async fn what_was_written_before_a_drop_arrives_though_the_connection_is_closed() {
    let settings = StreamSettings::new().first_window(4 << 20);
    let (here, _there, mut one, mut other) = streaming(ends_with(100, &settings)).await;
    let mut sent = 0;
    while let Ok(count) = timeout(Duration::from_millis(1), one.write(&[1; 30_000])).await {
        sent += count.unwrap();
    }
    drop(one);
    here.connection.close();
    let mut got = Vec::new();
    let read = soon("r", other.read_to_end(&mut got)).await;
    assert!(got.len() == sent, "{} of {sent} bytes, {read:?}", got.len());
}

#[tokio::test]
async fn a_stream_that_is_aborted_does_not_look_whole() {
    let (_here, _there, mut one, mut other) = streaming(ends()).await;
    write(&mut one, "half of the ans").await;
    one.abort();
    assert_eq!(read_exactly(&mut other, 15).await, b"half of the ans");
    assert_eq!(why(&soon("reading", other.read(&mut [0])).await.expect_err("no end in order")), "Cut");
    assert_eq!(why(&other.write(b"x").await.expect_err("it is over")), "Cut");
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_given_again_after_its_end_is_not_taken_away_by_the_first() {
    let (end, mut peer) = scripted();
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("a").await });
    peer.accept("abc").await;
    let first = connecting.await.unwrap().unwrap();
    let tag = peer.disconnect("abc").await;
    peer.expect_answer(&tag).await;
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("b").await });
    peer.accept("abc").await;
    let mut second = connecting.await.unwrap().unwrap();
    drop(first);
    drop(peer);
    end.connection.closed().await;
    let read = timeout(Duration::from_secs(3600), second.read(&mut [0])).await;
    assert!(read.is_ok(), "the connection has ended and the reader waits for ever");
}

#[tokio::test(start_paused = true)]
async fn a_window_that_is_not_full_takes_a_little_though_its_reader_sleeps() {
    let (here, _there, mut one, mut other) = streaming(ends_with(1 << 20, &StreamSettings::new())).await;
    write(&mut one, "x").await;
    other.read_exact(&mut [0]).await.unwrap();
    here.ping().await;
    for _ in 0..3 {
        write(&mut one, vec![1; 30_000]).await;
    }
    tokio::time::sleep(Duration::from_secs(11)).await;
    let written = timeout(Duration::from_secs(1), one.write_all(b"y")).await;
    assert!(written.is_ok(), "with 90,000 bytes unread of a window of 128 KiB: {written:?}");
}

/// The writer stops for a moment every ten seconds, to measure the path. A reader that stops just then does not leave it
/// waiting before its window is full.
#[tokio::test(start_paused = true)]
async fn a_reader_that_stops_while_the_path_is_measured_leaves_the_window_to_the_writer() {
    let (_here, _there, mut one, mut other) = streaming(ends_with(1 << 20, &StreamSettings::new())).await;
    let written = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&written);
    tokio::spawn(async move {
        while one.write_all(&[1; 1000]).await.is_ok() {
            count.fetch_add(1000, Ordering::Relaxed);
        }
    });
    let (begin, mut read) = (tokio::time::Instant::now(), 0);
    while begin.elapsed() < Duration::from_millis(10_500) {
        tokio::time::sleep(Duration::from_millis(10)).await;
        read += other.read(&mut [0; 1000]).await.expect("bytes");
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    let unread = written.load(Ordering::Relaxed) - read;
    // 1,256 of the window for each thousand: 104 of them, and the one that waits for room.
    assert!(unread > 90_000, "the writer stopped with {unread} bytes unread in a window of 128 KiB");
}
