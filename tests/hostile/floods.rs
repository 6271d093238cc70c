//! Floods of what the server would log one by one.

use std::io::Write;
use std::net::TcpStream;

use crate::bounds::LITTLE;
use crate::process::Setup;
use crate::raw::{Pair, Raw, ask, notification};
use crate::scene::Scene;

/// Boxes that want no answer, and at which something is wrong.
const WRONG: [(&[u8], &[Pair<'_>]); 3] =
    [(b"Add", &[(b"a", b"no number"), (b"b", b"2")]), (b"Unknown", &[]), (b"Connect", &[(b"factory", b"sink")])];

fn flood(scene: &mut Scene, count: usize, piece: &[u8]) -> Raw {
    let mut raw = Raw::connect(scene.server.address);
    drop(raw.drain());
    let hundred = piece.repeat(100);
    raw.send_all(count / 100, |_| hundred.clone());
    scene.server.settle();
    raw
}

#[test]
fn floods_of_notifications_do_not_fill_the_log() {
    let mut scene = Scene::begin("notifications: 20,000 of each kind");
    let held = scene.attack(|scene| {
        let wrong = WRONG.map(|(command, arguments)| flood(scene, 20_000, &notification(command, arguments)));
        (wrong, flood(scene, 20_000, &notification(b"Note", &[(b"text", b"good")])))
    });
    let lines = scene.server.log().iter().filter(|&&byte| byte == b'\n').count();
    scene.holds(lines == WRONG.len(), format!("{lines} lines of {} connections with one kind each", WRONG.len()));
    scene.finish(held, LITTLE);
}

#[test]
fn floods_do_not_fill_the_log_at_the_level_debug() {
    let mut scene = Scene::with("the same at DEBUG", &Setup { level: "debug", ..Setup::default() });
    let held = scene.attack(|scene| {
        let wrong = WRONG.map(|(command, arguments)| flood(scene, 10_000, &notification(command, arguments)));
        let asks =
            [ask("1", "Add", &[(b"a", b"no number")]), ask("1", "Unknown", &[]), ask("1", "Fail", &[(b"text", b"no")])];
        (wrong, asks.map(|piece| flood(scene, 5000, &piece)))
    });
    scene.finish(held, LITTLE);
}

#[test]
fn failing_and_panicking_responders_are_no_errors_of_the_server_and_do_not_fill_the_log() {
    let mut scene = Scene::begin("2,000 failures and 2,000 panics");
    let held = scene.attack(|scene| {
        let pieces = ["Fail", "Panic"].map(|command| ask("1", command, &[(b"text", b"a peer chose this")]));
        pieces.map(|piece| flood(scene, 2000, &piece))
    });
    let log = String::from_utf8_lossy(&scene.server.log()).into_owned();
    let told = |line: &&str| ["Panic", "a peer chose this", "commands.rs:"].iter().all(|part| line.contains(part));
    scene.holds(log.lines().any(|line| told(&line)), "no event of a panic has its command, its words and its place");
    scene.finish(held, LITTLE);
}

#[test]
fn connects_over_the_limit_do_not_fill_the_log() {
    let mut scene = Scene::begin("20,000 Connects");
    let held = scene.attack(|scene| flood(scene, 20_000, &ask("1", "Connect", &[(b"factory", b"idle")])));
    let log = String::from_utf8_lossy(&scene.server.log()).into_owned();
    scene.holds(log.contains("max_streams"), "no stream was refused as one too many");
    scene.finish(held, LITTLE * 2);
}

#[test]
fn peers_that_come_again_and_again_do_not_fill_the_log() {
    let mut scene = Scene::begin("1,000 connections that are no AMP");
    let first: [&[u8]; 3] = [b"GET / HTTP/1.1\r\n\r\n", b"\0\0", b"\0\x07_answer\0\x011\0\0"];
    scene.attack(|scene| {
        for number in 0..1000 {
            let mut socket = TcpStream::connect(scene.server.address).expect("the server accepts");
            let _ = socket.write_all(first[number % first.len()]);
        }
    });
    scene.finish((), LITTLE);
}

#[test]
fn peers_that_come_again_with_bad_notifications_do_not_fill_the_log() {
    let mut scene = Scene::begin("500 connections with 3 bad notifications");
    let bytes: Vec<u8> = WRONG.iter().flat_map(|(command, arguments)| notification(command, arguments)).collect();
    scene.attack(|scene| {
        for _ in 0..500 {
            let mut raw = Raw::connect(scene.server.address);
            let _ = raw.send(&bytes);
            raw.is_read();
        }
    });
    scene.finish((), LITTLE);
}
