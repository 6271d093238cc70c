//! What is measured with streams, and what issue 5 wants to be reached.

use amp_bench::place::Place;

pub(crate) struct Scenario {
    pub(crate) title: &'static str,
    pub(crate) place: Place,
    /// As on the command line; `IDLE` for what streams cost that nobody uses.
    pub(crate) work: &'static str,
    pub(crate) streams: usize,
    pub(crate) figure: Figure,
    pub(crate) target: Target,
    /// The first is what the others are compared with.
    pub(crate) contestants: &'static [&'static str],
}

/// The work of streams that nobody uses.
pub(crate) const IDLE: &str = "idle";

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    Bytes,
    Turns,
    /// Half of the pings take no longer: less is better.
    Half,
    /// Resident bytes at client and server: less is better.
    Resident,
}

/// What ours must reach.
#[derive(Clone, Copy)]
pub(crate) enum Target {
    /// Percent of the first contestant.
    OfFirst(u32),
    /// More than each of these.
    Ahead(&'static [&'static str]),
    /// Microseconds, at most.
    Microseconds(f64),
    /// Bytes at client and server, at most.
    Bytes([f64; 2]),
    /// Percent of the first contestant and so many turns a second.
    OfFirstAndTurns(u32, f64),
}

const ALL: &[&str] = &["raw", "by-hand", "ours", "h2", "yamux"];
const MULTIPLEXERS: &[&str] = &["ours", "h2", "yamux"];
const FORWARDED: &[&str] = &["copy", "copy-twice", "ours-forwarded"];
const PEERS: &[&str] = &["h2", "yamux"];

pub(crate) const SCENARIOS: [Scenario; 9] = [
    scenario("one stream, bulk, two CPUs", Place::TwoCpus, "bulk", 1, Figure::Bytes, Target::OfFirst(70), ALL),
    scenario("16 streams, bulk, two CPUs", Place::TwoCpus, "bulk", 16, Figure::Bytes, Target::OfFirst(75), ALL),
    scenario("128 streams, bulk, two CPUs", Place::TwoCpus, "bulk", 128, Figure::Bytes, Target::OfFirst(70), ALL),
    scenario(
        "short streams, 64 at once, two CPUs",
        Place::TwoCpus,
        "short",
        64,
        Figure::Turns,
        Target::Ahead(&["h2"]),
        ALL,
    ),
    scenario(
        "ping on one stream, both ends on one CPU",
        Place::OneCpu,
        "ping",
        1,
        Figure::Turns,
        Target::Ahead(PEERS),
        ALL,
    ),
    scenario(
        "ping beside a bulk stream, two CPUs",
        Place::TwoCpus,
        "ping-beside",
        1,
        Figure::Half,
        Target::Microseconds(150.0),
        ALL,
    ),
    scenario(
        "idle streams, 10,000",
        Place::Together,
        IDLE,
        10_000,
        Figure::Resident,
        Target::Bytes([800.0, 1_300.0]),
        MULTIPLEXERS,
    ),
    scenario(
        "forwarded port, bulk, two CPUs",
        Place::TwoCpus,
        "bulk",
        1,
        Figure::Bytes,
        Target::OfFirst(60),
        FORWARDED,
    ),
    scenario(
        "forwarded port, connections, 64 at once, one CPU",
        Place::OneCpu,
        "short",
        64,
        Figure::Turns,
        Target::OfFirstAndTurns(42, 5_000.0),
        FORWARDED,
    ),
];

const fn scenario(
    title: &'static str,
    place: Place,
    work: &'static str,
    streams: usize,
    figure: Figure,
    target: Target,
    contestants: &'static [&'static str],
) -> Scenario {
    Scenario { title, place, work, streams, figure, target, contestants }
}
