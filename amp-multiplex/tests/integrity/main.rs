//! The integrity of streams, as a model: two real ends over memory, with tiny limits, open, write, read, close and break streams
//! and their connection as a seed says. Whatever happens, a reader gets all the bytes and an end in order, or an error; and all
//! of it when the writer's `shutdown` was Ok.
//!
//! `AMP_MODEL_SEED=7` runs one seed, `AMP_MODEL_SEEDS=100000` says how many. In paused time and on one thread a seed replays.

mod dice;
mod forwards;
mod ledger;
mod pipe;
mod user;
mod world;

use std::ops::Range;
use std::sync::Mutex;
use std::time::Duration;

use ledger::Seen;
use world::Outcome;

/// Those that the environment names, or a part of 2,000.
fn seeds(part: u64) -> Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    match number("AMP_MODEL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("AMP_MODEL_SEEDS").unwrap_or(2000).div_ceil(part),
    }
}

/// What became of all seeds.
#[derive(Default)]
struct Report {
    seeds: usize,
    seen: Seen,
    faults: Vec<(&'static str, u64, String)>,
}

impl Report {
    fn add(&mut self, seed: u64, outcome: Outcome) {
        self.seeds += 1;
        self.seen.add(&outcome.seen);
        self.faults.extend(outcome.faults.into_iter().map(|(fault, about)| (fault, seed, about)));
    }

    fn judge(mut self) {
        self.faults.sort();
        // Of each fault the first.
        for faults in self.faults.chunk_by(|one, other| one.0 == other.0) {
            let (fault, seed, about) = &faults[0];
            println!("{} times: {fault}\n  AMP_MODEL_SEED={seed}: {about}", faults.len());
        }
        let Self { seeds, seen, faults } = self;
        assert!(faults.is_empty(), "{} faults in {seeds} seeds", faults.len());
        println!("{seeds} seeds: {seen:?}");
        assert!(seeds < 100 || seen.all().iter().all(|count| *count > 0), "a model of nothing: {seen:?}");
    }
}

/// One seed in paused time.
fn paused(seed: u64, old: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(world::run(seed, old, Duration::from_secs(7200)))
}

/// Many seeds in paused time, each on its own, on two threads.
fn in_paused_time(seeds: Range<u64>, old: bool) {
    let report = Mutex::new(Report::default());
    let these = |seeds: Range<u64>| {
        for seed in seeds.step_by(2) {
            let outcome = paused(seed, old);
            report.lock().expect("no panic").add(seed, outcome);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| these(seeds.clone()));
        scope.spawn(|| these(seeds.start + 1..seeds.end));
    });
    report.into_inner().expect("no panic").judge();
}

/// Many seeds at once on two threads and in real time: what they find depends on the machine too.
fn in_real_time<F>(mut seeds: Range<u64>, run: impl Fn(u64) -> F)
where
    F: Future<Output = Outcome> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let (mut report, mut running) = (Report::default(), tokio::task::JoinSet::new());
        loop {
            if running.len() < 32
                && let Some(seed) = seeds.next()
            {
                let run = run(seed);
                running.spawn(async move { (seed, run.await) });
                continue;
            }
            let Some(done) = running.join_next().await else { break };
            let (seed, outcome) = done.expect("no panic");
            report.add(seed, outcome);
        }
        report.judge();
    });
}

#[test]
fn no_part_looks_whole_and_a_shutdown_that_is_ok_is_kept() {
    in_paused_time(seeds(1), false);
}

#[test]
fn with_an_old_peer_bytes_come_in_order_and_nothing_hangs_or_is_left() {
    in_paused_time(seeds(4), true);
}

#[test]
fn no_part_looks_whole_where_streams_are_used_on_several_threads() {
    in_real_time(seeds(4), |seed| world::run(seed, false, Duration::from_secs(120)));
}

#[test]
fn through_forwarded_ports_no_part_looks_whole_and_what_goes_well_is_whole() {
    in_real_time(seeds(20), forwards::run);
}

#[test]
fn a_seed_replays() {
    for seed in 0..20 {
        assert_eq!(paused(seed, false).digest, paused(seed, false).digest, "seed {seed}");
    }
}
