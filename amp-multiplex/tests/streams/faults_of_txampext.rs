//! The thirteen faults of `wire.md` section 3, none of which is ours.

use amp_multiplex::{ConnectError, StreamSettings};
use tokio::io::AsyncWriteExt;

use crate::raw::{scripted, scripted_with};
use crate::support::{pattern, read_all, read_exactly, soon, why, write};

#[tokio::test(start_paused = true)]
async fn fault_1_a_server_that_speaks_first_keeps_its_banner() {
    let (end, mut peer) = scripted();
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("smtp").await });
    let ask = peer.expect_ask("Connect").await;
    assert_eq!(ask.text("factory"), "smtp");
    let banner = peer.transmit("abc", b"220 hi").await;
    peer.expect_silence().await;
    peer.answer(&ask, &[("connection", "abc")]).await;
    let mut stream = connecting.await.expect("no panic").expect("a stream");
    assert_eq!(read_exactly(&mut stream, 6).await, b"220 hi");
    peer.expect_answer(&banner).await;
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn fault_2_the_end_of_an_unknown_stream_is_answered_and_ends_nothing() {
    let (_end, mut peer) = scripted();
    let tag = peer.disconnect("nobody").await;
    peer.expect_error(&tag, "NO_SUCH_CONNECTION").await;
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn fault_3_a_stream_that_this_end_has_closed_takes_no_more_bytes_and_leaves_nothing() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("echo", 1);
    let (id, stream) = peer.open("echo", &mut listener).await;
    drop(stream);
    let close = peer.expect_ask("Disconnect").await;
    assert_eq!(close.text("connection"), id);
    // On its way when the end was told: as good as read.
    let crossing = peer.transmit(&id, b"late").await;
    peer.expect_answer(&crossing).await;
    peer.answer(&close, &[]).await;
    end.is_empty().await;
    // An old peer may write behind a Disconnect, and would end the connection if it were told that there is no such stream.
    for id in [id.as_str(), "nobody"] {
        let behind = peer.transmit(id, b"later").await;
        peer.expect_answer(&behind).await;
    }
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn fault_4_a_disconnect_ends_the_reader_after_the_last_bytes() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("echo", 1);
    let (id, mut stream) = peer.open("echo", &mut listener).await;
    peer.transmit(&id, b"last words").await;
    let tag = peer.disconnect(&id).await;
    peer.expect_answer(&tag).await;
    assert_eq!(read_all(&mut stream).await, b"last words");
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn fault_5_a_write_of_any_length_goes_out_in_boxes_that_fit() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("echo", 1);
    let (_, mut stream) = peer.open("echo", &mut listener).await;
    let sent = pattern(200_000);
    let (mut got, expected) = (Vec::<u8>::new(), sent.clone());
    let writing = tokio::spawn(async move {
        write(&mut stream, sent).await;
        stream
    });
    while got.len() < expected.len() {
        let ask = peer.expect_ask("Transmit").await;
        assert!((1..=60_000).contains(&ask.bytes("data").len()));
        got.extend(ask.bytes("data"));
        peer.answer(&ask, &[]).await;
    }
    assert!(got == expected, "other bytes came");
    drop(writing.await.expect("no panic"));
    peer.expect_ask("Disconnect").await;
}

#[tokio::test(start_paused = true)]
async fn fault_6_a_factory_that_panics_refuses_its_one_stream() {
    let (end, mut peer) = scripted();
    end.factories.insert("mad", |_| panic!("mad"));
    let tag = peer.ask("Connect", &[("factory", b"mad")]).await;
    peer.expect_error(&tag, "CONNECTION_REFUSED").await;
    peer.expect_open().await;
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn fault_7_the_largest_data_that_a_box_holds_arrives() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("sink", 1);
    let (id, mut stream) = peer.open("sink", &mut listener).await;
    let tag = peer.transmit(&id, &pattern(65_535)).await;
    assert!(read_exactly(&mut stream, 65_535).await == pattern(65_535), "other bytes came");
    peer.expect_answer(&tag).await;
}

