use amp_core::locator::{Ask, Located, Locator};
use amp_core::{CloseReason, Connection, Peer, Server, Settings};
use amp_multiplex::{ConnectError, Factories, Multiplexer, Multiplexing, Opening, StreamSettings};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::raw::{RawPeer, scripted, scripted_with};
use crate::support::{
    End, Ping, Pings, echo, ends, ends_with, multiplexer, pattern, read_exactly, soon, until, why, write,
};

#[tokio::test]
async fn a_refusal_gives_its_reason() {
    let (here, there) = ends();
    there.factories.insert("closed", |opening: Opening| {
        let reason = format!("{} has its day off", opening.factory());
        opening.refuse(reason);
    });
    match here.multiplexer.connect("closed").await {
        Err(ConnectError::Refused(reason)) => assert_eq!(reason, "closed has its day off"),
        other => panic!("{other:?}"),
    }
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test]
async fn a_factory_that_was_removed_opens_no_more_and_its_streams_go_on() {
    let (here, there) = ends();
    there.factories.serve("echo", echo);
    let mut stream = here.connect("echo").await;
    assert!(there.factories.remove("echo").is_some());
    let error = here.multiplexer.connect("echo").await.expect_err("removed");
    assert!(matches!(error, ConnectError::NoSuchFactory(_)), "{error:?}");
    write(&mut stream, "still here").await;
    assert_eq!(read_exactly(&mut stream, 10).await, b"still here");
}

#[tokio::test]
async fn streams_open_from_either_end() {
    let (here, there) = ends();
    for (opener, server) in [(&here, &there), (&there, &here)] {
        server.factories.serve("echo", echo);
        let mut stream = opener.connect("echo").await;
        write(&mut stream, "hello").await;
        assert_eq!(read_exactly(&mut stream, 5).await, b"hello");
    }
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test]
async fn over_the_backlog_of_a_listener_connects_are_refused() {
    let (here, there) = ends();
    let mut listener = there.factories.listen("busy", 2);
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let multiplexer = here.multiplexer.clone();
        waiting.push(tokio::spawn(async move { multiplexer.connect("busy").await }));
    }
    until("two wait", || format!("{:?}", there.multiplexer).contains("accepting: 2")).await;
    let error = here.multiplexer.connect("busy").await.expect_err("over the backlog");
    assert!(matches!(error, ConnectError::Refused(_)), "{error:?}");
    let mut streams = vec![listener.accept().await.expect("one"), listener.accept().await.expect("two")];
    for connecting in waiting {
        streams.push(soon("connecting", connecting).await.expect("no panic").expect("accepted"));
    }
    drop(streams);
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test]
async fn a_listener_whose_factory_was_removed_ends() {
    let (_here, there) = ends();
    let mut listener = there.factories.listen("gone", 2);
    there.factories.remove("gone");
    assert!(soon("accepting", listener.accept()).await.is_none());
}

#[tokio::test]
async fn a_connection_without_the_extension_has_no_multiplexer_and_knows_no_streams() {
    let near = Connection::builder().extension(Multiplexing::default());
    let (here, there) = amp_core::connection::pair(near, Connection::builder());
    assert!(Multiplexer::of(&there).is_none());
    let error = multiplexer(&here).connect("echo").await.expect_err("it knows no streams");
    assert!(matches!(error, ConnectError::Unsupported(_)), "{error:?}");
}

#[tokio::test]
async fn connecting_after_the_end_gives_the_connections_reason() {
    let (here, there) = ends();
    here.connection.abort();
    let error = here.multiplexer.connect("echo").await.expect_err("aborted");
    assert!(matches!(error, ConnectError::Connection(CloseReason::Aborted)), "{error:?}");
    let closed = here.connection.closed();
    drop(here.connection);
    soon("the end", closed).await;
    until("the reason is known", || there.connection.is_closed()).await;
    let error = here.multiplexer.connect("echo").await.expect_err("no handle is left");
    assert!(matches!(error, ConnectError::Connection(CloseReason::Aborted)), "{error:?}");
}

/// A locator of the user's around another, which forwards what it must and no more.
struct Around(Pings);

impl Locator for Around {
    fn locate(&self, ask: Ask) -> Located {
        self.0.locate(ask)
    }
}

