//! What comes for a stream that has ended: without a memory of old ids, an error goes to those only whom it does not cost
//! their connection (`wire.md` rule 67). The boxes of stock txampext are played byte for byte.

use crate::byte_strings::{answered, connected, each_strictness};
use crate::raw::{RawPeer, scripted};
use crate::support::{read_all, soon, write};

/// A `LineReceiver` that writes a last line after `loseConnection`.
#[tokio::test(start_paused = true)]
async fn a_stock_server_may_write_behind_its_own_disconnect() {
    for (end, mut peer) in each_strictness() {
        let id = b"0123456789abcdef0123456789abcdef";
        let mut stream = connected(&end, &mut peer, &[("connection", id)]).await.expect("a stream");
        write(&mut stream, "QUIT\r\n").await;
        let quit = peer.expect_ask("Transmit").await;
        peer.send(&[("_ask", &b"1"[..]), ("_command", b"Disconnect"), ("connection", id)]).await;
        peer.send(&[("_ask", &b"2"[..]), ("_command", b"Transmit"), ("connection", id), ("data", b"bye\r\n")]).await;
        peer.send(&[("_answer", quit.text("_ask"))]).await;
        peer.send(&[("_ask", &b"3"[..]), ("_command", b"Disconnect"), ("connection", id)]).await;
        for tag in ["1", "2", "3"] {
            peer.expect_answer(tag).await;
        }
        assert_eq!(read_all(&mut stream).await, b"");
        drop(stream);
        peer.expect_open().await;
        end.is_empty().await;
    }
}

/// The same in `connectionMade`, before the answer to Connect.
#[tokio::test(start_paused = true)]
async fn a_stock_server_may_write_behind_a_disconnect_before_its_stream_is_known() {
    let (end, mut peer) = scripted();
    let (id, multiplexer) = (b"0123456789abcdef0123456789abcdef", end.multiplexer.clone());
    let connecting = tokio::spawn(async move { multiplexer.connect("busy").await });
    let ask = peer.expect_ask("Connect").await.bytes("_ask").to_vec();
    peer.send(&[("_ask", &b"1"[..]), ("_command", b"Transmit"), ("connection", id), ("data", b"no")]).await;
    peer.send(&[("_ask", &b"2"[..]), ("_command", b"Disconnect"), ("connection", id)]).await;
    peer.send(&[("_ask", &b"3"[..]), ("_command", b"Transmit"), ("connection", id), ("data", b"bye")]).await;
    peer.send(&[("_answer", ask.as_slice()), ("connection", id)]).await;
    for tag in ["2", "3"] {
        peer.expect_answer(tag).await;
    }
    let mut stream = connecting.await.expect("no panic").expect("a stream");
    assert_eq!(read_all(&mut stream).await, b"no");
    peer.expect_answer("1").await;
    drop(stream);
    end.is_empty().await;
}

/// It never sends a Disconnect, and goes on until its own socket ends.
#[tokio::test(start_paused = true)]
async fn a_stock_client_may_forward_what_it_had_read_when_our_disconnect_came() {
    for (end, mut peer) in each_strictness() {
        let mut listener = end.factories.listen("echo", 1);
        peer.send(&[("_ask", "1"), ("_command", "Connect"), ("factory", "echo")]).await;
        let stream = soon("accepting", listener.accept()).await.expect("a stream");
        let id = peer.expect_answer("1").await.text("connection");
        drop(stream);
        let close = peer.expect_ask("Disconnect").await;
        peer.send(&[("_ask", "2"), ("_command", "Transmit"), ("connection", &id), ("data", "crossing")]).await;
        peer.expect_answer("2").await;
        peer.send(&[("_answer", close.text("_ask"))]).await;
        end.is_empty().await;
        // However many streams come and go meanwhile.
        for tag in 3..2000 {
            peer.send(&[("_ask", &*format!("c{tag}")), ("_command", "Connect"), ("factory", "echo")]).await;
            drop(soon("accepting", listener.accept()).await);
            peer.expect_answer(&format!("c{tag}")).await;
            let close = peer.expect_ask("Disconnect").await;
            peer.send(&[("_answer", close.text("_ask"))]).await;
        }
        peer.send(&[("_ask", "3"), ("_command", "Transmit"), ("connection", &id), ("data", "late")]).await;
        peer.expect_answer("3").await;
        peer.expect_open().await;
    }
}

/// Of a stream that has ended, and of an id that never was.
async fn is_refused(peer: &mut RawPeer, id: &str) {
    for id in [id, "nobody"] {
        let tag = peer.transmit(id, b"late").await;
        peer.expect_error(&tag, "NO_SUCH_CONNECTION").await;
        let tag = peer.disconnect(id).await;
        peer.expect_error(&tag, "NO_SUCH_CONNECTION").await;
    }
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_this_end_opened_nothing_at_is_told_that_its_bytes_were_for_nobody() {
    for (end, mut peer) in each_strictness() {
        let mut listener = end.factories.listen("echo", 1);
        let (id, mut stream) = peer.open("echo", &mut listener).await;
        let tag = peer.disconnect(&id).await;
        peer.expect_answer(&tag).await;
        is_refused(&mut peer, &id).await;
        assert_eq!(read_all(&mut stream).await, b"");
        drop(stream);
        is_refused(&mut peer, &id).await;
        end.is_empty().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_of_ours_is_told_that_its_bytes_were_for_nobody() {
    for (end, mut peer) in each_strictness() {
        // It has announced itself in a Connect that was refused.
        let tag = peer.ask("Connect", &[("factory", b"nothing"), ("half_close", b"True")]).await;
        peer.expect_error(&tag, "NO_SUCH_FACTORY").await;
        let mut stream = connected(&end, &mut peer, &[("connection", b"abc")]).await.expect("a stream");
        let tag = peer.disconnect("abc").await;
        peer.expect_answer(&tag).await;
        is_refused(&mut peer, "abc").await;
        assert_eq!(read_all(&mut stream).await, b"");

        let stream = connected(&end, &mut peer, &[("connection", b"def")]).await.expect("a stream");
        drop(stream);
        let close = peer.expect_ask("Disconnect").await;
        is_refused(&mut peer, "def").await;
        answered(&mut peer, &close).await;
        is_refused(&mut peer, "def").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_has_ended_its_direction_is_told_that_what_it_sends_behind_that_is_not_read() {
    for (end, mut peer) in each_strictness() {
        let half_close: (&str, &[u8]) = ("half_close", b"True");
        let mut stream = connected(&end, &mut peer, &[("connection", b"abc"), half_close]).await.expect("a stream");
        let before = peer.transmit("abc", b"all I have").await;
        let tag = peer.ask("Disconnect", &[("connection", b"abc"), ("half", b"True")]).await;
        peer.expect_answer(&tag).await;
        let behind = peer.transmit("abc", b"more").await;
        peer.expect_error(&behind, "NO_SUCH_CONNECTION").await;
        let empty = peer.transmit("abc", b"").await;
        peer.expect_error(&empty, "NO_SUCH_CONNECTION").await;
        assert_eq!(read_all(&mut stream).await, b"all I have");
        peer.expect_answer(&before).await;
        // The other direction goes on.
        write(&mut stream, "I heard").await;
        let ask = peer.expect_ask("Transmit").await;
        answered(&mut peer, &ask).await;
        let tag = peer.disconnect("abc").await;
        peer.expect_answer(&tag).await;
        end.is_empty().await;
    }
}
