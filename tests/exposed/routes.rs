//! Rule 62: connections that share one, each with a `_route` key in its boxes. The router is that of the example.

use std::time::Duration;

use amp::connection::ConnectionBuilder;
use amp::error::codes;
use amp::{AmpBox, CallError, Connection, Peer, Settings};
use tokio::task::JoinSet;

use crate::commands::{Big, House, Sum, Wait, sum};
use crate::raw_peer::{RawPeer, ask_sum, ended, packed, reason, soon};
use crate::router::Router;

/// What it sends is AMP alone.
fn plain() -> ConnectionBuilder {
    Connection::builder().settings(Settings::new().announce(false))
}

fn house() -> ConnectionBuilder {
    plain().locator(House::new().into_locator())
}

fn router() -> (Connection, RawPeer, Router) {
    let (connection, peer) = RawPeer::with((), Settings::new());
    let router = Router::on(&connection);
    (connection, peer, router)
}

/// A box of a route, its keys in the order in which they are written.
fn on(route: &str, pairs: &[(&str, &str)]) -> Vec<u8> {
    let mut pairs = [pairs, &[("_route", route)]].concat();
    pairs.sort_unstable();
    packed(&pairs)
}

fn ask_on(route: &str, tag: &str) -> Vec<u8> {
    on(route, &[("_ask", tag), ("_command", "Sum"), ("a", "1"), ("b", "2")])
}

fn answer_on(route: &str, tag: &str) -> Vec<u8> {
    on(route, &[("_answer", tag), ("total", "3")])
}

#[tokio::test(start_paused = true)]
async fn rule_62_the_route_key_is_added_to_what_is_sent_and_stripped_from_what_comes() {
    let (_connection, mut peer, router) = router();
    let (one, _other) = (router.open("one", house()), router.open("other", house()));
    let call = tokio::spawn({
        let one = one.clone();
        async move { one.call_box("Sum", AmpBox::new()).await }
    });
    peer.expect(on("one", &[("_ask", "1"), ("_command", "Sum")])).await;
    // The key's place in the box and the order of the answers are the peer's matter.
    peer.send(packed(&[("_route", "one"), ("total", "3"), ("_answer", "1")])).await;
    let answer = soon("answered", call).await.expect("no panic").expect("an answer");
    assert_eq!(answer, AmpBox::new().with("total", "3").expect("fits"), "the route is not in it");
    peer.send([ask_on("other", "x"), ask_on("one", "x")].concat()).await;
    let (first, second) = (answer_on("other", "x"), answer_on("one", "x"));
    let got = peer.read_bytes(first.len() + second.len()).await;
    // Routes are connections of their own: nothing orders one after the other.
    let orders = [[&first[..], &second].concat(), [&second[..], &first].concat()];
    assert!(orders.contains(&got), "{}", got.escape_ascii());
}

#[tokio::test(start_paused = true)]
async fn each_route_has_tags_and_a_locator_of_its_own() {
    let (_connection, mut peer, router) = router();
    let (one, other) = (router.open("one", house()), router.open("other", plain()));
    for (route, name) in [(&one, "one"), (&other, "other")] {
        let call = tokio::spawn(route.call(sum()));
        peer.expect(ask_on(name, "1")).await;
        peer.send(answer_on(name, "1")).await;
        soon("answered", call).await.expect("no panic").expect("an answer");
    }
    peer.send(ask_on("one", "x")).await;
    peer.expect(answer_on("one", "x")).await;
    peer.send(ask_on("other", "x")).await;
    let words = ("_error_description", "Unhandled Command: b'Sum'");
    peer.expect(on("other", &[("_error", "x"), ("_error_code", "UNHANDLED"), words])).await;
}

#[tokio::test(start_paused = true)]
async fn a_box_for_an_unknown_route_is_refused_and_harms_nobody() {
    let (connection, mut peer, router) = router();
    let route = router.open("one", house());
    let refused = |route, tag| {
        let words = ("_error_description", "there is no such route");
        on(route, &[("_error", tag), ("_error_code", "UNHANDLED"), words])
    };
    peer.send([ask_on("two", "1"), ask_on("", "2")].concat()).await;
    peer.expect([refused("two", "1"), refused("", "2")].concat()).await;
    peer.send(ask_sum("3")).await;
    peer.expect(refused("", "3")).await;
    // Nobody waits for an answer to these.
    peer.send([answer_on("two", "1"), on("two", &[("_command", "Sum")]), packed(&[("x", "y")])].concat()).await;
    peer.send(packed::<&[u8], &[u8]>(&[(b"_route", b"\xff\xfe"), (b"x", b"y")])).await;
    peer.expect_silence().await;
    peer.send(ask_on("one", "4")).await;
    peer.expect(answer_on("one", "4")).await;
    assert!(!connection.is_closed() && !route.is_closed());
}

