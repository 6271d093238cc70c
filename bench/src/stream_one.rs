//! One measurement of streams in a process of its own.

use std::fmt;
use std::str::FromStr;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use amp_bench::Error;
use amp_bench::load::ANSWERED;
use amp_bench::place::{self, Place};
use amp_bench::streams::Contestant;
use amp_bench::streams::work::{RECEIVED, ROUND_TRIPS, Work};

use crate::one::watch;

/// What came out. A figure that the work does not give is 0.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Measured {
    /// Bytes of bulk streams, of all together.
    pub(crate) bytes_a_second: f64,
    /// Streams that were opened and closed, or pings.
    pub(crate) turns_a_second: f64,
    /// Of both ends, for a turn; for a MiB where there is only bulk.
    pub(crate) cpu_microseconds: f64,
    /// Of a ping, in microseconds: half of them take no longer.
    pub(crate) half: f64,
    /// 99 of 100 take no longer.
    pub(crate) most: f64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes_a_second, turns_a_second, cpu_microseconds, half, most } = self;
        write!(f, "{bytes_a_second} {turns_a_second} {cpu_microseconds} {half} {most}")
    }
}

impl FromStr for Measured {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let figures = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [bytes_a_second, turns_a_second, cpu_microseconds, half, most] = figures[..] else {
            return Err("not a measurement".into());
        };
        Ok(Self { bytes_a_second, turns_a_second, cpu_microseconds, half, most })
    }
}

/// Prints what comes out.
pub(crate) fn time(contestant: &str, place: &str, work: [&str; 2], times: [&str; 2]) -> Result<(), Error> {
    let contestant = Contestant::named(contestant).ok_or("no such contestant")?;
    let place = Place::named(place).ok_or("no such place")?;
    let work = Work::named(work[0], work[1].parse()?).ok_or("no such work")?;
    let [warm_up, measured] = times.map(str::parse);
    let times = [Duration::from_millis(warm_up?), Duration::from_millis(measured?)];

    let address = place::serve_with(place, move || contestant.serve())?;
    // This thread only looks at the clock; nothing stops the ends but the end of the process.
    thread::spawn(move || place::call_with(place, contestant.call(address, work)).expect("the work is done"));
    println!("{}", watch_work(work, times)?);
    // At once: an end that sees the other one go would call that a failure.
    std::process::exit(0)
}

fn watch_work(work: Work, [warm_up, measured]: [Duration; 2]) -> Result<Measured, Error> {
    if matches!(work, Work::Bulk { .. }) {
        let (bytes_a_second, cpu) = watch(&RECEIVED, [warm_up, measured])?;
        return Ok(Measured { bytes_a_second, cpu_microseconds: cpu * f64::from(1 << 20), ..Measured::default() });
    }
    // What comes before the warm-up ends is not looked at.
    let settled = thread::spawn(move || {
        let begun = Instant::now();
        while ANSWERED.load(Ordering::Relaxed) == 0 && begun.elapsed() < warm_up * 10 {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(warm_up);
        ROUND_TRIPS.lock().unwrap_or_else(PoisonError::into_inner).clear();
        (Instant::now(), RECEIVED.load(Ordering::Relaxed))
    });
    let (turns_a_second, cpu_microseconds) = watch(&ANSWERED, [warm_up, measured])?;
    let mut round_trips = std::mem::take(&mut *ROUND_TRIPS.lock().unwrap_or_else(PoisonError::into_inner));
    let (since, received) = settled.join().map_err(|_| "the clock's thread panicked")?;
    let bytes_a_second = (RECEIVED.load(Ordering::Relaxed) - received) as f64 / since.elapsed().as_secs_f64();
    round_trips.sort_unstable();
    let part = |part: f64| {
        let at = (round_trips.len() as f64 * part) as usize;
        round_trips.get(at).map_or(0.0, |&nanoseconds| nanoseconds as f64 / 1e3)
    };
    Ok(Measured { bytes_a_second, turns_a_second, cpu_microseconds, half: part(0.5), most: part(0.99) })
}
