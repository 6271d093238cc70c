//! Values that are small on the wire and large in memory.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use amp::value::{Value, ValueWriter, Zlib};

use crate::bounds::{COMMANDS, REFUSED};
use crate::raw::{Raw, ask, notification};
use crate::scene::Scene;

/// As many empty boxes as a value holds.
static EMPTY_BOXES: [u8; 65_534] = [0; 65_534];

/// How long connections come and go.
const CHURN: Duration = Duration::from_secs(2);

/// A list of texts of one byte, as many as a value holds.
fn short_words() -> Vec<u8> {
    b"\0\x01w".repeat(65_535 / 3)
}

pub(crate) fn sends_empty_boxes(raw: &mut Raw) {
    drop(raw.drain());
    raw.send_all(150, |number| ask(format!("{number}"), "Rows", &[(b"rows", &EMPTY_BOXES)]));
}

pub(crate) fn sends_short_words(raw: &mut Raw) {
    drop(raw.drain());
    let words = short_words();
    raw.send_all(400, |number| ask(format!("{number}"), "Words", &[(b"words", &words)]));
}

fn attacker(scene: &Scene) -> Raw {
    Raw::connect(scene.server.address)
}

#[test]
fn lists_of_empty_boxes_that_are_kept_count_for_what_they_hold() {
    let mut scene = Scene::begin("150 lists of empty boxes that are kept");
    let held = scene.attack(|scene| {
        let mut raw = attacker(scene);
        sends_empty_boxes(&mut raw);
        raw
    });
    scene.finish(held, COMMANDS);
}

#[test]
fn lists_of_short_texts_that_are_kept_count_for_what_they_hold() {
    let mut scene = Scene::begin("400 lists of short texts that are kept");
    let held = scene.attack(|scene| {
        let mut raw = attacker(scene);
        sends_short_words(&mut raw);
        raw
    });
    scene.finish(held, COMMANDS);
}

#[test]
fn a_list_that_is_too_long_is_refused_before_it_is_built() {
    let mut scene = Scene::begin("150 lists over their length");
    let held = scene.attack(|scene| {
        let mut raw = attacker(scene);
        // One by one: lists that wait for their turn would hide what one of them holds while it is built.
        let refused = (0..150)
            .map(|_| raw.call("FewRows", &[(b"rows", &EMPTY_BOXES)]))
            .map_while(|answer| answer?.remove(b"_error_code".as_slice()))
            .filter(|code| code == b"INVALID_ARGUMENT")
            .count();
        scene.holds(refused == 150, format!("only {refused} of 150 were refused"));
        raw
    });
    scene.finish(held, REFUSED);
}

#[test]
fn lists_of_empty_boxes_hold_nobody_up() {
    let mut scene = Scene::begin("2 peers with lists of empty boxes");
    let held = scene.attack(|scene| {
        let peers = [attacker(scene), attacker(scene)].map(|mut raw| {
            std::thread::spawn(move || {
                drop(raw.drain());
                raw.send_all(200, |number| ask(format!("{number}"), "CountRows", &[(b"rows", &EMPTY_BOXES)]));
                raw
            })
        });
        peers.map(|peer| peer.join().expect("an attacker"))
    });
    scene.finish(held, COMMANDS);
}

/// Commands that are too small for another thread, without a pause: as many peers as there are cores would have all turns.
#[test]
fn small_lists_without_end_leave_others_their_turns() {
    let mut scene = Scene::begin("4 peers with small lists of empty boxes");
    let held = scene.attack(|scene| {
        let peers = [(); 4].map(|()| {
            let mut raw = attacker(scene);
            std::thread::spawn(move || {
                drop(raw.drain());
                raw.send_all(1500, |number| ask(format!("{number}"), "CountRows", &[(b"rows", &EMPTY_BOXES[..600])]));
                raw
            })
        });
        peers.map(|peer| peer.join().expect("an attacker"))
    });
    scene.finish(held, COMMANDS);
}

/// Encodes a text that is a thousandth as long on the wire.
fn compressed() -> Vec<u8> {
    let mut bytes = Vec::new();
    Zlib::<String>("a".repeat(1 << 20)).encode(&mut ValueWriter::new(&mut bytes)).expect("it is short");
    bytes
}

