//! What a reader learns of an end, and a writer of what became of its bytes: nothing less than all looks whole.

use std::time::Duration;

use amp_core::Settings;
use amp_multiplex::{Forward, Opening, Stream, StreamListener, StreamSettings, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::forwards::dial;
use crate::raw::{RawPeer, scripted, scripted_with};
use crate::support::{End, ends, ends_with, pattern, read_all, read_exactly, soon, streaming, until, why, write};

/// A stream that a peer of ours, as a script, opens to the listener.
async fn opened(peer: &mut RawPeer, listener: &mut StreamListener) -> (String, Stream) {
    let tag = peer.ask("Connect", &[("factory", b"source"), ("half_close", b"True")]).await;
    let stream = soon("accepting", listener.accept()).await.expect("a factory");
    (peer.expect_answer(&tag).await.text("connection"), stream)
}

/// A stream of which the peer has refused bytes, and the peer has sent "half" of what it has to say.
async fn refused(settings: StreamSettings) -> (End, RawPeer, String, Stream) {
    let (end, mut peer) = scripted_with(settings);
    let mut listener = end.factories.listen("source", 1);
    let (id, mut stream) = opened(&mut peer, &mut listener).await;
    write(&mut stream, "never read").await;
    let ask = peer.expect_ask("Transmit").await;
    peer.transmit(&id, b"half").await;
    peer.error(&ask, "NO_SUCH_CONNECTION").await;
    assert_eq!(read_exactly(&mut stream, 4).await, b"half");
    peer.packet().await;
    assert_eq!(why(&stream.write(b"x").await.expect_err("the peer reads no more")), "PeerDisconnected");
    assert_eq!(why(&stream.shutdown().await.expect_err("it took nothing")), "PeerDisconnected");
    assert!(timeout(Duration::from_millis(100), stream.read(&mut [0])).await.is_err(), "that was no end");
    assert_eq!(end.multiplexer.streams(), 1);
    (end, peer, id, stream)
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_no_end_of_reading_which_comes_with_the_disconnect() {
    let (end, mut peer, id, mut stream) = refused(StreamSettings::new()).await;
    let more = peer.transmit(&id, b" and half").await;
    assert_eq!(read_exactly(&mut stream, 9).await, b" and half");
    peer.expect_answer(&more).await;
    let tag = peer.disconnect(&id).await;
    peer.expect_answer(&tag).await;
    assert_eq!(read_all(&mut stream).await, b"");
    end.is_empty().await;

    let (end, mut peer, id, mut stream) = refused(StreamSettings::new()).await;
    let tag = peer.ask("Disconnect", &[("connection", id.as_bytes()), ("cut", b"True")]).await;
    peer.expect_answer(&tag).await;
    assert_eq!(why(&stream.read(&mut [0]).await.expect_err("no end in order")), "Cut");
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_no_disconnect_follows_is_a_cut_when_its_time_is_up() {
    let settings = StreamSettings::new().disconnect_timeout(Duration::from_secs(7));
    let (end, mut peer, _, mut stream) = refused(settings).await;
    let before = tokio::time::Instant::now();
    assert_eq!(why(&soon("the end", stream.read(&mut [0])).await.expect_err("no end in order")), "Cut");
    assert!((6..8).contains(&before.elapsed().as_secs()), "{:?}", before.elapsed());
    end.is_empty().await;
    drop(stream);
    peer.expect_silence().await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dropped_after_a_refusal_leaves_nothing_and_says_nothing() {
    let (end, mut peer, id, stream) = refused(StreamSettings::new()).await;
    drop(stream);
    end.is_empty().await;
    let tag = peer.disconnect(&id).await;
    peer.expect_error(&tag, "NO_SUCH_CONNECTION").await;
    peer.expect_silence().await;
}

/// As a task that panics with the stream at hand, and as `abort`.
#[tokio::test]
async fn what_is_cut_does_not_look_whole_though_the_end_that_cuts_has_unread_bytes() {
    for panics in [true, false] {
        for _ in 0..20 {
            let (here, there, mut one, mut other) = streaming(ends()).await;
            write(&mut one, "half of the ans").await;
            for _ in 0..3 {
                write(&mut other, vec![1; 1000]).await;
            }
            there.ping().await;
            if panics {
                let mad = async move {
                    let _one = one;
                    std::panic::resume_unwind(Box::new("mad"));
                };
                assert!(tokio::spawn(mad).await.is_err());
            } else {
                one.abort();
            }
            let mut got = Vec::new();
            let error = soon("reading", other.read_to_end(&mut got)).await.expect_err("no end in order");
            assert_eq!((got.as_slice(), why(&error).as_str()), (&b"half of the ans"[..], "Cut"));
            here.is_empty().await;
            drop(other);
            there.is_empty().await;
        }
    }
}

#[tokio::test]
async fn after_a_shutdown_that_is_ok_the_reader_gets_all_though_the_connection_is_lost() {
    for theirs in [true, false] {
        let (here, there, mut one, mut other) = streaming(ends()).await;
        let sent = pattern(50_000);
        write(&mut one, &sent).await;
        soon("closing", one.shutdown()).await.expect("the peer has it");
        if theirs {
            there.connection.abort()
        } else {
            here.connection.abort()
        }
        soon("the end", there.connection.closed()).await;
        until("both know", || here.multiplexer.streams() + there.multiplexer.streams() == 0).await;
        one.shutdown().await.expect("it still has it");
        assert_eq!(why(&other.write(b"x").await.expect_err("nobody to write to")), "Connection");
        assert!(read_all(&mut other).await == sent);
    }
}

/// The answer to the Connect has come, and the stream's bytes behind it, before the task that waits for it goes on.
#[tokio::test(start_paused = true)]
async fn what_came_before_a_connect_saw_its_answer_is_whole_though_the_connection_has_ended() {
    let (end, mut peer) = scripted();
    let mut connecting = Box::pin(end.multiplexer.connect("source"));
    assert!(timeout(Duration::from_secs(1), &mut connecting).await.is_err());
    let ask = peer.expect_ask("Connect").await;
    peer.answer(&ask, &[("connection", "abc"), ("half_close", "True")]).await;
    peer.transmit("abc", b"all of it").await;
    let tag = peer.ask("Disconnect", &[("connection", b"abc"), ("half", b"True")]).await;
    peer.expect_answer(&tag).await;
    drop(peer);
    soon("the end", end.connection.closed()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut stream = connecting.await.expect("it was answered");
    assert_eq!(read_all(&mut stream).await, b"all of it");
    drop(stream);
    end.is_empty().await;
}

/// The peer may have been told already that it is all here.
#[tokio::test(start_paused = true)]
async fn what_was_kept_for_a_stream_before_it_is_known_is_not_too_much_for_it_then() {
    let (end, mut peer) = scripted_with(StreamSettings::new().max_buffered(3000).max_received(4000));
    let mut connecting = Box::pin(end.multiplexer.connect("source"));
    assert!(timeout(Duration::from_secs(1), &mut connecting).await.is_err());
    let ask = peer.expect_ask("Connect").await;
    peer.answer(&ask, &[("connection", "abc"), ("half_close", "True")]).await;
    for _ in 0..5 {
        peer.transmit("abc", &[1; 1000]).await;
    }
    let tag = peer.ask("Disconnect", &[("connection", b"abc"), ("half", b"True")]).await;
    peer.expect_answer(&tag).await;
    let mut stream = soon("opening", connecting).await.expect("it was answered");
    assert_eq!(read_all(&mut stream).await.len(), 5000);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stream_that_has_lost_early_bytes_is_not_taken_as_if_all_were_there() {
    // With a place for its id, and without.
    for max_early in [600, 100] {
        let (end, mut peer) = scripted_with(StreamSettings::new().max_early(max_early));
        let mut connecting = Box::pin(end.multiplexer.connect("source"));
        assert!(timeout(Duration::from_secs(1), &mut connecting).await.is_err());
        let ask = peer.expect_ask("Connect").await;
        let lost = peer.transmit("abc", &[1; 1000]).await;
        peer.expect_answer(&lost).await;
        let tag = peer.ask("Disconnect", &[("connection", b"abc"), ("half", b"True")]).await;
        peer.expect_error(&tag, "NO_SUCH_CONNECTION").await;
        peer.answer(&ask, &[("connection", "abc"), ("half_close", "True")]).await;
        let mut stream = soon("opening", connecting).await.expect("it was answered");
        assert_eq!(why(&stream.read(&mut [0]).await.expect_err("bytes are lost")), "Overrun");
        // The peer's shutdown waits for this: nobody has ended what was to be written here.
        assert_eq!(peer.expect_ask("Disconnect").await.text("cut"), "True");
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_whose_end_the_peer_does_not_know_tells_what_the_disconnect_says() {
    for (keys, outcome) in [(&[][..], "Ok"), (&[("cut", &b"True"[..])], "Cut")] {
        let (end, mut peer) = scripted();
        let mut listener = end.factories.listen("source", 1);
        let (id, mut stream) = opened(&mut peer, &mut listener).await;
        write(&mut stream, "taken").await;
        let ask = peer.expect_ask("Transmit").await;
        peer.answer(&ask, &[]).await;
        let closing = tokio::spawn(async move { stream.shutdown().await });
        let half = peer.expect_ask("Disconnect").await;
        peer.error(&half, "NO_SUCH_CONNECTION").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!closing.is_finished());
        let tag = peer.ask("Disconnect", &[&[("connection", id.as_bytes())], keys].concat()).await;
        peer.expect_answer(&tag).await;
        let shut = soon("closing", closing).await.expect("no panic");
        assert_eq!(shut.as_ref().map_or_else(why, |()| "Ok".to_owned()), outcome);
        end.is_empty().await;
    }
}

#[tokio::test]
async fn an_end_that_reads_too_little_for_its_bounds_fails_the_shutdown_and_cuts_what_it_wrote() {
    let settings = StreamSettings::new().max_buffered(1000);
    let (here, there, mut one, mut other) = streaming(ends_with(1 << 16, &settings)).await;
    write(&mut other, "half of the ans").await;
    assert_eq!(read_exactly(&mut one, 15).await, b"half of the ans");
    write(&mut one, vec![1; 1500]).await;
    soon("closing", one.shutdown()).await.expect_err("it cannot be read");
    assert_eq!(why(&soon("reading", one.read(&mut [0])).await.expect_err("no end in order")), "Cut");
    assert_eq!(why(&soon("reading", other.read(&mut [0])).await.expect_err("no end in order")), "Overrun");
    drop((one, other));
    here.is_empty().await;
    there.is_empty().await;
}

/// The peer had said its end before, so that its Disconnect cuts nothing.
#[tokio::test]
async fn shutdown_fails_when_the_bytes_are_too_much_for_a_peer_that_has_ended_its_own_direction() {
    let settings = StreamSettings::new().max_buffered(1000);
    let (_here, _there, mut one, mut other) = streaming(ends_with(1 << 16, &settings)).await;
    soon("closing", other.shutdown()).await.expect("closed");
    assert_eq!(read_all(&mut one).await, b"");
    write(&mut one, vec![1; 1500]).await;
    soon("closing", one.shutdown()).await.expect_err("it cannot be read");
    assert_eq!(why(&soon("reading", other.read(&mut [0])).await.expect_err("no end in order")), "Overrun");
}

#[tokio::test(start_paused = true)]
async fn shutdown_fails_when_the_peer_has_refused_bytes_behind_others_that_its_reader_has_not_taken() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("source", 1);
    let (id, mut stream) = opened(&mut peer, &mut listener).await;
    let tag = peer.ask("Disconnect", &[("connection", id.as_bytes()), ("half", b"True")]).await;
    peer.expect_answer(&tag).await;
    write(&mut stream, "kept").await;
    write(&mut stream, "lost").await;
    let closing = tokio::spawn(async move {
        let shut = stream.shutdown().await;
        (shut, stream)
    });
    let _kept = peer.expect_ask("Transmit").await;
    let lost = peer.expect_ask("Transmit").await;
    peer.error(&lost, "NO_SUCH_CONNECTION").await;
    let close = peer.expect_ask("Disconnect").await;
    peer.answer(&close, &[]).await;
    let (shut, mut stream) = soon("closing", closing).await.expect("no panic");
    assert_eq!(why(&shut.expect_err("bytes are lost")), "PeerDisconnected");
    assert_eq!(read_all(&mut stream).await, b"", "that was whole");
}

#[tokio::test]
async fn shutdown_is_ok_when_the_peer_left_after_it_had_taken_everything() {
    for cut in [false, true] {
        let (here, _there, mut one, mut other) = streaming(ends()).await;
        write(&mut one, "all of it").await;
        assert_eq!(read_exactly(&mut other, 9).await, b"all of it");
        soon("closing", other.shutdown()).await.expect("closed");
        if cut {
            other.abort()
        } else {
            drop(other)
        }
        until("left", || here.multiplexer.streams() == 0).await;
        assert_eq!(why(&one.write(b"x").await.expect_err("it has left")), "PeerDisconnected");
        soon("closing", one.shutdown()).await.expect("it has all of it");
        assert_eq!(read_all(&mut one).await, b"", "a cut behind an end in order takes nothing back");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_nobody_waits_for_any_more_is_cut_and_has_taken_nothing() {
    let (end, mut peer) = scripted();
    assert!(timeout(Duration::from_secs(1), end.multiplexer.connect("source")).await.is_err());
    let ask = peer.expect_ask("Connect").await;
    let data = peer.transmit("abc", b"early").await;
    peer.answer(&ask, &[("connection", "abc"), ("half_close", "True")]).await;
    peer.expect_error(&data, "NO_SUCH_CONNECTION").await;
    let close = peer.expect_ask("Disconnect").await;
    assert_eq!(close.text("cut"), "True");
    peer.answer(&close, &[]).await;
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_factory_that_panics_with_its_stream_at_hand_does_not_give_it_an_end_in_order() {
    let (here, there) = ends();
    there.factories.insert("mad", |opening: Opening| {
        let _stream = opening.accept();
        std::panic::resume_unwind(Box::new("mad"));
    });
    let mut stream = here.connect("mad").await;
    assert_eq!(why(&soon("reading", stream.read(&mut [0])).await.expect_err("no end in order")), "Cut");
    here.ping().await;
}

/// With in-order responders the streams' commands are settled as ever.
#[tokio::test]
async fn a_cut_is_a_cut_between_ends_whose_responders_are_in_order() {
    let (a, b) = tokio::io::duplex(1 << 16);
    let end = |transport| End::over(transport, Settings::new().in_order(true), StreamSettings::new());
    let (_here, there, mut one, mut other) = streaming((end(a), end(b))).await;
    write(&mut other, vec![1; 1000]).await;
    there.ping().await;
    one.write_all(b"half").await.expect("written");
    one.abort();
    assert_eq!(read_exactly(&mut other, 4).await, b"half");
    assert_eq!(why(&soon("reading", other.read(&mut [0])).await.expect_err("no end in order")), "Cut");
}

/// A client and a target's server, through a forward, and what is between them.
async fn forwarded() -> ((End, End, Forward), TcpStream, TcpStream) {
    let (here, there) = ends();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    there.factories.insert("target", Target::tcp(listener.local_addr().expect("TCP").to_string()));
    let forward = here.multiplexer.forward_port(0, "target").await.expect("a port");
    let client = dial(&forward).await;
    let (server, _) = soon("accepting", listener.accept()).await.expect("a socket");
    ((here, there, forward), client, server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_is_reset_while_bytes_go_to_it_does_not_look_whole_at_the_other_end() {
    for server_resets in [true, false] {
        for _ in 0..10 {
            let (_all, client, server) = forwarded().await;
            let (mut resets, reads) = if server_resets { (server, client) } else { (client, server) };
            resets.write_all(b"half").await.expect("written");
            let mut reads = reads;
            reads.read_exact(&mut [0; 4]).await.expect("half");
            // Until everything is full, and no further: a write would take the error away that the read is to see.
            while timeout(Duration::from_millis(50), reads.write(&[1; 30_000])).await.is_ok() {}
            resets.set_zero_linger().expect("set");
            drop(resets);
            let error = soon("the end", reads.read(&mut [0])).await.expect_err("no end in order");
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        }
    }
}

/// Refused, or with nothing decided when the forward is dropped.
#[tokio::test]
async fn a_socket_whose_stream_is_never_opened_does_not_look_as_if_nothing_was_to_come() {
    let (here, there) = ends();
    let mut listener = there.factories.listen("undecided", 10);
    for decided in [true, false] {
        let factory = if decided { "nobody" } else { "undecided" };
        let mut forward = Some(here.multiplexer.forward_port(0, factory).await.expect("a port"));
        let mut client = dial(forward.as_ref().expect("a forward")).await;
        let _undecided = if decided { None } else { soon("opening", listener.opening()).await };
        if !decided {
            forward = None;
        }
        let error = soon("the end", client.read(&mut [0])).await.expect_err("no end in order");
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        drop(forward);
    }
}

/// With the other direction at its end, so that the loss of the connection changes nothing about the stream itself.
#[tokio::test(start_paused = true)]
async fn a_shutdown_that_has_failed_with_its_connection_is_not_ok_when_it_is_asked_again() {
    let (end, mut peer) = scripted();
    let mut listener = end.factories.listen("source", 1);
    let (id, mut stream) = opened(&mut peer, &mut listener).await;
    let tag = peer.ask("Disconnect", &[("connection", id.as_bytes()), ("half", b"True")]).await;
    peer.expect_answer(&tag).await;
    let closing = tokio::spawn(async move { (stream.shutdown().await, stream.shutdown().await, stream) });
    peer.expect_ask("Disconnect").await;
    drop(peer);
    let (first, second, mut stream) = soon("closing", closing).await.expect("no panic");
    for error in [first, second].map(Result::unwrap_err) {
        assert_eq!(why(&error), "Connection");
    }
    assert_eq!(read_all(&mut stream).await, b"", "that direction was whole");
}
