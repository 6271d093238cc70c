//! Draws what a call, and a turn on a stream, costs over size: `bench/run plots`.

use std::path::Path;
use std::process::Command;

use amp_bench::Error;
use plotters::prelude::*;

/// One plot: what grows, and who is measured.
struct Plot {
    file: &'static str,
    title: &'static str,
    axis: &'static str,
    sizes: &'static [usize],
    contestants: &'static [&'static str],
    /// The words of `amp-bench` for a contestant at a size.
    words: fn(&str, usize) -> Vec<String>,
    /// Where the figure stands among the words that are printed.
    figure: usize,
}

const CALLERS: &[&str] = &["raw", "by-hand", "ours", "tarpc"];
const MULTIPLEXERS: &[&str] = &["by-hand", "ours", "h2", "yamux"];

const PLOTS: [Plot; 5] = [
    Plot {
        file: "value.svg",
        title: "echo of one value, 64 in flight",
        axis: "bytes of the value (1: a sum, no value)",
        // A value of AMP has 65,535 bytes at most.
        sizes: &[1, 64, 256, 1_024, 4_096, 8_192, 16_384, 32_768, 65_535],
        contestants: CALLERS,
        words: |who, size| call(who, "two-cpus", [1, 64, if size == 1 { 0 } else { size }]),
        figure: 1,
    },
    Plot {
        file: "in-flight.svg",
        title: "sums on one connection, both ends on one CPU",
        axis: "calls in flight",
        sizes: &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024],
        contestants: CALLERS,
        words: |who, size| call(who, "one-cpu", [1, size, 0]),
        figure: 1,
    },
    Plot {
        file: "connections.svg",
        title: "sums, one in flight on each connection, both ends on one CPU",
        axis: "connections",
        sizes: &[1, 4, 16, 64, 250, 1_000],
        contestants: CALLERS,
        words: |who, size| call(who, "one-cpu", [size, 1, 0]),
        figure: 1,
    },
    Plot {
        file: "streams-ping.svg",
        title: "one byte there and back on every stream, both ends on one CPU",
        axis: "streams",
        sizes: &[1, 4, 16, 64, 256, 1_000, 4_000, 10_000],
        contestants: MULTIPLEXERS,
        words: |who, size| stream(who, "one-cpu", "ping", size),
        figure: 2,
    },
    Plot {
        file: "streams-bulk.svg",
        title: "a MiB over streams that are all full, both ends on one CPU",
        axis: "streams",
        sizes: &[1, 4, 16, 64, 256, 1_000],
        contestants: MULTIPLEXERS,
        words: |who, size| stream(who, "one-cpu", "bulk", size),
        figure: 2,
    },
];

fn call(contestant: &str, place: &str, sizes: [usize; 3]) -> Vec<String> {
    let mut words = vec!["time".to_owned(), contestant.to_owned(), place.to_owned()];
    words.extend(sizes.map(|size| size.to_string()));
    words
}

fn stream(contestant: &str, place: &str, work: &str, streams: usize) -> Vec<String> {
    ["streams", contestant, place, work, &streams.to_string()].map(str::to_owned).into()
}

/// The CPU microseconds of both ends, the middle of so many measurements; `None` when it fails.
fn measure(plot: &Plot, contestant: &str, size: usize, repetitions: usize) -> Result<Option<f64>, Error> {
    let program = std::env::current_exe()?.with_file_name("amp-bench");
    let mut found = Vec::new();
    for _ in 0..repetitions {
        let output = Command::new(&program).args((plot.words)(contestant, size)).args(["200", "250"]).output()?;
        if !output.status.success() {
            let log = String::from_utf8_lossy(&output.stderr);
            eprintln!("{}: {contestant} at {size} is LEFT OUT: {log}", plot.file);
            return Ok(None);
        }
        let text = String::from_utf8(output.stdout)?;
        found.push(text.split_whitespace().nth(plot.figure).ok_or("not a measurement")?.parse()?);
    }
    found.sort_by(f64::total_cmp);
    Ok(found.get(found.len() / 2).copied())
}

type Line = (&'static str, Vec<(f64, f64)>);

fn draw(plot: &Plot, lines: &[Line], file: &Path) -> Result<(), Error> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let (least, most) = points().fold((f64::MAX, 0.0_f64), |(least, most), (_, y)| (least.min(*y), most.max(*y)));
    let (first, last) = (plot.sizes[0] as f64, plot.sizes[plot.sizes.len() - 1] as f64);
    let root = SVGBackend::new(file, (800, 500)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(plot.title, ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(45)
        .y_label_area_size(75)
        .build_cartesian_2d((first..last * 1.6).log_scale(), (least * 0.7..most * 1.4).log_scale())?;
    chart
        .configure_mesh()
        .x_desc(plot.axis)
        .y_desc("CPU µs, both ends")
        .x_label_formatter(&|x| format!("{x}"))
        .y_label_formatter(&|y| format!("{y}"))
        .light_line_style(WHITE)
        .draw()?;
    for (at, (contestant, points)) in lines.iter().enumerate() {
        let colour = [BLACK, BLUE, RED, RGBColor(0, 140, 70)][at % 4];
        let width = if *contestant == "ours" { 3 } else { 1 };
        chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(width)))?;
        chart.draw_series(points.iter().map(|&point| Circle::new(point, 3, colour.filled())))?;
        if let Some(&(x, y)) = points.last() {
            let style = ("sans-serif", 14).into_font().color(&colour);
            chart.draw_series([EmptyElement::at((x, y)) + Text::new(*contestant, (6, -6), style)])?;
        }
    }
    root.present()?;
    Ok(())
}

fn main() -> Result<(), Error> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let Some((folder, files)) = words.split_first() else {
        return Err("plots FOLDER [PART_OF_A_FILE..]".into());
    };
    let wanted = |plot: &&Plot| files.is_empty() || files.iter().any(|part| plot.file.contains(&**part));
    for plot in PLOTS.iter().filter(wanted) {
        let mut lines: Vec<Line> = plot.contestants.iter().map(|contestant| (*contestant, Vec::new())).collect();
        for &size in plot.sizes {
            eprintln!("{}: {size}", plot.file);
            for (contestant, points) in &mut lines {
                if let Some(cpu) = measure(plot, contestant, size, 3)? {
                    points.push((size as f64, cpu));
                }
            }
        }
        draw(plot, &lines, &Path::new(folder).join(plot.file))?;
        print_points(plot, &lines);
    }
    Ok(())
}

/// The same as a table.
fn print_points(plot: &Plot, lines: &[Line]) {
    println!("\n`{}`: {}; CPU µs, both ends\n", plot.file, plot.title);
    println!("| {} | {} |", plot.axis, lines.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" | "));
    println!("|--:|{}", "--:|".repeat(lines.len()));
    for &size in plot.sizes {
        let at = |points: &[(f64, f64)]| {
            let found = points.iter().find(|(x, _)| *x == size as f64);
            found.map_or("–".to_owned(), |(_, y)| format!("{y:.2}"))
        };
        println!("| {size} | {} |", lines.iter().map(|(_, points)| at(points)).collect::<Vec<_>>().join(" | "));
    }
}
