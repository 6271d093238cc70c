use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::raw::{RawPeer, scripted};
use crate::support::{End, echo, ends, ends_with, pattern, read_all, read_exactly, soon, streaming, why, write};
use amp_core::Settings;
use amp_multiplex::StreamSettings;

#[tokio::test]
async fn between_ends_of_ours_each_direction_is_closed_for_itself() {
    let (here, there, mut one, mut other) = streaming(ends()).await;
    assert!(one.half_closes() && other.half_closes());
    write(&mut one, "question").await;
    soon("closing", one.shutdown()).await.expect("closed");
    assert_eq!(read_all(&mut other).await, b"question");
    write(&mut other, "answer").await;
    soon("closing", other.shutdown()).await.expect("closed");
    assert_eq!(read_all(&mut one).await, b"answer");
    // Both ends know: nothing is left, though neither stream is dropped.
    here.is_empty().await;
    there.is_empty().await;
    let error = one.write(b"x").await.expect_err("this end has closed");
    assert_eq!(why(&error), "Closed");
}

#[tokio::test]
async fn what_this_end_has_closed_it_cannot_write_to() {
    let (_here, _there, mut one, _other) = streaming(ends()).await;
    soon("closing", one.shutdown()).await.expect("closed");
    assert_eq!(why(&one.write(b"x").await.expect_err("closed")), "Closed");
    soon("closing again", one.shutdown()).await.expect("still closed");
}

#[tokio::test]
async fn everything_written_before_a_drop_arrives() {
    let (here, there, mut one, mut other) = streaming(ends_with(100, &StreamSettings::new())).await;
    let sent = pattern(100_000);
    write(&mut one, &sent).await;
    drop(one);
    assert!(read_all(&mut other).await == sent, "other bytes came");
    drop(other);
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test]
async fn both_ends_may_leave_at_once() {
    let (here, there, one, other) = streaming(ends()).await;
    drop((one, other));
    here.is_empty().await;
    there.is_empty().await;
    here.ping().await;
}

#[tokio::test]
async fn both_ends_may_finish_at_once() {
    let (here, there, mut one, mut other) = streaming(ends()).await;
    let (a, b) = soon("closing", async { tokio::join!(one.shutdown(), other.shutdown()) }).await;
    a.expect("closed");
    b.expect("closed");
    assert_eq!((read_all(&mut one).await, read_all(&mut other).await), (vec![], vec![]));
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test]
async fn a_stream_echoes_megabytes_through_both_directions_at_once() {
    let (here, there) = ends();
    there.factories.serve("echo", echo);
    let (mut reader, mut writer) = tokio::io::split(here.connect("echo").await);
    let sent = pattern(10_000_000);
    let expected = sent.clone();
    let writing = tokio::spawn(async move {
        writer.write_all(&sent).await.expect("written");
        writer.shutdown().await.expect("closed");
    });
    let mut got = Vec::new();
    soon("the echo", reader.read_to_end(&mut got)).await.expect("an end in order");
    assert!(got == expected, "{} bytes came back", got.len());
    writing.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn rule_66_a_transmit_is_answered_when_its_last_byte_is_read_and_not_before() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("sink", 1);
    let (id, mut stream) = peer.open("sink", &mut listener).await;
    let tag = peer.transmit(&id, b"hello").await;
    peer.expect_silence().await;
    assert_eq!(read_exactly(&mut stream, 4).await, b"hell");
    peer.expect_silence().await;
    assert_eq!(read_exactly(&mut stream, 1).await, b"o");
    peer.expect_answer(&tag).await;
}

