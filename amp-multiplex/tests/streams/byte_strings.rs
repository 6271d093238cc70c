//! What a peer may send that txampext declares as byte strings, the keys that are ours, and asks that want no answer
//! (`wire.md` rules 73 to 75 and 82).

use amp_core::Settings;
use amp_core::connection::Strictness;
use amp_multiplex::{ConnectError, Opening, Stream, StreamSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::raw::{Packet, RawPeer, scripted, scripted_with};
use crate::support::{End, read_all, read_exactly, soon, why, write};

const NO_TEXT: &[u8] = b"caf\xe9 \xff";

/// A connection of either strictness, and the script's end of it.
pub(crate) fn each_strictness() -> [(End, RawPeer); 2] {
    [Strictness::Isolating, Strictness::Twisted].map(|strictness| {
        let (ours, transport) = tokio::io::duplex(1 << 20);
        let settings = Settings::new().strictness(strictness);
        (End::over(ours, settings, StreamSettings::new()), RawPeer::over(transport))
    })
}

/// Connects; the peer answers with `answer`.
pub(crate) async fn connected(end: &End, peer: &mut RawPeer, answer: &[(&str, &[u8])]) -> Result<Stream, ConnectError> {
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("echo").await });
    let tag = peer.expect_ask("Connect").await.bytes("_ask").to_vec();
    peer.send(&[&[("_answer", tag.as_slice())], answer].concat()).await;
    soon("connecting", connecting).await.expect("no panic")
}

pub(crate) async fn answered(peer: &mut RawPeer, ask: &Packet) {
    peer.answer(ask, &[]).await;
}

