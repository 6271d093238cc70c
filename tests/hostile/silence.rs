//! Peers that say nothing, or half of something.

use std::net::SocketAddr;
use std::time::Duration;

use crate::bounds::{IDLE, LITTLE, MAX_CONNECTIONS, SERVER};
use crate::honest::newcomer;
use crate::raw::{Raw, ask, dropped};
use crate::scene::Scene;

/// As many connections as the server takes of so many, each with these first bytes.
pub(crate) fn crowd(address: SocketAddr, count: usize, bytes: &[u8]) -> Vec<Raw> {
    let connect = |number| {
        // What the system's backlog has no room for is tried again after a second.
        if number % 64 == 63 {
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut raw = Raw::try_connect(address).ok()?;
        // It may be ended already.
        let _ = raw.send(bytes);
        Some(raw)
    };
    (0..count).map_while(connect).collect()
}

#[test]
fn a_thousand_idle_connections_shut_nobody_out() {
    let mut scene = Scene::begin("1,024 idle connections");
    let held = scene.attack(|scene| {
        let idle = crowd(scene.server.address, MAX_CONNECTIONS, b"");
        scene.succeeds(newcomer(scene.server.address));
        idle
    });
    scene.finish(held, IDLE);
}

#[test]
fn of_five_thousand_connections_with_half_a_box_the_oldest_are_ended_and_nobody_is_shut_out() {
    const COUNT: usize = 5000;
    let mut scene = Scene::begin("5,000 connections with half a box");
    let held = scene.attack(|scene| {
        let whole = ask("1", "Add", &[(b"a", b"1"), (b"b", b"2")]);
        let mut half = crowd(scene.server.address, COUNT, &whole[..whole.len() / 2]);
        scene.holds(half.len() == COUNT, format!("only {} of {COUNT} connected", half.len()));
        scene.succeeds(newcomer(scene.server.address));
        // The honest client has one place and the newcomer may have one.
        let places = MAX_CONNECTIONS - 24;
        let oldest = half.len().saturating_sub(MAX_CONNECTIONS + 24);
        for at in (0..oldest).step_by(500) {
            let ended = half[at].has_ended(Duration::from_secs(5));
            scene.holds(ended, format!("connection {at} of {} is open", half.len()));
        }
        for at in (half.len().saturating_sub(places)..half.len()).step_by(200) {
            let ended = half[at].has_ended(Duration::from_millis(20));
            scene.holds(!ended, format!("connection {at} of {} was ended", half.len()));
        }
        half
    });
    scene.finish(held, IDLE);
}

#[test]
fn a_connection_that_is_idle_behind_a_large_box_gives_its_buffers_back() {
    let mut scene = Scene::begin("200 idle connections behind a large box");
    let held = scene.attack(|scene| {
        let mut idle = crowd(scene.server.address, 200, &dropped(975_000));
        let heard = idle.iter_mut().map(Raw::is_read).filter(|heard| *heard).count();
        scene.holds(heard == 200, format!("only {heard} of 200 were heard"));
        scene.server.settle();
        idle
    });
    let left = scene.growth();
    scene.holds(left <= IDLE, format!("{left} bytes are kept by idle connections"));
    scene.finish(held, SERVER);
}

#[test]
fn the_begin_of_a_box_behind_a_large_one_keeps_no_more_than_itself() {
    const COUNT: usize = 128;
    let mut scene = Scene::begin("128 begun boxes behind large boxes");
    let held = scene.attack(|scene| {
        // In one send, so that one allocation has both; then a byte now and then keeps the box open.
        let next = ask("next", "Echo", &[(b"data", &[b'n'; 40_000])]);
        let mut begun = crowd(scene.server.address, COUNT, &[&dropped(720_000), &next[..17_000]].concat());
        scene.server.settle();
        for (at, raw) in begun.iter_mut().enumerate() {
            let is_open = raw.send(&next[17_000..17_001]).is_ok();
            scene.holds(is_open, format!("connection {at} was ended"));
        }
        scene.server.settle();
        begun
    });
    let left = scene.growth();
    scene.holds(left <= IDLE, format!("{left} bytes are kept by {COUNT} boxes of 17,001 bytes"));
    scene.finish(held, SERVER);
}

#[test]
fn a_peer_that_answers_no_call_holds_only_its_own() {
    let mut scene = Scene::begin("8 peers that answer no call");
    let held = scene.attack(|scene| {
        let mut peers = crowd(scene.server.address, 8, b"");
        for peer in &mut peers {
            peer.send_all(5000, |number| ask(format!("{number}"), "CallBack", &[]));
        }
        // `Settings::max_responders` of them wait for an answer to their own call.
        let refused = peers
            .iter_mut()
            .map_while(|peer| peer.answer(b"4999")?.remove(b"_error_code".as_slice()))
            .filter(|code| code == b"BUSY")
            .count();
        scene.holds(refused == peers.len(), format!("only {refused} of {} were refused an ask", peers.len()));
        peers
    });
    scene.finish(held, LITTLE * 2);
}