#[tokio::test(start_paused = true)]
async fn an_old_peer_is_told_of_the_end_when_it_has_read_everything() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("source", 1);
    let (_, mut stream) = peer.open("source", &mut listener).await;
    assert!(!stream.half_closes());
    write(&mut stream, "hello").await;
    let closing = tokio::spawn(async move {
        stream.shutdown().await.expect("closed");
        read_all(&mut stream).await
    });
    let ask = peer.expect_ask("Transmit").await;
    peer.expect_silence().await;
    peer.answer(&ask, &[]).await;
    let close = peer.expect_ask("Disconnect").await;
    assert!(!close.has("half"));
    peer.answer(&close, &[]).await;
    assert_eq!(soon("closing", closing).await.expect("no panic"), b"");
    peer.expect_silence().await;
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn an_old_peer_that_leaves_without_its_answers_fails_the_shutdown_and_holds_it_up_no_longer() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("source", 1);
    let (id, mut stream) = peer.open("source", &mut listener).await;
    write(&mut stream, "hello").await;
    let closing = tokio::spawn(async move { stream.shutdown().await });
    peer.expect_ask("Transmit").await;
    let tag = peer.disconnect(&id).await;
    peer.expect_answer(&tag).await;
    let error = soon("closing", closing).await.expect("no panic").expect_err("it did not take the bytes");
    assert_eq!(why(&error), "PeerDisconnected");
    peer.expect_silence().await;
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn bytes_that_a_peer_refuses_because_it_has_left_fail_the_shutdown() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("source", 1);
    let (_, mut stream) = peer.open("source", &mut listener).await;
    write(&mut stream, "hello").await;
    let ask = peer.expect_ask("Transmit").await;
    peer.error(&ask, "NO_SUCH_CONNECTION").await;
    let error = soon("closing", stream.shutdown()).await.expect_err("it did not take the bytes");
    assert_eq!(why(&error), "PeerDisconnected");
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_before_the_end_is_known_fails_the_shutdown() {
    let (a, b) = tokio::io::duplex(1 << 16);
    let (end, mut peer) = (End::over(a, Settings::new(), StreamSettings::new()), RawPeer::over(b));
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("sink").await });
    let ask = peer.expect_ask("Connect").await;
    peer.answer(&ask, &[("connection", "abc"), ("half_close", "True")]).await;
    let mut stream = connecting.await.expect("no panic").expect("a stream");
    let closing = tokio::spawn(async move { stream.shutdown().await });
    assert_eq!(peer.expect_ask("Disconnect").await.text("half"), "True");
    drop(peer);
    let error = soon("closing", closing).await.expect("no panic").expect_err("the peer does not know");
    assert_eq!(why(&error), "Connection");
}

#[tokio::test(start_paused = true)]
async fn a_half_close_from_a_peer_that_was_not_asked_for_it_is_a_full_one() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("echo", 1);
    let (id, mut stream) = peer.open("echo", &mut listener).await;
    let tag = peer.ask("Disconnect", &[("connection", id.as_bytes()), ("half", b"True")]).await;
    peer.expect_answer(&tag).await;
    assert_eq!(why(&stream.write(b"x").await.expect_err("over")), "PeerDisconnected");
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn bytes_that_cross_a_disconnect_end_the_stream_and_its_reader_sees_the_end() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("echo", 1);
    let (id, mut stream) = peer.open("echo", &mut listener).await;
    let bye = peer.transmit(&id, b"bye").await;
    write(&mut stream, "crossing").await;
    let crossing = peer.expect_ask("Transmit").await;
    let tag = peer.disconnect(&id).await;
    peer.error(&crossing, "NO_SUCH_CONNECTION").await;
    peer.expect_answer(&tag).await;
    assert_eq!(read_exactly(&mut stream, 3).await, b"bye");
    peer.expect_answer(&bye).await;
    assert_eq!(read_all(&mut stream).await, b"");
    drop(stream);
    peer.expect_open().await;
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_knows_the_stream_no_more_needs_no_disconnect() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("echo", 1);
    let (_, mut stream) = peer.open("echo", &mut listener).await;
    write(&mut stream, "x").await;
    let ask = peer.expect_ask("Transmit").await;
    peer.error(&ask, "NO_SUCH_CONNECTION").await;
    assert_eq!(read_all(&mut stream).await, b"");
    assert_eq!(why(&stream.write(b"x").await.expect_err("over")), "PeerDisconnected");
    drop(stream);
    peer.expect_silence().await;
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_fails_to_take_bytes_is_told_that_the_stream_is_over() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("echo", 1);
    let (_, mut stream) = peer.open("echo", &mut listener).await;
    write(&mut stream, "x").await;
    let ask = peer.expect_ask("Transmit").await;
    peer.error(&ask, "UNKNOWN").await;
    let close = peer.expect_ask("Disconnect").await;
    peer.answer(&close, &[]).await;
    assert_eq!(why(&stream.read(&mut [0]).await.expect_err("failed")), "PeerFailed");
    assert_eq!(why(&stream.write(b"x").await.expect_err("failed")), "PeerFailed");
    drop(stream);
    peer.expect_silence().await;
    end.is_empty().await;
}