#[tokio::test(start_paused = true)]
async fn fault_8_a_stream_that_is_dropped_is_told_to_the_peer_once() {
    let (end, mut peer) = scripted();
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("echo").await });
    peer.accept("abc").await;
    let mut stream = connecting.await.expect("no panic").expect("a stream");
    soon("flushing", stream.flush()).await.expect("flushed");
    drop(stream);
    let close = peer.expect_ask("Disconnect").await;
    assert_eq!((close.text("connection"), close.has("half")), ("abc".to_owned(), false));
    peer.answer(&close, &[]).await;
    peer.expect_silence().await;
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn fault_9_a_refused_connect_is_an_error_and_ends_nothing() {
    let (end, mut peer) = scripted();
    for code in ["NO_SUCH_FACTORY", "CONNECTION_REFUSED", "UNHANDLED"] {
        let multiplexer = end.multiplexer.clone();
        let connecting = tokio::spawn(async move { multiplexer.connect("echo").await });
        let ask = peer.expect_ask("Connect").await;
        peer.error(&ask, code).await;
        let error = connecting.await.expect("no panic").expect_err("a refusal");
        match (code, error) {
            ("NO_SUCH_FACTORY", ConnectError::NoSuchFactory(_))
            | ("CONNECTION_REFUSED", ConnectError::Refused(_))
            | ("UNHANDLED", ConnectError::Unsupported(_)) => {}
            (code, error) => panic!("{error:?} for {code}"),
        }
        peer.expect_open().await;
    }
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn fault_10_no_more_than_a_window_is_ever_unanswered() {
    let (end, mut peer) = scripted_with(StreamSettings::new().first_window(100_000).max_window(100_000));
    let mut listener = end.factories.listen("source", 1);
    let (id, mut stream) = peer.open("source", &mut listener).await;
    assert_eq!(soon("writing nothing", stream.write(b"")).await.expect("nothing"), 0);
    let writing = tokio::spawn(async move {
        let _ = stream.write_all(&vec![1; 300_000]).await;
        stream
    });
    let (mut asks, mut bytes) = (Vec::new(), 0);
    while bytes < 97_000 {
        let ask = peer.expect_ask("Transmit").await;
        assert_eq!(ask.text("connection"), id);
        bytes += ask.bytes("data").len();
        asks.push(ask);
    }
    peer.expect_silence().await;
    assert!(bytes <= 100_000, "{bytes} bytes unanswered");
    // One answer is as much credit as its bytes.
    let first = asks[0].bytes("data").len();
    peer.answer(&asks[0], &[]).await;
    let mut more = 0;
    while more + 1000 < first {
        more += peer.expect_ask("Transmit").await.bytes("data").len();
    }
    peer.expect_silence().await;
    assert!(more <= first, "{more} bytes for an answer to {first}");
    writing.abort();
}

#[tokio::test(start_paused = true)]
async fn fault_10_empty_data_is_answered_and_is_no_end() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("sink", 1);
    let (id, mut stream) = peer.open("sink", &mut listener).await;
    let tag = peer.transmit(&id, b"").await;
    peer.expect_answer(&tag).await;
    peer.transmit(&id, b"on").await;
    assert_eq!(read_exactly(&mut stream, 2).await, b"on");
}

#[tokio::test(start_paused = true)]
async fn fault_11_a_connect_that_wants_no_answer_opens_nothing() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("echo", 1);
    peer.send(&[("_command", "Connect"), ("factory", "echo")]).await;
    peer.expect_open().await;
    end.is_empty().await;
    let opened = tokio::time::timeout(std::time::Duration::from_secs(1), listener.accept()).await;
    assert!(opened.is_err(), "{opened:?}");
}

#[tokio::test(start_paused = true)]
async fn fault_12_after_a_disconnect_writing_says_that_the_peer_has_closed() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("echo", 1);
    let (id, mut stream) = peer.open("echo", &mut listener).await;
    let tag = peer.disconnect(&id).await;
    peer.expect_answer(&tag).await;
    for _ in 0..3 {
        let error = soon("writing", stream.write(b"x")).await.expect_err("closed");
        assert_eq!((error.kind(), why(&error).as_str()), (std::io::ErrorKind::BrokenPipe, "PeerDisconnected"));
    }
    assert_eq!(stream.peer().to_string(), end.connection.peer().to_string());
    drop(stream);
    peer.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn fault_13_an_id_that_the_peer_gives_to_a_second_stream_is_refused_and_the_first_goes_on() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("echo", 1);
    // The id that this end chose for a stream of the peer comes back for a stream of this end.
    let (id, mut stream) = peer.open("echo", &mut listener).await;
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("echo").await });
    peer.accept(&id).await;
    let error = connecting.await.expect("no panic").expect_err("the id is taken");
    assert!(matches!(error, ConnectError::Unsupported(_)), "{error:?}");
    peer.transmit(&id, b"mine").await;
    assert_eq!(read_exactly(&mut stream, 4).await, b"mine");
}
