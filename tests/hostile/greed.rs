//! Peers that make the server hold much: what they ask for, what they do not read, and what keeps more alive than it has.

use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::bounds::{COMMANDS, KEPT_CALLS, LEFT_OF_MANY, LITTLE, MIB, PATIENCE, SERVER, SLACK};
use crate::process::Setup;
use crate::raw::{Raw, ask, dropped, notification, packed};
use crate::scene::Scene;
use crate::silence::crowd;

/// Attacks with so many connections at once, each in a thread of its own.
fn with_each(scene: &Scene, count: usize, attack: impl Fn(&mut Raw) + Clone + Send + 'static) -> Vec<Raw> {
    let start = |mut raw: Raw| -> JoinHandle<Raw> {
        let attack = attack.clone();
        std::thread::spawn(move || {
            attack(&mut raw);
            raw
        })
    };
    let attackers: Vec<_> = crowd(scene.server.address, count, b"").into_iter().map(start).collect();
    attackers.into_iter().map(|attacker| attacker.join().expect("an attacker")).collect()
}

/// Asks for large answers that it does not read.
pub(crate) fn asks_and_reads_nothing(raw: &mut Raw) {
    let data = vec![b'e'; 60_000];
    raw.send_all(1500, |number| ask(format!("{number}"), "Echo", &[(b"data", &data)]));
}

/// Asks for large answers that come at once, and that it does not read.
fn asks_for_late_answers(raw: &mut Raw, count: usize, after: Duration) {
    let after = after.as_millis().to_string();
    raw.send_all(count, |number| ask(format!("{number}"), "Late", &[(b"after", after.as_bytes())]));
}

/// Opens streams whose bytes it does not read.
pub(crate) fn never_reads(raw: &mut Raw) {
    raw.send_all(1500, |number| ask(format!("{number}"), "Connect", &[(b"factory", b"source")]));
}

/// Asks for as many responders as there may be, which keep what they were given.
pub(crate) fn keeps_responders_busy(raw: &mut Raw) {
    drop(raw.drain());
    let data = vec![b'k'; 15_000];
    raw.send_all(4500, |number| ask(format!("{number}"), "Keep", &[(b"data", &data)]));
}

/// Asks for as many responders as there may be, which need much beside what they are given.
pub(crate) fn has_large_responders_run(raw: &mut Raw) {
    drop(raw.drain());
    raw.send_all(4500, |number| ask(format!("{number}"), "Buffer", &[]));
}

/// Asks for little, each time behind a large box that is dropped.
pub(crate) fn hides_behind_large_boxes(raw: &mut Raw) {
    drop(raw.drain());
    let (large, data) = (dropped(975_000), vec![b'k'; 8200]);
    raw.send_all(600, |number| {
        let mut bytes = large.clone();
        bytes.extend(ask(format!("{number}"), "Keep", &[(b"data", &data)]));
        bytes
    });
}

/// The same with asks that wait, because the answers to those before are not read.
pub(crate) fn waits_behind_large_boxes(raw: &mut Raw) {
    let data = vec![b'e'; 60_000];
    raw.send_all(400, |number| ask(format!("{number}"), "Echo", &[(b"data", &data)]));
    let (large, data) = (dropped(975_000), vec![b'k'; 8200]);
    raw.send_all(600, |number| {
        let mut bytes = large.clone();
        bytes.extend(ask(format!("w{number}"), "Keep", &[(b"data", &data)]));
        bytes
    });
}

/// Sends notifications that take their time, whatever is promised to run.
pub(crate) fn notifies_without_end(raw: &mut Raw) {
    drop(raw.drain());
    let note = notification(b"SlowNote", &[(b"text", &[b'n'; 60_000])]);
    raw.send_all(1500, |_| note.clone());
}

#[test]
fn peers_that_ask_without_end_and_read_nothing_stay_under_the_servers_memory() {
    let mut scene = Scene::begin("8 peers that ask and read nothing");
    let held = scene.attack(|scene| with_each(scene, 8, asks_and_reads_nothing));
    scene.finish(held, SERVER);
}

