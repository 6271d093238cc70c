//! The measurements of streams: repetitions in turns, medians, ratios to the raw limit.

use std::process::Command;

use amp_bench::Error;

use crate::stream_one::Measured;
use crate::stream_scenarios::{Figure, IDLE, Scenario, Target};
use crate::table::{Effort, middle, thousands};

const GIB: f64 = (1 << 30) as f64;

/// Measures the scenarios and prints them as markdown.
pub(crate) fn print<'a>(scenarios: impl Iterator<Item = &'a Scenario>, effort: &Effort) -> Result<(), Error> {
    println!("| scenario | contestant | | of the first | of by-hand | x h2 | CPU µs, both ends | target |");
    println!("|---|---|--:|--:|--:|--:|--:|---|");
    for scenario in scenarios {
        let mut found = vec![Vec::new(); scenario.contestants.len()];
        for repetition in 1..=effort.repetitions {
            eprintln!("{}: {repetition} of {}", scenario.title, effort.repetitions);
            for (contestant, found) in scenario.contestants.iter().zip(&mut found) {
                found.push(
                    measure(contestant, scenario, effort)
                        .map_err(|error| format!("{}: {contestant}: {error}", scenario.title))?,
                );
            }
        }
        let medians: Vec<_> = found.iter().map(|found| median(found)).collect();
        for (at, contestant) in scenario.contestants.iter().enumerate() {
            println!("{}", row(scenario, contestant, at, &medians));
        }
    }
    Ok(())
}

/// Resident bytes of client and server stand as `bytes_a_second` and `turns_a_second`.
fn measure(contestant: &str, scenario: &Scenario, effort: &Effort) -> Result<Measured, Error> {
    let mut command = Command::new(std::env::current_exe()?);
    let streams = scenario.streams.to_string();
    let output = match scenario.work {
        IDLE => command.args(["idle", contestant, &streams]),
        work => command
            .args(["streams", contestant, scenario.place.name(), work, &streams])
            .args([effort.warm_up, effort.milliseconds]),
    }
    .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8(output.stdout)?;
    match (scenario.work, text.trim_end().split_once(' ')) {
        (IDLE, Some((client, server))) => {
            Ok(Measured { bytes_a_second: client.parse()?, turns_a_second: server.parse()?, ..Measured::default() })
        }
        _ => text.parse(),
    }
}

fn median(found: &[Measured]) -> Measured {
    let middle = |figure: fn(&Measured) -> f64| middle(found.iter().map(figure).collect());
    Measured {
        bytes_a_second: middle(|it| it.bytes_a_second),
        turns_a_second: middle(|it| it.turns_a_second),
        cpu_microseconds: middle(|it| it.cpu_microseconds),
        half: middle(|it| it.half),
        most: middle(|it| it.most),
    }
}

/// The figure that is compared, and how it reads.
fn figure(figure: Figure, measured: &Measured) -> (f64, String) {
    let Measured { bytes_a_second, turns_a_second, half, most, .. } = *measured;
    match figure {
        Figure::Bytes => (bytes_a_second, format!("{:.2} GiB/s", bytes_a_second / GIB)),
        Figure::Turns if half > 0.0 => {
            (turns_a_second, format!("{}/s; half under {half:.1} µs, 99 % under {most:.1}", thousands(turns_a_second)))
        }
        Figure::Turns => (turns_a_second, format!("{}/s", thousands(turns_a_second))),
        Figure::Half => {
            let beside = bytes_a_second / GIB;
            (half, format!("half under {half:.0} µs, 99 % under {most:.0}; beside {beside:.2} GiB/s"))
        }
        Figure::Resident => {
            let both = format!("{} / {} bytes", thousands(bytes_a_second), thousands(turns_a_second));
            (bytes_a_second + turns_a_second, both)
        }
    }
}

fn row(scenario: &Scenario, contestant: &str, at: usize, medians: &[Measured]) -> String {
    let named = |name| scenario.contestants.iter().position(|it| *it == name).map(|at| &medians[at]);
    let (own, text) = figure(scenario.figure, &medians[at]);
    let compared = |other: Option<&Measured>| other.map(|other| own / figure(scenario.figure, other).0);
    let percent = |ratio: Option<f64>| ratio.map_or("–".to_owned(), |ratio| format!("{:.1} %", ratio * 100.0));
    let h2 = compared(named("h2")).map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
    let title = if at == 0 { scenario.title } else { "" };
    let cpu = match medians[at].cpu_microseconds {
        0.0 => "–".to_owned(),
        cpu if scenario.figure == Figure::Bytes => format!("{cpu:.0} a MiB"),
        cpu => format!("{cpu:.2}"),
    };
    let target =
        if contestant.starts_with("ours") { verdict(scenario, &medians[at], medians, named) } else { String::new() };
    let (first, by_hand) = (percent(compared(medians.first())), percent(compared(named("by-hand"))));
    format!("| {title} | {contestant} | {text} | {first} | {by_hand} | {h2} | {cpu} | {target} |")
}

/// The target, and whether it is met.
fn verdict<'a>(
    scenario: &Scenario,
    own: &Measured,
    medians: &[Measured],
    named: impl Fn(&'static str) -> Option<&'a Measured>,
) -> String {
    let value = |measured: &Measured| figure(scenario.figure, measured).0;
    let of_first = value(own) / value(&medians[0]) * 100.0;
    let (target, met) = match scenario.target {
        Target::OfFirst(percent) => (format!("{percent} %"), of_first >= f64::from(percent)),
        Target::Ahead(peers) => {
            let ahead = peers.iter().all(|peer| named(peer).is_some_and(|peer| value(own) > value(peer)));
            (format!("ahead of {}", peers.join(" and ")), ahead)
        }
        Target::Microseconds(most) => (format!("under {most} µs"), own.half < most),
        Target::Bytes([client, server]) => {
            let met = own.bytes_a_second <= client && own.turns_a_second <= server;
            (format!("at most {client} / {server}"), met)
        }
        Target::OfFirstAndTurns(percent, turns) => {
            let met = of_first >= f64::from(percent) && own.turns_a_second >= turns;
            (format!("{percent} % and {}/s", thousands(turns)), met)
        }
    };
    format!("{target}: {}", if met { "met" } else { "**not met**" })
}
