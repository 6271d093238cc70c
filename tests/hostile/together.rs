//! Many attackers at once.

use crate::bounds::SERVER;
use crate::raw::Raw;
use crate::scene::Scene;
use crate::{decoding, greed, streams};

type Attack = fn(&mut Raw);

const ATTACKS: [Attack; 10] = [
    greed::asks_and_reads_nothing,
    greed::never_reads,
    greed::keeps_responders_busy,
    greed::hides_behind_large_boxes,
    greed::waits_behind_large_boxes,
    greed::notifies_without_end,
    decoding::sends_empty_boxes,
    decoding::sends_short_words,
    streams::sends_bytes_under_long_tags,
    streams::answers_no_disconnect,
];

#[test]
fn ten_hostile_connections_together_stay_under_the_servers_memory() {
    let mut scene = Scene::begin("ten hostile connections together");
    let held = scene.attack(|scene| {
        let attackers = ATTACKS.map(|attack| {
            let mut raw = Raw::connect(scene.server.address);
            std::thread::spawn(move || {
                attack(&mut raw);
                raw
            })
        });
        attackers.map(|attacker| attacker.join().expect("an attacker"))
    });
    scene.finish(held, SERVER);
}
