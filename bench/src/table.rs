//! All measurements: repetitions in turns, medians, ratios to the raw limit.

use std::process::Command;

use amp_bench::Error;

use crate::scenarios::{SCENARIOS, Scenario};
use crate::{stream_scenarios, stream_table, twisted};

/// How much is measured.
pub(crate) struct Effort {
    pub(crate) repetitions: usize,
    pub(crate) warm_up: &'static str,
    pub(crate) milliseconds: &'static str,
}

#[derive(Clone, Copy)]
struct Measured {
    calls_a_second: f64,
    cpu_microseconds: f64,
}

/// Measures everything, or the scenarios with one of these words in their title, and prints it as markdown.
pub(crate) fn print(options: &[&str]) -> Result<(), Error> {
    let (effort, titles) = match options {
        ["--quick", titles @ ..] => (Effort { repetitions: 3, warm_up: "150", milliseconds: "250" }, titles),
        titles => (Effort { repetitions: 5, warm_up: "300", milliseconds: "700" }, titles),
    };
    let wanted = |title: &str| titles.is_empty() || titles.iter().any(|part| title.contains(part));
    let mut calls = SCENARIOS.iter().filter(|scenario| wanted(scenario.title)).peekable();
    let mut streams = stream_scenarios::SCENARIOS.iter().filter(|scenario| wanted(scenario.title)).peekable();
    if calls.peek().is_none() && streams.peek().is_none() {
        return Err("no scenario has this in its title".into());
    }
    if calls.peek().is_some() {
        print_calls(calls, &effort)?;
        println!();
    }
    if streams.peek().is_some() {
        stream_table::print(streams, &effort)?;
    }
    Ok(())
}

fn print_calls<'a>(scenarios: impl Iterator<Item = &'a Scenario>, effort: &Effort) -> Result<(), Error> {
    println!(
        "| scenario | contestant | calls/s | of the first | of by-hand | x tarpc | CPU µs a call, both ends | target |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|---|");
    for scenario in scenarios {
        let contestants: Vec<_> = scenario.contestants.iter().copied().filter(|name| possible(name)).collect();
        let mut found = vec![Vec::new(); contestants.len()];
        for repetition in 1..=effort.repetitions {
            eprintln!("{}: {repetition} of {}", scenario.title, effort.repetitions);
            for (contestant, found) in contestants.iter().zip(&mut found) {
                found.push(measure(contestant, scenario, effort)?);
            }
        }
        let medians: Vec<_> = found.iter().map(|found| median(found)).collect();
        let calls = |name| contestants.iter().position(|it| *it == name).map(|at| medians[at].calls_a_second);
        for (at, (contestant, measured)) in contestants.iter().zip(&medians).enumerate() {
            let title = if at == 0 { scenario.title } else { "" };
            let compared = [Some(medians[0].calls_a_second), calls("by-hand"), calls("tarpc")];
            row(title, contestant, *measured, compared, scenario.target);
        }
    }
    Ok(())
}

fn possible(contestant: &str) -> bool {
    !contestant.contains("twisted") || std::env::var_os(twisted::PYTHON).is_some()
}

fn measure(contestant: &str, scenario: &Scenario, effort: &Effort) -> Result<Measured, Error> {
    let output = Command::new(std::env::current_exe()?)
        .args(["time", contestant, scenario.place.name()])
        .args([scenario.connections, scenario.in_flight, scenario.payload].map(|size| size.to_string()))
        .args([effort.warm_up, effort.milliseconds])
        .output()?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{}: {contestant}: {log}", scenario.title).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let (calls_a_second, cpu_microseconds) = text.trim_end().split_once(' ').ok_or("not a measurement")?;
    Ok(Measured { calls_a_second: calls_a_second.parse()?, cpu_microseconds: cpu_microseconds.parse()? })
}

pub(crate) fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn median(found: &[Measured]) -> Measured {
    Measured {
        calls_a_second: middle(found.iter().map(|measured| measured.calls_a_second).collect()),
        cpu_microseconds: middle(found.iter().map(|measured| measured.cpu_microseconds).collect()),
    }
}

fn row(title: &str, contestant: &str, measured: Measured, compared: [Option<f64>; 3], target: u32) {
    let ratios = compared.map(|calls| calls.map(|calls| measured.calls_a_second / calls));
    let percent = ratios[0].unwrap_or_default() * 100.0;
    let by_hand = ratios[1].map_or("–".to_owned(), |ratio| format!("{:.1} %", ratio * 100.0));
    let tarpc = ratios[2].map_or("–".to_owned(), |ratio| format!("{ratio:.2}"));
    let target = match contestant.contains("ours") {
        false => String::new(),
        true if percent >= f64::from(target) => format!("{target} %: met"),
        true => format!("{target} %: **not met**"),
    };
    let cpu = match measured.cpu_microseconds {
        0.0 => "–".to_owned(),
        cpu => format!("{cpu:.2}"),
    };
    let calls = thousands(measured.calls_a_second);
    println!("| {title} | {contestant} | {calls} | {percent:.1} % | {by_hand} | {tarpc} | {cpu} | {target} |");
}

pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
