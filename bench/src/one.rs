//! One measurement in a process of its own.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use amp_bench::Error;
use amp_bench::contestants::Contestant;
use amp_bench::load::{ANSWERED, Load};
use amp_bench::place::{self, Place};
use nix::sys::resource::{UsageWho, getrusage};

use crate::twisted;

/// How long the first answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who is at one end.
enum End {
    Rust(Contestant),
    Twisted,
}

impl End {
    fn named(name: &str) -> Result<Self, Error> {
        if name == "twisted" {
            return Ok(Self::Twisted);
        }
        Contestant::named(name).map(Self::Rust).ok_or_else(|| format!("no contestant {name}").into())
    }
}

fn load([connections, in_flight, payload]: [&str; 3], calls: u64) -> Result<Load, Error> {
    Ok(Load { connections: connections.parse()?, in_flight: in_flight.parse()?, payload: payload.parse()?, calls })
}

/// Prints the calls a second and the CPU microseconds of a call, of both ends (0 where Twisted is one of them).
///
/// `names` is one contestant at both ends, or `CLIENT-to-SERVER`.
pub(crate) fn time(names: &str, place: &str, sizes: [&str; 3], times: [&str; 2]) -> Result<(), Error> {
    let (client, server) = names.split_once("-to-").unwrap_or((names, names));
    let (client, server) = (End::named(client)?, End::named(server)?);
    let place = Place::named(place).ok_or("no such place")?;
    let load = load(sizes, u64::MAX)?;
    let [warm_up, measured] = times.map(str::parse);
    let times = [Duration::from_millis(warm_up?), Duration::from_millis(measured?)];
    let alone = matches!((&client, &server), (End::Rust(_), End::Rust(_)));

    let mut twisted = None; // It ends with this process.
    let address = match server {
        End::Rust(contestant) => place::serve(contestant, place, load)?,
        End::Twisted => twisted.insert(twisted::Server::start(place)?).address,
    };
    let (calls, cpu) = match client {
        End::Twisted => (twisted::call(address, place, load, times)?, 0.0),
        End::Rust(contestant) => {
            // This thread only looks at the clock; nothing stops the ends but the end of the process.
            thread::spawn(move || place::call(contestant, place, load, address).expect("all calls are answered"));
            watch(&ANSWERED, times)?
        }
    };
    println!("{calls} {}", if alone { cpu } else { 0.0 });
    // At once: an end that sees the other one go would call that a failure.
    std::process::exit(0)
}

/// What is counted in a second, and the CPU microseconds of each, from the first one and the warm-up on.
pub(crate) fn watch(counted: &AtomicU64, [warm_up, measured]: [Duration; 2]) -> Result<(f64, f64), Error> {
    let begun = Instant::now();
    while counted.load(Ordering::Relaxed) == 0 {
        if begun.elapsed() > PATIENCE {
            return Err("nothing is answered".into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(warm_up);
    let (start, used, answered) = (Instant::now(), cpu()?, counted.load(Ordering::Relaxed));
    thread::sleep(measured);
    let calls = (counted.load(Ordering::Relaxed) - answered) as f64;
    if calls == 0.0 {
        return Err("nothing is answered any more".into());
    }
    Ok((calls / start.elapsed().as_secs_f64(), (cpu()? - used) / calls * 1e6))
}

/// Makes a number of calls, both ends on one runtime.
pub(crate) fn make(contestant: &str, sizes: [&str; 3], calls: &str) -> Result<(), Error> {
    let contestant = Contestant::named(contestant).ok_or("no such contestant")?;
    place::run(contestant, Place::Together, load(sizes, calls.parse()?)?)
}

/// CPU seconds of this process.
fn cpu() -> Result<f64, Error> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok([usage.user_time(), usage.system_time()]
        .iter()
        .map(|time| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6)
        .sum())
}