#[tokio::test]
async fn streams_are_open_from_the_start_whatever_the_locator_wraps_and_forgets() {
    let factories = Factories::new();
    factories.serve("echo", echo);
    let builder = Connection::builder().extension(Multiplexing::new(&factories)).locator((Around(Pings), ()));
    let (one, other) = amp_core::connection::pair(Connection::builder().extension(Multiplexing::default()), builder);
    let (here, there) = (multiplexer(&one), multiplexer(&other));
    assert!(matches!(there.connect("x").await, Err(ConnectError::NoSuchFactory(_))));
    let mut stream = here.connect("echo").await.expect("a stream");
    write(&mut stream, "hi").await;
    assert_eq!(read_exactly(&mut stream, 2).await, b"hi");
    assert_eq!(one.call(Ping { n: 3 }).await.expect("an answer").n, 3);
}

#[tokio::test]
async fn a_server_opens_streams_to_its_clients() {
    let (sender, mut accepted) = tokio::sync::mpsc::channel(1);
    let server = Server::builder()
        .on_connection(move |connection| sender.try_send(connection).expect("a place"))
        .extension(Multiplexing::default())
        .bind_tcp("127.0.0.1:0", |_| Pings)
        .await
        .expect("a port");
    let factories = Factories::new();
    factories.serve("echo", echo);
    let client = Connection::builder().extension(Multiplexing::new(&factories));
    let _connection = client.connect_tcp(server.local_addr().expect("TCP")).await.expect("a connection");
    let connection = soon("accepting", accepted.recv()).await.expect("a connection");
    let streams = Multiplexer::of(&connection).expect("the server gives each connection one");
    let mut stream = streams.connect("echo").await.expect("a stream");
    write(&mut stream, "hi").await;
    assert_eq!(read_exactly(&mut stream, 2).await, b"hi");
}

#[tokio::test]
async fn a_listener_that_is_dropped_takes_its_factory_away_and_no_other() {
    let (here, there) = ends();
    drop(there.factories.listen("gone", 1));
    let error = here.multiplexer.connect("gone").await.expect_err("nobody listens");
    assert!(matches!(error, ConnectError::NoSuchFactory(_)), "{error:?}");
    let listener = there.factories.listen("echo", 1);
    there.factories.serve("echo", echo);
    drop(listener);
    here.connect("echo").await;
}

#[tokio::test]
async fn one_extension_gives_each_connection_streams_of_its_own() {
    let factories = Factories::new();
    factories.serve("echo", echo);
    let (near, far) =
        (Multiplexing::default(), Multiplexing::with_settings(&factories, StreamSettings::new().max_streams(1)));
    let pair = || {
        let builder = |extension: &Multiplexing| Connection::builder().extension(extension.clone());
        amp_core::connection::pair(builder(&near), builder(&far))
    };
    let ((first, first_far), (second, second_far)) = (pair(), pair());
    let mut streams = Vec::new();
    for (near, far) in [(&first, &first_far), (&second, &second_far)] {
        let mut stream = multiplexer(near).connect("echo").await.expect("one for each");
        write(&mut stream, "hi").await;
        assert_eq!(read_exactly(&mut stream, 2).await, b"hi");
        streams.push(stream);
        assert_eq!((multiplexer(near).streams(), multiplexer(far).streams()), (1, 1));
    }
    first.abort();
    soon("the end", first.closed()).await;
    assert_eq!(streams[0].read(&mut [0]).await.map_err(|error| why(&error)), Err("Connection".to_owned()));
    write(&mut streams[1], "still").await;
    assert_eq!(read_exactly(&mut streams[1], 5).await, b"still");
}

