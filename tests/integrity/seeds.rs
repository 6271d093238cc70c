//! Which seeds run, and what is told of those that fail.

use std::any::Any;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// How many seeds an ordinary test run takes.
const SEEDS: u64 = 2_000;
/// A seed takes milliseconds: one that takes so long goes round in circles, where no paused time passes.
const HANGS: Duration = Duration::from_secs(120);
/// So many failing seeds are told.
const MAX_TOLD: usize = 12;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// The one seed that is to be looked at closely.
pub(crate) fn only() -> Option<u64> {
    number("AMP_MODEL_SEED")
}

/// Runs each seed; fails with all that broke a promise.
pub(crate) fn each(run: impl Fn(u64) -> Result<(), String> + Send + 'static) {
    let count = number("AMP_MODEL_SEEDS").unwrap_or(SEEDS);
    let seeds = only().map_or(0..count, |seed| seed..seed + 1);
    let (done, results) = channel();
    // In a thread of its own, because a seed that never yields can only be told from outside.
    let told = seeds.clone();
    thread::spawn(move || {
        for seed in seeds {
            let result = catch_unwind(AssertUnwindSafe(|| run(seed)));
            let result = result.unwrap_or_else(|panic| Err(format!("panicked: {}", message(&*panic))));
            if done.send(result).is_err() {
                return;
            }
        }
    });
    let mut broken = Vec::new();
    for seed in told {
        match results.recv_timeout(HANGS) {
            Ok(Ok(())) => {}
            Ok(Err(what)) => broken.push(format!("seed {seed}: {what}")),
            Err(RecvTimeoutError::Timeout) => panic!("seed {seed} goes round in circles; before it: {broken:#?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("the thread of seed {seed} ended"),
        }
    }
    assert!(broken.is_empty(), "{} seeds of {count} broke a promise:\n{}", broken.len(), told_of(&broken));
}

fn told_of(broken: &[String]) -> String {
    // Short ones first: the smallest scene says most.
    let mut told: Vec<_> = broken.iter().map(String::as_str).collect();
    told.sort_by_key(|text| text.len());
    told.truncate(MAX_TOLD);
    told.join("\n")
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}
