//! The scenes of the seeds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::time::{Instant, sleep};

use crate::ledger::{End, Event, Fate, word};
use crate::promises;
use crate::random::Random;
use crate::script::{SEATS, Script};
use crate::seeds;
use crate::settings;
use crate::world::World;

/// How long connections may take to close when nothing is left that they could wait for: the default `linger`, and some.
const CLOSING: Duration = Duration::from_secs(5);
const MAX_TOLD: usize = 6;

/// What came of a seed.
#[derive(Debug, PartialEq)]
struct Scene {
    /// The promises that it broke.
    broken: Vec<String>,
    events: Vec<(u128, usize, Event)>,
    ends: [End; SEATS],
}

/// Plays the seed's scene to its end.
fn play(seed: u64) -> Scene {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let script = Script::of(seed);
        let patience = settings::patience(&script.seats);
        let world = World::start(script);
        let mut broken = settle(&world, patience).await;
        if broken.is_empty() {
            broken = close(&world, seed).await;
        }
        if broken.is_empty() {
            broken = promises::broken(&world.script, &world.ledger());
        }
        if broken.is_empty() {
            broken = leftovers(&world);
        }
        let ledger = world.ledger();
        Scene { broken, events: ledger.events.clone(), ends: ledger.ends.clone() }
    })
}

/// Waits until everything that was begun is over.
async fn settle(world: &World, patience: Duration) -> Vec<String> {
    let start = Instant::now();
    loop {
        let left = promises::unsettled(&world.script, &world.ledger());
        if left.is_empty() || start.elapsed() > patience {
            return left;
        }
        pause(start).await;
    }
}

/// Closes what is still open: each connection by either of its ends, in either way.
async fn close(world: &World, seed: u64) -> Vec<String> {
    let mut random = Random::new(!seed);
    for link in 0..2 {
        let [one, other] = if random.once_in(2) { [2 * link, 2 * link + 1] } else { [2 * link + 1, 2 * link] };
        let ends = world.ledger().ends.clone();
        if ![one, other].iter().any(|seat| ends[*seat].closes || ends[*seat].is_cut || ends[*seat].reason.is_some()) {
            if random.once_in(2) { world.close(one) } else { world.drop_handle(one) }
        }
    }
    let start = Instant::now();
    loop {
        let open: Vec<_> = (0..SEATS).filter(|seat| world.ledger().ends[*seat].reason.is_none()).collect();
        if open.is_empty() || start.elapsed() > CLOSING {
            return open.iter().map(|seat| format!("(d) end {seat} does not close")).collect();
        }
        pause(start).await;
    }
}

/// Waits before the next look: longer, the longer it takes.
async fn pause(start: Instant) {
    sleep(Duration::from_millis(20).max(start.elapsed() / 10)).await;
}

/// What is there although everything is over.
fn leftovers(world: &Arc<World>) -> Vec<String> {
    (0..SEATS).for_each(|seat| world.drop_handle(seat));
    let mut left = Vec::new();
    let tasks = Handle::current().metrics().num_alive_tasks();
    if tasks > 0 {
        left.push(format!("(d) {tasks} tasks are left"));
    }
    let others = Arc::strong_count(world) - 1;
    if others > 0 {
        left.push(format!("(d) {others} locators of connections that have ended are left"));
    }
    left
}

#[test]
fn what_is_called_or_notified_ends_with_an_answer_or_a_reason_runs_once_and_leaves_nothing_behind() {
    seeds::each(|seed| {
        let Scene { mut broken, events, ends } = play(seed);
        if seeds::only().is_some() {
            println!("{:#?}", Script::of(seed));
            events.iter().for_each(|(time, number, event)| println!("{time:6} ms  {number:4}  {event:?}"));
            println!("{ends:#?}");
        }
        let count = broken.len();
        broken.truncate(if seeds::only().is_some() { usize::MAX } else { MAX_TOLD });
        if count == 0 { Ok(()) } else { Err(format!("{count} in all: {}", broken.join("; "))) }
    });
}

/// Else the promises would hold of nothing.
#[test]
fn the_scenes_show_all_that_can_become_of_an_ask_and_of_a_connection() {
    let mut seen = BTreeMap::<String, u32>::new();
    for seed in 0..300 {
        let scene = play(seed);
        for (.., event) in scene.events {
            let what = match &event {
                Event::Gets(Fate::Remote(code)) => code.clone(),
                Event::Gets(fate) => word(fate),
                event => word(event),
            };
            *seen.entry(what).or_default() += 1;
        }
        for reason in scene.ends.into_iter().filter_map(|end| end.reason) {
            *seen.entry(format!("ends by {reason}")).or_default() += 1;
        }
    }
    let asks = "Answered Refused UNKNOWN BUSY DRAINING Timeout Ended Notified Left Dropped Runs Finishes Stops";
    let ends = ["Closed", "ClosedByPeer", "Io", "Aborted", "Failure"].map(|end| format!("ends by {end}"));
    for what in asks.split(' ').chain(ends.iter().map(String::as_str)) {
        assert!(seen.contains_key(what), "{what}: {seen:#?}");
    }
}

#[test]
fn a_seed_replays() {
    for seed in 0..20 {
        assert_eq!(play(seed), play(seed), "seed {seed}");
    }
}