/// Each takes as long to decode as thousands of items, and has none.
#[test]
fn compressed_values_hold_nobody_up() {
    let mut scene = Scene::begin("2 peers with a kilobyte of zlib");
    let held = scene.attack(|scene| {
        let peers = [attacker(scene), attacker(scene)].map(|mut raw| {
            std::thread::spawn(move || {
                drop(raw.drain());
                let text = compressed();
                raw.send_all(200, |number| ask(format!("{number}"), "CountBytes", &[(b"text", &text)]));
                raw
            })
        });
        peers.map(|peer: JoinHandle<Raw>| peer.join().expect("an attacker"))
    });
    scene.finish(held, COMMANDS);
}

#[test]
fn compressed_values_of_peers_that_have_gone_hold_nobody_up() {
    let mut scene = Scene::begin("2 peers with notifications of zlib, and gone");
    scene.attack(|scene| {
        let note = notification(b"CountBytes", &[(b"text", &compressed())]);
        for mut raw in [attacker(scene), attacker(scene)] {
            raw.send_all(200, |_| note.clone());
        }
    });
    scene.finish((), COMMANDS);
}

/// None has sent a heavy command before, so that only the command itself can tell.
#[test]
fn connections_that_each_send_a_heavy_command_and_leave_hold_nobody_up() {
    let mut scene = Scene::begin("connections that send one list and leave");
    scene.attack(|scene| {
        let address = scene.server.address;
        // Too short for another thread, from its length.
        let command = notification(b"CountRows", &[(b"rows", &EMPTY_BOXES[..60_000])]);
        let begun = Instant::now();
        while begun.elapsed() < CHURN {
            let mut crowd: Vec<Raw> = (0..50).map(|_| Raw::connect(address)).collect();
            for raw in &mut crowd {
                raw.send_all(1, |_| command.clone());
            }
        }
    });
    scene.finish((), COMMANDS);
}

/// A zlib stream of so many bytes, or a few less, whose blocks are all empty: nothing comes of it, and each block has tables.
fn empty_blocks(bytes: usize) -> Vec<u8> {
    // Four blocks of ten bits: not the last one, with the fixed codes, and the end of the block.
    let four = (0..4).map(|at| 2_u64 << (10 * at)).sum::<u64>().to_le_bytes();
    let last = [3, 0, 0, 0, 0, 1];
    [&[0x78, 0x9c], four[..5].repeat((bytes - 8) / 5).as_slice(), &last].concat()
}

#[test]
fn compressed_values_of_empty_blocks_hold_nobody_up() {
    let mut scene = Scene::begin("12 peers with zlib of empty blocks");
    let held = scene.attack(|scene| {
        let peers = [(); 12].map(|()| {
            let mut raw = attacker(scene);
            std::thread::spawn(move || {
                drop(raw.drain());
                let blocks = empty_blocks(60_000);
                raw.send_all(60, |number| ask(format!("{number}"), "CountBytes", &[(b"text", &blocks)]));
                raw
            })
        });
        peers.map(|peer: JoinHandle<Raw>| peer.join().expect("an attacker"))
    });
    scene.finish(held, COMMANDS);
}

/// Each of their turns is short, but there are many: a call waits for few of them.
#[test]
fn hundreds_of_busy_connections_leave_others_their_turns() {
    const PEERS: usize = 400;
    let mut scene = Scene::begin("400 busy connections");
    let held = scene.attack(|scene| {
        let mut crowd: Vec<Raw> = (0..PEERS).map(|_| attacker(scene)).collect();
        for raw in &mut crowd {
            drop(raw.drain());
        }
        let begun = Instant::now();
        let mut number = 0;
        while begun.elapsed() < CHURN * 2 {
            for raw in &mut crowd {
                number += 1;
                raw.send_all(10, |at| ask(format!("{number}.{at}"), "CountRows", &[(b"rows", &EMPTY_BOXES[..2_000])]));
            }
        }
        crowd
    });
    scene.finish(held, COMMANDS);
}