#[tokio::test]
async fn a_builder_that_is_used_again_when_its_connection_has_ended_has_streams_again() {
    let factories = Factories::new();
    factories.serve("echo", echo);
    let builder = Connection::builder().extension(Multiplexing::default());
    let far = Connection::builder().extension(Multiplexing::new(&factories));
    let (first, _kept) = amp_core::connection::pair(builder.clone(), far.clone());
    let lost = multiplexer(&first);
    first.close();
    soon("the end", first.closed()).await;
    let (second, _kept) = amp_core::connection::pair(builder, far);
    assert!(multiplexer(&second).connect("echo").await.is_ok());
    let error = lost.connect("echo").await.expect_err("its connection has ended");
    assert!(matches!(error, ConnectError::Connection(CloseReason::Closed)), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_is_given_two_multiplexers_has_ended_and_says_why() {
    let builder = Connection::builder().extension(Multiplexing::default()).extension(Multiplexing::default());
    let (here, there) = amp_core::connection::pair(builder, Connection::builder());
    let reason = soon("the end", here.closed()).await;
    assert!(matches!(reason, CloseReason::ClaimedTwice { command: "Connect" }), "{reason:?}");
    assert!(Multiplexer::of(&here).is_none(), "neither is attached");
    assert!(matches!(soon("the end", there.closed()).await, CloseReason::ClosedByPeer));
}

#[tokio::test]
async fn over_the_limit_of_this_end_connecting_fails_without_a_word_to_the_peer() {
    let (here, there) = ends_with(1000, &StreamSettings::new().max_streams(1));
    there.factories.serve("echo", echo);
    let stream = here.connect("echo").await;
    let error = here.multiplexer.connect("echo").await.expect_err("over the limit");
    assert!(matches!(error, ConnectError::TooManyStreams { limit: 1 }), "{error:?}");
    drop(stream);
    here.is_empty().await;
    there.is_empty().await;
    here.connect("echo").await;
}

#[tokio::test(start_paused = true)]
async fn a_connect_that_is_dropped_before_it_was_polled_sends_nothing() {
    let (end, mut peer) = scripted();
    drop(end.multiplexer.connect("echo"));
    peer.expect_silence().await;
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_connect_that_is_dropped_while_it_waits_for_its_turn_sends_nothing() {
    let (a, b) = tokio::io::duplex(1000);
    let end = End::over(a, Settings::new().max_calls(1), StreamSettings::new());
    let mut first = Box::pin(end.multiplexer.connect("one"));
    let mut second = Box::pin(end.multiplexer.connect("two"));
    assert!(timeout(Duration::from_secs(1), &mut first).await.is_err());
    assert!(timeout(Duration::from_secs(1), &mut second).await.is_err());
    drop(second);
    assert!(format!("{:?}", end.multiplexer).contains("connecting: 1"), "{:?}", end.multiplexer);
    drop((first, b));
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_opens_after_its_connect_was_dropped_is_closed_again() {
    let (end, mut peer) = scripted();
    let connecting = timeout(Duration::from_secs(1), end.multiplexer.connect("echo")).await;
    assert!(connecting.is_err());
    let ask = peer.expect_ask("Connect").await;
    let banner = peer.transmit("abc", b"220 hi").await;
    peer.answer(&ask, &[("connection", "abc")]).await;
    peer.expect_answer(&banner).await;
    let close = peer.expect_ask("Disconnect").await;
    assert_eq!(close.text("connection"), "abc");
    peer.answer(&close, &[]).await;
    peer.expect_silence().await;
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_the_peer_ended_before_the_dropped_connect_was_answered_needs_no_disconnect() {
    let (end, mut peer) = scripted();
    let connecting = timeout(Duration::from_secs(1), end.multiplexer.connect("echo")).await;
    assert!(connecting.is_err());
    let ask = peer.expect_ask("Connect").await;
    let tag = peer.disconnect("abc").await;
    peer.expect_answer(&tag).await;
    peer.answer(&ask, &[("connection", "abc")]).await;
    peer.expect_silence().await;
    end.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_connect_that_is_never_answered_does_not_hold_the_connection_for_ever() {
    let (end, mut peer) = scripted();
    let connecting = timeout(Duration::from_secs(1), end.multiplexer.connect("echo")).await;
    assert!(connecting.is_err());
    peer.expect_ask("Connect").await;
    let closed = end.connection.closed();
    drop(end);
    timeout(Duration::from_secs(600), closed).await.expect("the connection ends");
}

/// Whatever is too late for the caller's patience, the peer's stream is closed again and its bytes are never unknown.
#[tokio::test(start_paused = true)]
async fn a_stream_that_opens_an_hour_after_its_connect_was_given_up_is_closed_again() {
    for patience in [Some(Duration::from_secs(10)), None] {
        let (ours, transport) = tokio::io::duplex(1 << 20);
        let settings = Settings::new().call_timeout(patience);
        let (end, mut peer) = (End::over(ours, settings, StreamSettings::new()), RawPeer::over(transport));
        let connecting = timeout(Duration::from_secs(20), end.multiplexer.connect("echo")).await;
        match patience {
            Some(_) => assert!(matches!(connecting, Ok(Err(ConnectError::Timeout))), "{connecting:?}"),
            None => assert!(connecting.is_err(), "{connecting:?}"),
        }
        let ask = peer.expect_ask("Connect").await;
        tokio::time::sleep(Duration::from_secs(3600)).await;
        peer.answer(&ask, &[("connection", "abc")]).await;
        let banner = peer.transmit("abc", b"220 hi").await;
        peer.expect_answer(&banner).await;
        let close = peer.expect_ask("Disconnect").await;
        assert_eq!(close.text("connection"), "abc");
        // However long the peer takes to know, its bytes are taken.
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let late = peer.transmit("abc", b"still here").await;
        peer.expect_answer(&late).await;
        peer.answer(&close, &[]).await;
        end.is_empty().await;
    }
}

/// Empty and single bytes for a stream that is not known yet cost what they hold, not what they carry.
#[tokio::test(start_paused = true)]
async fn early_crumbs_are_bounded_too() {
    let (end, mut peer) = scripted_with(StreamSettings::new().max_early(10_000));
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("echo").await });
    let ask = peer.expect_ask("Connect").await;
    for _ in 0..100 {
        let tag = peer.transmit("abc", b"").await;
        peer.expect_answer(&tag).await;
    }
    for _ in 0..100 {
        peer.transmit("abc", b"x").await;
    }
    // 256 bytes for the stream, 257 for each crumb: 37 are kept, the others are answered and the stream is not whole.
    for _ in 37..100 {
        assert!(peer.packet().await.has("_answer"));
    }
    peer.answer(&ask, &[("connection", "abc")]).await;
    let mut stream = connecting.await.expect("no panic").expect("a stream");
    assert_eq!(read_exactly(&mut stream, 37).await, [b'x'; 37]);
    let error = stream.read(&mut [0]).await.expect_err("not whole");
    assert_eq!(why(&error), "Overrun");
    drop(end);
}

#[tokio::test(start_paused = true)]
async fn a_stream_whose_early_bytes_are_not_all_kept_ends_with_the_reason() {
    let (end, mut peer) = scripted_with(StreamSettings::new().max_early(1500));
    let multiplexer = end.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("echo").await });
    let ask = peer.expect_ask("Connect").await;
    peer.transmit("abc", &pattern(900)).await;
    let tag = peer.transmit("abc", &pattern(900)).await;
    peer.expect_answer(&tag).await;
    peer.answer(&ask, &[("connection", "abc")]).await;
    let mut stream = connecting.await.expect("no panic").expect("a stream");
    assert_eq!(read_exactly(&mut stream, 900).await, pattern(900));
    let error = stream.read(&mut [0]).await.expect_err("not whole");
    assert_eq!(why(&error), "Overrun");
    assert!(stream.write(b"x").await.is_err());
    drop(stream);
}

#[test]
fn a_connection_that_is_built_outside_the_runtime_can_open_streams() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (a, b) = tokio::io::duplex(1 << 16);
    let factories = Factories::new();
    factories.serve("echo", echo);
    let (connection, driver) = Connection::builder().extension(Multiplexing::default()).build(a, Peer::other("a"));
    let one = multiplexer(&connection);
    runtime.block_on(async {
        tokio::spawn(driver);
        let there = Connection::builder().extension(Multiplexing::new(&factories));
        let _there = there.start(b, Peer::other("b"));
        let stream = one.connect("echo").await;
        assert!(stream.is_ok() && Multiplexer::of(&connection).is_some(), "{stream:?}");
    });
}

#[test]
fn a_connection_built_outside_the_runtime_serves_streams() {
    let (a, b) = tokio::io::duplex(1 << 16);
    let factories = Factories::new();
    let there = Connection::builder().extension(Multiplexing::new(&factories));
    let (there, driver) = there.build(b, Peer::other("b"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let mut listener = factories.listen("x", 4);
        tokio::spawn(driver);
        let here = Connection::builder().extension(Multiplexing::default()).start(a, Peer::other("a"));
        let one = multiplexer(&here);
        let (near, far) = tokio::join!(one.connect("x"), listener.accept());
        let (mut near, mut far) = (near.unwrap(), far.unwrap());
        let second = async { tokio::join!(one.connect("x"), listener.accept()) };
        let (near2, far2) = second.await;
        let (mut near2, far2) = (near2.unwrap(), far2.unwrap());
        write(&mut near, "x").await;
        drop(far2);
        let told = timeout(Duration::from_secs(2), near2.read(&mut [0])).await;
        here.abort();
        there.closed().await;
        far.read_exact(&mut [0]).await.unwrap();
        let end = timeout(Duration::from_secs(2), far.read(&mut [0])).await;
        assert!(told.is_ok() && end.is_ok(), "told of the end of the stream: {told:?}; of the connection: {end:?}");
    });
}
