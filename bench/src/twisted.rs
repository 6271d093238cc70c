//! The ends in Python: `twisted_peer.py`, run by the Python that `bench/run` names.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{ChildStdin, Command, Stdio};
use std::time::Duration;

use amp_bench::Error;
use amp_bench::load::Load;
use amp_bench::place::Place;

/// The variable that names a Python which has Twisted.
pub(crate) const PYTHON: &str = "AMP_BENCH_PYTHON";

/// A server; it ends when its input does, that is with this value or this process.
pub(crate) struct Server {
    _input: ChildStdin,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(place: Place) -> Result<Self, Error> {
        let mut process = peer("serve", place, true)?.stdin(Stdio::piped()).spawn()?;
        let mut port = String::new();
        BufReader::new(process.stdout.take().ok_or("it is piped")?).read_line(&mut port)?;
        let input = process.stdin.take().ok_or("it is piped")?;
        Ok(Self { _input: input, address: (Ipv4Addr::LOCALHOST, port.trim_end().parse()?).into() })
    }
}

/// Calls a second of a client.
pub(crate) fn call(address: SocketAddr, place: Place, load: Load, times: [Duration; 2]) -> Result<f64, Error> {
    let numbers = [usize::from(address.port()), load.connections, load.in_flight, load.payload];
    let output = peer("call", place, false)?
        .args(numbers.map(|number| number.to_string()))
        .args(times.map(|time| time.as_millis().to_string()))
        .output()?;
    if !output.status.success() {
        return Err(format!("twisted: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().parse()?)
}

fn peer(mode: &str, place: Place, server: bool) -> Result<Command, Error> {
    let python = env::var_os(PYTHON).ok_or("AMP_BENCH_PYTHON names no Python that has Twisted")?;
    let cpu = place.cpu(server)?.ok_or("Twisted is pinned to a CPU")?;
    let mut command = Command::new(python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/twisted_peer.py")).arg(mode).arg(cpu.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    Ok(command)
}