#[test]
fn the_last_bytes_for_peers_that_read_nothing_are_held_once() {
    const PEERS: usize = 2;
    let mut scene = Scene::begin("2 peers that ask for 60 MB and finish");
    let held = scene.attack(|scene| {
        let peers = with_each(scene, PEERS, |raw| asks_for_late_answers(raw, 1000, Duration::from_millis(500)));
        let start = Instant::now();
        while scene.growth() < PEERS * 40 * MIB && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(Duration::from_millis(500));
        let before = scene.growth();
        scene.holds(before > PEERS * 40 * MIB, format!("only {} MiB of answers wait", before / MIB));
        // They have ended their direction: what waits is written for as long as `linger`.
        peers.iter().for_each(Raw::finish);
        std::thread::sleep(Duration::from_millis(400));
        let after = scene.growth();
        scene.holds(after <= before + SLACK / 2, format!("{} MiB at the end, {} before", after / MIB, before / MIB));
        peers
    });
    scene.finish(held, SERVER);
}

/// A connection that has ended keeps its last bytes for as long as `linger`: those of several waves are there at once.
#[test]
fn peers_that_end_with_unread_answers_stay_under_the_servers_memory() {
    const WAVES: u32 = 6;
    const PAUSE: Duration = Duration::from_millis(200);
    let mut scene = Scene::begin("6 waves of 6 peers that ask for 36 MB and end");
    let held = scene.attack(|scene| {
        let start = Instant::now() + Duration::from_secs(2);
        let waves: Vec<_> = (0..WAVES)
            .map(|wave| {
                let at = start + wave * PAUSE;
                let asks = move |raw: &mut Raw| {
                    asks_for_late_answers(raw, 600, at.saturating_duration_since(Instant::now()));
                };
                (at, with_each(scene, 6, asks))
            })
            .collect();
        for (at, wave) in &waves {
            // Their answers are there now, and those of the next wave are not.
            std::thread::sleep((*at + PAUSE / 5 * 4).saturating_duration_since(Instant::now()));
            wave.iter().for_each(Raw::finish);
        }
        waves
    });
    scene.finish(held, SERVER);
}

/// All at one moment: responders that are ready answer before anybody can end their connections, and afterwards.
#[test]
fn bursts_of_answers_stay_under_the_servers_memory() {
    const PEERS: usize = 60;
    let mut scene = Scene::begin("60 peers with 300 answers of 60 kB at once");
    let held = scene.attack(|scene| {
        let at = Instant::now() + Duration::from_secs(4);
        let asks = move |raw: &mut Raw| {
            asks_for_late_answers(raw, 300, at.saturating_duration_since(Instant::now()));
        };
        let peers = with_each(scene, PEERS, asks);
        std::thread::sleep((at + Duration::from_secs(1)).saturating_duration_since(Instant::now()));
        peers
    });
    scene.finish(held, SERVER);
}

#[test]
fn peers_that_read_no_stream_stay_under_the_servers_memory() {
    let mut scene = Scene::begin("4 peers that read nothing of 1,500 streams");
    let held = scene.attack(|scene| with_each(scene, 4, never_reads));
    // Each of the 6,000 streams has a factory with a buffer of 8 KiB. If more than a little of what they write were taken, it would
    // be as much as may be in flight: 64 MiB for each peer.
    scene.finish(held, LITTLE * 2);
}

/// Sends to streams that nobody reads, without waiting for credit.
pub(crate) fn fills_streams(raw: &mut Raw) {
    let ids: Vec<_> = (0..64).map_while(|_| raw.open("hold")).collect();
    drop(raw.drain());
    let chunk = vec![b'f'; 32 << 10];
    raw.send_all(7000, |number| {
        let id = &ids[number % ids.len()];
        ask(format!("{number}"), "Transmit", &[(b"connection", id), (b"data", &chunk)])
    });
}

#[test]
fn peers_that_fill_streams_that_nobody_reads_stay_under_the_servers_memory() {
    let mut scene = Scene::begin("3 peers that fill 64 streams");
    let held = scene.attack(|scene| with_each(scene, 3, fills_streams));
    scene.finish(held, SERVER);
}

#[test]
fn responders_that_keep_what_they_were_given_stay_under_the_servers_memory() {
    let mut scene = Scene::begin("8 peers with 4,500 asks that are kept");
    let held = scene.attack(|scene| with_each(scene, 8, keeps_responders_busy));
    scene.finish_keeping(held, SERVER, LEFT_OF_MANY);
}

#[test]
fn responders_with_large_futures_stay_under_the_servers_memory() {
    let mut scene = Scene::begin("8 peers with 4,500 large responders");
    let held = scene.attack(|scene| with_each(scene, 8, has_large_responders_run));
    scene.finish_keeping(held, SERVER, LEFT_OF_MANY);
}