#[tokio::test(start_paused = true)]
async fn ending_one_route_leaves_the_others_alive() {
    for expected in ["Closed", "Aborted", "Packet", "UnknownAnswer"] {
        let (connection, mut peer, router) = router();
        let (one, other) = (router.open("one", house()), router.open("other", house()));
        let call = tokio::spawn(one.call(Wait));
        peer.expect(on("one", &[("_ask", "1"), ("_command", "Wait")])).await;
        match expected {
            "Closed" => one.close(),
            "Aborted" => one.abort(),
            "Packet" => peer.send(on("one", &[("no", "meaning")])).await,
            _ => peer.send(answer_on("one", "99")).await,
        }
        if expected == "Closed" {
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
        assert_eq!(reason(soon("told", call).await.expect("no panic")), expected);
        assert_eq!(ended(&one).await, expected);
        peer.send([ask_on("one", "1"), ask_on("other", "1")].concat()).await;
        let words = ("_error_description", "there is no such route");
        peer.expect(on("one", &[("_error", "1"), ("_error_code", "UNHANDLED"), words])).await;
        peer.expect(answer_on("other", "1")).await;
        assert!(!connection.is_closed() && !other.is_closed());
        // The place is free for a new one.
        let _again = router.open("one", house());
        peer.send(ask_on("one", "1")).await;
        peer.expect(answer_on("one", "1")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_connection_is_the_end_of_all_routes_for_the_same_reason() {
    for expected in ["ClosedByPeer", "ClosedMidBox", "Wire", "Aborted", "Closed"] {
        let (connection, mut peer, router) = router();
        let routes = [router.open("one", house()), router.open("other", house())];
        let mut calls = Vec::new();
        for (route, name) in routes.iter().zip(["one", "other"]) {
            calls.push(tokio::spawn(route.call(sum())));
            peer.expect(ask_on(name, "1")).await;
        }
        match expected {
            "ClosedMidBox" => peer.send(b"\0").await,
            "Wire" => peer.send(b"\xff\xff").await,
            "Aborted" => connection.abort(),
            "Closed" => {
                connection.close();
                peer.expect_end("").await;
            }
            _ => {}
        }
        drop(peer);
        assert_eq!(ended(&connection).await, expected);
        for (call, route) in calls.into_iter().zip(&routes) {
            assert_eq!(reason(soon("told", call).await.expect("no panic")), expected);
            assert_eq!(ended(route).await, expected);
        }
        let late = router.open("late", house());
        assert_eq!(reason(soon("told", late.call(sum())).await), expected);
        // What it had queued went nowhere.
        assert_eq!(ended(&late).await, if expected == "Closed" { "Unwritten" } else { expected });
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_route_closes_the_connection_that_nobody_else_holds() {
    let (connection, mut peer, router) = router();
    let (one, other) = (router.open("one", house()), router.open("other", house()));
    drop((connection, router));
    peer.send(ask_on("one", "1")).await;
    peer.expect(answer_on("one", "1")).await;
    drop(one);
    peer.send(ask_on("other", "1")).await;
    peer.expect(answer_on("other", "1")).await;
    drop(other);
    peer.expect_end("").await;
}

#[tokio::test(start_paused = true)]
async fn what_a_route_has_queued_when_it_closes_is_still_written() {
    let (_connection, mut peer, router) = router();
    let route = router.open("one", plain());
    for _ in 0..20 {
        route.notify(sum()).await.expect("there is room");
    }
    drop(route);
    peer.expect(on("one", &[("_command", "Sum"), ("a", "1"), ("b", "2")]).repeat(20)).await;
}

/// Two ends of one byte stream, with two routes each.
fn two_by_two(room: usize, settings: &Settings) -> [[Connection; 2]; 2] {
    let (a, b) = tokio::io::duplex(room);
    [a, b].map(|transport| {
        let connection = Connection::builder().settings(settings.clone()).start(transport, Peer::other("flood"));
        let router = Router::on(&connection);
        ["one", "other"].map(|name| router.open(name, house().settings(settings.clone())))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_5_000_calls_over_two_routes_finishes() {
    for settings in [Settings::new(), Settings::new().outbound_high_water(1).max_calls(10)] {
        let ends = two_by_two(4096, &settings);
        let routes: Vec<_> = ends.iter().flatten().collect();
        let mut calls = JoinSet::new();
        for (a, route) in (0..5000).zip(routes.into_iter().cycle()) {
            let call = route.call(Sum { a, b: 1 });
            calls.spawn(async move { assert_eq!(call.await.expect("an answer").total, a + 1) });
        }
        soon("every call is answered", calls.join_all()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn routes_wait_for_a_peer_that_reads_slowly_and_it_is_not_accused() {
    let settings = Settings::new().outbound_high_water(50_000).max_outbound(400_000);
    let [[one, other], _answering] = two_by_two(256, &settings);
    let mut calls = JoinSet::new();
    for at in 0..200 {
        let route = if at % 2 == 0 { &one } else { &other };
        calls.spawn(route.call(Big { size: 60_000 }));
    }
    for reply in soon("every call is answered", calls.join_all()).await {
        assert_eq!(reply.expect("an answer").data.len(), 60_000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_without_its_other_end_is_an_unhandled_call() {
    let (a, b) = tokio::io::duplex(4096);
    let start = |transport| Connection::builder().start(transport, Peer::other("memory"));
    let (ours, theirs) = (Router::on(&start(a)), Router::on(&start(b)));
    let (lonely, _open) = (ours.open("lonely", house()), theirs.open("open", house()));
    match soon("answered", lonely.call(sum())).await {
        Err(CallError::Remote { code, .. }) => assert_eq!(code, codes::UNHANDLED),
        other => panic!("{other:?}"),
    }
}