#[tokio::test(start_paused = true)]
async fn a_factory_whose_name_is_no_text_is_not_there_and_the_connection_stays_open() {
    for (end, mut peer) in each_strictness() {
        let tag = peer.ask("Connect", &[("factory", NO_TEXT)]).await;
        let refusal = peer.expect_error(&tag, "NO_SUCH_FACTORY").await;
        assert_eq!(refusal.text("_error_description"), "");
        peer.expect_open().await;
        end.is_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_factory_may_have_a_name_that_is_no_text() {
    let (end, mut peer) = scripted();
    let (sender, mut openings) = mpsc::unbounded_channel();
    end.factories.insert(NO_TEXT, move |opening: Opening| drop(sender.send(opening)));
    let tag = peer.ask("Connect", &[("factory", NO_TEXT)]).await;
    let opening = soon("an opening", openings.recv()).await.expect("an opening");
    assert_eq!((opening.factory_bytes(), opening.factory()), (NO_TEXT, "caf\u{fffd} \u{fffd}"));
    let _stream = opening.accept();
    peer.expect_answer(&tag).await;
    let mut listener = end.factories.listen(NO_TEXT, 1);
    let _other = peer.open_bytes(NO_TEXT, &mut listener).await;
    assert!(end.factories.remove(NO_TEXT).is_some());
    // The text that stands for it names another.
    end.factories.serve("caf\u{fffd} \u{fffd}", |_| async {});
    let tag = peer.ask("Connect", &[("factory", NO_TEXT)]).await;
    peer.expect_error(&tag, "NO_SUCH_FACTORY").await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_opened_to_a_factory_whose_name_is_no_text() {
    let (end, mut peer) = scripted();
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect(NO_TEXT).await });
    let ask = peer.expect_ask("Connect").await;
    assert_eq!(ask.bytes("factory"), NO_TEXT);
    peer.error(&ask, "NO_SUCH_FACTORY").await;
    let error = connecting.await.expect("no panic").expect_err("a refusal");
    assert_eq!(error.to_string(), "the peer has no factory \"caf\u{fffd} \u{fffd}\"");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_whose_description_is_no_text_is_a_refusal() {
    let (end, mut peer) = scripted();
    for (code, description) in
        [("CONNECTION_REFUSED", NO_TEXT), ("CONNECTION_REFUSED", b""), ("NO_SUCH_FACTORY", NO_TEXT)]
    {
        let multiplexer = end.multiplexer.clone();
        let connecting = tokio::spawn(async move { multiplexer.connect("echo").await });
        let tag = peer.expect_ask("Connect").await.bytes("_ask").to_vec();
        peer.send(&[("_error", &*tag), ("_error_code", code.as_bytes()), ("_error_description", description)]).await;
        match connecting.await.expect("no panic").expect_err("a refusal") {
            ConnectError::Refused(reason) => assert_eq!(reason, String::from_utf8_lossy(description)),
            error => assert!(matches!(error, ConnectError::NoSuchFactory(_)) && code == "NO_SUCH_FACTORY", "{error:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_stream_is_unknown_whatever_the_length_of_its_id() {
    for (_end, mut peer) in each_strictness() {
        for length in [0, 1, 38, 39, 64, 65, 65_535] {
            let id = vec![b'x'; length];
            for (command, data) in [("Transmit", &[("data", &b"y"[..])][..]), ("Disconnect", &[])] {
                let tag = peer.ask(command, &[&[("connection", id.as_slice())], data].concat()).await;
                peer.expect_error(&tag, "NO_SUCH_CONNECTION").await;
            }
        }
        peer.expect_open().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_works_under_whatever_id_the_peer_chose() {
    let (end, mut peer) = scripted();
    for id in [&b"x"[..], &[0xff; 38], &[0; 39], &[0xfe; 65], &[b'z'; 65_535]] {
        let mut stream = connected(&end, &mut peer, &[("connection", id)]).await.expect("a stream");
        let tag = peer.ask("Transmit", &[("connection", id), ("data", b"hello")]).await;
        assert_eq!(read_exactly(&mut stream, 5).await, b"hello");
        peer.expect_answer(&tag).await;
        write(&mut stream, "world").await;
        let ask = peer.expect_ask("Transmit").await;
        assert_eq!((ask.bytes("connection"), ask.bytes("data")), (id, &b"world"[..]));
        answered(&mut peer, &ask).await;
        drop(stream);
        let close = peer.expect_ask("Disconnect").await;
        assert_eq!(close.bytes("connection"), id);
        answered(&mut peer, &close).await;
    }
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_before_the_answer_reaches_a_stream_with_a_long_id() {
    let (end, mut peer) = scripted();
    let (id, multiplexer) = ([7; 1000], end.multiplexer.clone());
    let connecting = tokio::spawn(async move { multiplexer.connect("smtp").await });
    let ask = peer.expect_ask("Connect").await.bytes("_ask").to_vec();
    peer.ask("Transmit", &[("connection", &id), ("data", b"220 hi")]).await;
    peer.send(&[("_answer", ask.as_slice()), ("connection", &id)]).await;
    let mut stream = connecting.await.expect("no panic").expect("a stream");
    assert_eq!(read_exactly(&mut stream, 6).await, b"220 hi");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_gives_a_stream_an_empty_id_is_told_that_it_is_over() {
    let (end, mut peer) = scripted();
    let error = connected(&end, &mut peer, &[("connection", b"")]).await.expect_err("no id");
    assert_eq!(error.to_string(), "the peer does not multiplex streams: it gave the stream an empty id");
    let close = peer.expect_ask("Disconnect").await;
    assert_eq!(close.text("connection"), "");
    answered(&mut peer, &close).await;
    peer.expect_silence().await;
    end.is_empty().await;
}

/// Ids are held as long as their streams, and count for what is received.
#[tokio::test(start_paused = true)]
async fn a_peer_cannot_hold_more_by_long_ids_than_may_be_received() {
    let (end, mut peer) = scripted_with(StreamSettings::new().max_received(1_000_000));
    let mut streams = Vec::new();
    for n in 0..1000_u16 {
        let id = [&n.to_be_bytes()[..], &[0; 50_000]].concat();
        match connected(&end, &mut peer, &[("connection", &id)]).await {
            Ok(stream) => streams.push(stream),
            Err(error) => {
                assert!(matches!(error, ConnectError::Unsupported(_)), "{error:?}");
                assert_eq!(peer.expect_ask("Disconnect").await.bytes("connection"), id);
                break;
            }
        }
    }
    assert!((10..20).contains(&streams.len()), "{} ids of 50,000 bytes under a cap of 1,000,000", streams.len());
    streams.clear();
    while end.multiplexer.streams() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn keys_of_ours_that_do_not_decode_are_as_if_they_were_absent() {
    for (end, mut peer) in each_strictness() {
        let mut listener = end.factories.listen("echo", 1);
        for (half_close, keeps) in
            [("maybe", "5"), ("", ""), ("true", "-1"), ("\u{ff}", "1e3"), ("1", &"9".repeat(5000))]
        {
            let ours = [("half_close", half_close.as_bytes()), ("keeps", keeps.as_bytes())];
            let connect = [&[("factory", &b"echo"[..])], &ours[..]].concat();
            let tag = peer.ask("Connect", &connect).await;
            let accepted = soon("accepting", listener.accept()).await.expect("a stream");
            assert!(!accepted.half_closes());
            assert!(!peer.expect_answer(&tag).await.has("half_close"));
            let id = format!("id of {half_close}");
            let answer = [&[("connection", id.as_bytes())], &ours[..]].concat();
            let mut stream = connected(&end, &mut peer, &answer).await.expect("a stream");
            assert!(!stream.half_closes());
            // An end of one direction that is not said is an end of both; one that is not said to be cut is whole.
            let disconnect =
                [("connection", id.as_bytes()), ("cut", keeps.as_bytes()), ("half", half_close.as_bytes())];
            let tag = peer.ask("Disconnect", &disconnect).await;
            peer.expect_answer(&tag).await;
            assert_eq!(read_all(&mut stream).await, b"");
            assert_eq!(why(&stream.write(b"x").await.expect_err("over")), "PeerDisconnected");
            drop(accepted);
            let close = peer.expect_ask("Disconnect").await;
            answered(&mut peer, &close).await;
        }
        end.is_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn asks_that_want_no_answer_cost_no_connection() {
    for (end, mut peer) in each_strictness() {
        let mut listener = end.factories.listen("echo", 1);
        for factory in [&b"echo"[..], b"nothing", NO_TEXT] {
            peer.send(&[("_command", &b"Connect"[..]), ("factory", factory)]).await;
            peer.expect_open().await;
            end.is_empty().await;
        }
        peer.send(&[("_command", "Transmit"), ("connection", "nobody"), ("data", "x")]).await;
        peer.send(&[("_command", "Disconnect"), ("connection", "nobody")]).await;
        peer.expect_open().await;
        // Bytes that want no answer are bytes; unread ones cost nothing either.
        let (id, mut stream) = peer.open("echo", &mut listener).await;
        peer.send(&[("_command", "Transmit"), ("connection", &id), ("data", "hello")]).await;
        assert_eq!(read_exactly(&mut stream, 5).await, b"hello");
        peer.send(&[("_command", "Transmit"), ("connection", &id), ("data", "unread")]).await;
        peer.expect_open().await;
        drop(stream);
        let close = peer.expect_ask("Disconnect").await;
        answered(&mut peer, &close).await;
        let (id, mut stream) = peer.open("echo", &mut listener).await;
        peer.send(&[("_command", "Disconnect"), ("connection", &id)]).await;
        assert_eq!(read_all(&mut stream).await, b"");
        peer.expect_open().await;
        end.is_empty().await;
    }
}

/// An announced peer's stream is dropped with bytes in it that want no answer.
#[tokio::test(start_paused = true)]
async fn unread_bytes_that_want_no_answer_cost_no_connection() {
    for (end, mut peer) in each_strictness() {
        let mut listener = end.factories.listen("echo", 1);
        let tag = peer.ask("Connect", &[("factory", b"echo"), ("half_close", b"True")]).await;
        let stream = soon("accepting", listener.accept()).await.expect("a stream");
        let id = peer.expect_answer(&tag).await.text("connection");
        peer.send(&[("_command", "Transmit"), ("connection", &id), ("data", "unread")]).await;
        peer.expect_open().await;
        drop(stream);
        peer.expect_ask("Disconnect").await;
        peer.expect_open().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_a_reason_is_sent_as_it_is_and_shown_in_words() {
    let (end, mut peer) = scripted();
    end.factories.insert("curt", |opening: Opening| opening.refuse(""));
    let tag = peer.ask("Connect", &[("factory", b"curt")]).await;
    assert_eq!(peer.expect_error(&tag, "CONNECTION_REFUSED").await.text("_error_description"), "");
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("curt").await });
    let ask = peer.expect_ask("Connect").await;
    peer.error(&ask, "CONNECTION_REFUSED").await;
    let error = connecting.await.expect("no panic").expect_err("a refusal");
    assert!(matches!(&error, ConnectError::Refused(reason) if reason.is_empty()), "{error:?}");
    assert_eq!(error.to_string(), "the peer refused the stream and gave no reason");
    assert_eq!(ConnectError::Refused("closed".into()).to_string(), "the peer refused the stream: closed");
}

/// Nobody has read the answer yet when the stream is dropped.
#[tokio::test(start_paused = true)]
async fn what_is_not_taken_of_a_long_id_ends_with_the_connection() {
    let (end, mut peer) = scripted();
    let mut stream = connected(&end, &mut peer, &[("connection", &[1; 500])]).await.expect("a stream");
    end.connection.abort();
    assert_eq!(why(&soon("reading", stream.read(&mut [0])).await.expect_err("it has ended")), "Connection");
}