/// Has as many notifications begin as it may. Each was promised to run.
fn has_large_notifications_run(raw: &mut Raw) {
    drop(raw.drain());
    raw.send_all(2000, |_| notification(b"BufferNote", &[]));
}

#[test]
fn notifications_with_large_futures_stay_under_the_servers_memory() {
    let mut scene = Scene::begin("20 peers with large notifications");
    let held = scene.attack(|scene| with_each(scene, 20, has_large_notifications_run));
    scene.finish_keeping(held, SERVER, LEFT_OF_MANY);
}

/// Its notifications hold a hundred times of what they are on the wire.
fn has_notifications_decoded(raw: &mut Raw) {
    drop(raw.drain());
    let rows = vec![0; 65_534];
    raw.send_all(200, |_| notification(b"Rows", &[(b"rows", &rows)]));
}

#[test]
fn notifications_that_grow_when_they_are_decoded_stay_under_the_servers_memory() {
    let mut scene = Scene::begin("60 peers with notifications that grow");
    let held = scene.attack(|scene| with_each(scene, 60, has_notifications_decoded));
    scene.finish_keeping(held, SERVER, SERVER);
}

#[test]
fn a_small_value_keeps_no_large_box_alive() {
    let mut scene = Scene::begin("600 small values behind large boxes");
    let held = scene.attack(|scene| with_each(scene, 1, hides_behind_large_boxes));
    scene.finish(held, LITTLE);
}

#[test]
fn an_ask_that_waits_keeps_no_large_box_alive() {
    let mut scene = Scene::begin("600 asks that wait behind large boxes");
    let held = scene.attack(|scene| with_each(scene, 1, waits_behind_large_boxes));
    // The answers that are not read are held, too.
    scene.finish(held, COMMANDS);
}

#[test]
fn an_answer_that_nobody_looks_after_keeps_no_large_box_alive() {
    let hostile = TcpListener::bind("127.0.0.1:0").expect("a port");
    let dial = Some(hostile.local_addr().expect("an address"));
    let mut scene = Scene::with("600 answers to a client behind large boxes", &Setup { dial, ..Setup::default() });
    let held = scene.attack(|_| {
        let mut raw = Raw::over(hostile.accept().expect("the client dials").0);
        let tags: Vec<_> = (0..KEPT_CALLS)
            .map(|_| raw.called("Echo").and_then(|mut pairs| pairs.remove(b"_ask".as_slice())).expect("a call"))
            .collect();
        drop(raw.drain());
        let (large, data) = (dropped(975_000), vec![b'k'; 8200]);
        raw.send_all(tags.len(), |number| {
            let mut bytes = large.clone();
            bytes.extend(packed(&[(b"_answer", &tags[number]), (b"data", &data)]));
            bytes
        });
        raw
    });
    scene.finish(held, LITTLE);
}

#[test]
fn notifications_without_end_cost_their_sender_the_connection() {
    let mut scene = Scene::begin("8 peers with slow notifications");
    let held = scene.attack(|scene| with_each(scene, 8, notifies_without_end));
    scene.finish(held, SERVER);
}

#[test]
fn one_peer_with_notifications_without_end_loses_its_connection_before_memory_is_short() {
    let mut scene = Scene::begin("1 peer with slow notifications");
    let held = scene.attack(|scene| {
        let mut raw = Raw::connect(scene.server.address);
        notifies_without_end(&mut raw);
        notifies_without_end(&mut raw);
        scene.holds(raw.has_ended(PATIENCE / 4), "the connection is open");
        let log = String::from_utf8_lossy(&scene.server.log()).into_owned();
        scene.holds(log.contains("too many notifications"), "why the connection ended is not logged");
        raw
    });
    scene.finish(held, COMMANDS);
}

#[test]
fn streams_of_connections_that_have_gone_stay_under_the_servers_memory() {
    let mut scene = Scene::begin("8 times 80 MiB of streams, and gone");
    scene.attack(|scene| {
        for _ in 0..8 {
            let mut raw = Raw::connect(scene.server.address);
            let ids: Vec<_> = (0..64).map_while(|_| raw.open("idle")).collect();
            drop(raw.drain());
            let chunk = vec![b'f'; 32 << 10];
            raw.send_all(2500, |number| {
                let id = &ids[number % ids.len()];
                ask(format!("{number}"), "Transmit", &[(b"connection", id), (b"data", &chunk)])
            });
            scene.server.settle();
        }
    });
    // The program has the streams, and may still read them.
    scene.finish_keeping((), SERVER, SERVER);
}
