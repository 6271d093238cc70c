use amp_core::{Ask, CloseReason, Connection, Located, Locator, Peer, Server, Settings};
use amp_multiplex::{ConnectError, Factories, Multiplexer, Opening, StreamSettings};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::raw::{RawPeer, scripted, scripted_with};
use crate::support::{End, Pings, echo, ends, ends_with, pattern, read_exactly, soon, until, why, write};

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
async fn a_multiplexer_without_a_connection_connects_nowhere() {
    let multiplexer = Multiplexer::default();
    let error = multiplexer.connect("echo").await.expect_err("not attached");
    assert!(matches!(error, ConnectError::NotAttached), "{error:?}");
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

/// A locator of the user's around a multiplexer, which does not know of `begin`.
struct Around(Multiplexer);

impl Locator for Around {
    fn locate(&self, ask: Ask) -> Located {
        self.0.locate(ask)
    }
}

#[tokio::test]
async fn a_multiplexer_in_a_locator_that_does_not_begin_it_is_attached_by_the_peers_first_command() {
    let factories = Factories::new();
    factories.serve("echo", echo);
    let (here, there) = (Multiplexer::default(), Multiplexer::new(&factories));
    let builder = Connection::builder().locator(Around(there.clone()));
    let (_one, _other) = amp_core::pair(Connection::builder().locator(here.clone()), builder);
    assert!(matches!(there.connect("x").await, Err(ConnectError::NotAttached)));
    let mut stream = here.connect("echo").await.expect("a stream");
    write(&mut stream, "hi").await;
    assert_eq!(read_exactly(&mut stream, 2).await, b"hi");
    assert!(matches!(there.connect("x").await, Err(ConnectError::NoSuchFactory(_))));
}

#[tokio::test]
async fn a_server_opens_streams_to_its_clients() {
    let (sender, mut accepted) = tokio::sync::mpsc::channel(1);
    let server = Server::builder()
        .on_connection(move |connection| sender.try_send(connection).expect("a place"))
        .bind_tcp("127.0.0.1:0", |_| (Pings, Multiplexer::default()))
        .await
        .expect("a port");
    let factories = Factories::new();
    factories.serve("echo", echo);
    let client = Connection::builder().locator(Multiplexer::new(&factories));
    let _connection = client.connect_tcp(server.local_addr().expect("TCP")).await.expect("a connection");
    let connection = soon("accepting", accepted.recv()).await.expect("a connection");
    let streams = Multiplexer::of(&connection).expect("its locator has one");
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
async fn a_multiplexer_belongs_to_its_first_connection_only() {
    let (here, there) = ends();
    there.factories.serve("echo", echo);
    // The same locator on a second connection.
    let other = Connection::builder().locator(there.multiplexer.clone());
    let mine = Multiplexer::default();
    let (_second, _kept) = amp_core::pair(Connection::builder().locator(mine.clone()), other);
    let error = mine.connect("echo").await.expect_err("another connection");
    assert!(matches!(error, ConnectError::Refused(_)), "{error:?}");
    here.connect("echo").await;
}

#[tokio::test]
async fn a_multiplexer_that_is_used_again_for_a_new_connection_says_so() {
    let multiplexer = Multiplexer::default();
    let builder = Connection::builder().locator(multiplexer.clone());
    let (first, _kept) = amp_core::pair(builder.clone(), Connection::builder());
    first.close();
    soon("the end", first.closed()).await;
    let (_second, _kept) = amp_core::pair(builder, Connection::builder());
    until("it knows", || format!("{multiplexer:?}").contains("streams: 0")).await;
    let error = multiplexer.connect("echo").await.expect_err("used");
    assert!(matches!(error, ConnectError::Reused), "{error:?}");
}

#[tokio::test]
async fn of_two_multiplexers_of_one_connection_the_second_says_that_it_has_none() {
    let (one, two) = (Multiplexer::default(), Multiplexer::default());
    let factories = Factories::new();
    factories.serve("echo", echo);
    let builder = Connection::builder().locator((one.clone(), two.clone()));
    let (_here, _there) = amp_core::pair(builder, Connection::builder().locator(Multiplexer::new(&factories)));
    assert!(one.connect("echo").await.is_ok());
    assert!(matches!(two.connect("echo").await, Err(ConnectError::NotAttached)));
}

#[tokio::test]
async fn over_the_limit_of_this_end_connecting_fails_without_a_word_to_the_peer() {
    let (here, there) = ends_with(1000, &StreamSettings::new().most_streams(1));
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
    let end = End::over(a, Settings::new().most_calls(1), StreamSettings::new());
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
    let (end, mut peer) = scripted_with(StreamSettings::new().most_early(10_000));
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
    let (end, mut peer) = scripted_with(StreamSettings::new().most_early(1500));
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
    let (one, other) = (Multiplexer::default(), Multiplexer::new(&factories));
    let (connection, driver) = Connection::builder().locator(one.clone()).build(a, Peer::other("a"));
    runtime.block_on(async {
        tokio::spawn(driver);
        let _there = Connection::builder().locator(other.clone()).start(b, Peer::other("b"));
        let stream = one.connect("echo").await;
        assert!(stream.is_ok() && Multiplexer::of(&connection).is_some(), "{stream:?}");
    });
}

#[test]
fn a_connection_built_outside_the_runtime_serves_streams() {
    let (a, b) = tokio::io::duplex(1 << 16);
    let factories = Factories::new();
    let (one, other) = (Multiplexer::default(), Multiplexer::new(&factories));
    let (there, driver) = Connection::builder().locator(other).build(b, Peer::other("b"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async move {
        let mut listener = factories.listen("x", 4);
        tokio::spawn(driver);
        let here = Connection::builder().locator(one.clone()).start(a, Peer::other("a"));
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
