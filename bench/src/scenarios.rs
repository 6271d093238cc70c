//! What is measured, and what issue 5 wants to be reached.

use amp_bench::place::Place;

pub(crate) struct Scenario {
    pub(crate) title: &'static str,
    pub(crate) place: Place,
    pub(crate) connections: usize,
    pub(crate) in_flight: usize,
    pub(crate) payload: usize,
    /// Percent of the first contestant that ours must reach.
    pub(crate) target: u32,
    /// The first is what the others are compared with.
    pub(crate) contestants: &'static [&'static str],
}

const ALL: &[&str] = &["raw", "by-hand", "ours", "tarpc", "tonic", "twisted"];
/// Twisted knows no threads.
const RUST: &[&str] = &["raw", "by-hand", "ours", "tarpc", "tonic"];
const BESIDE: &[&str] = &["twisted", "by-hand-to-twisted", "ours-to-twisted", "twisted-to-by-hand", "twisted-to-ours"];

pub(crate) const SCENARIOS: [Scenario; 8] = [
    scenario("64 in flight, two CPUs", Place::TwoCpus, [1, 64, 0], 70, ALL),
    scenario("64 in flight, both ends on one CPU", Place::OneCpu, [1, 64, 0], 22, ALL),
    scenario("1,024 in flight, two CPUs", Place::TwoCpus, [1, 1_024, 0], 25, ALL),
    scenario("one at a time, both ends on one CPU", Place::OneCpu, [1, 1, 0], 90, ALL),
    scenario("64 connections x 16 in flight, two CPUs", Place::TwoCpus, [64, 16, 0], 35, ALL),
    scenario("echo of 32 KiB, 64 in flight, two CPUs", Place::TwoCpus, [1, 64, 32 * 1_024], 60, ALL),
    scenario("64 in flight, multi-thread runtimes, 2 workers each", Place::Workers, [1, 64, 0], 45, RUST),
    scenario("beside Twisted, 64 in flight, two CPUs", Place::TwoCpus, [1, 64, 0], 200, BESIDE),
];

const fn scenario(
    title: &'static str,
    place: Place,
    [connections, in_flight, payload]: [usize; 3],
    target: u32,
    contestants: &'static [&'static str],
) -> Scenario {
    Scenario { title, place, connections, in_flight, payload, target, contestants }
}
