//! What a stream or a connection costs that nobody uses: resident bytes at both ends, which are two processes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use amp_bench::Error;
use amp_bench::contestants::{self, Served};
use amp_bench::load::Load;
use amp_bench::streams::Contestant;
use tokio::runtime::Builder;

/// The serving end of streams.
pub(crate) fn serve(contestant: &str) -> Result<(), Error> {
    let contestant = Contestant::named(contestant).ok_or("no such contestant")?;
    serve_until_input_ends(contestant.serve())
}

/// The serving end of connections.
pub(crate) fn serve_calls(contestant: &str) -> Result<(), Error> {
    let contestant = contestants::Contestant::named(contestant).ok_or("no such contestant")?;
    let load = Load { connections: 1, in_flight: 1, payload: 0, calls: u64::MAX };
    serve_until_input_ends(contestant.serve(load))
}

/// Prints its address and serves until its input ends.
fn serve_until_input_ends(served: impl Future<Output = Result<Served, Error>>) -> Result<(), Error> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (address, serving) = served.await?;
        println!("{address}");
        std::io::stdout().flush()?;
        std::thread::spawn(|| {
            // Whatever is read: it is over.
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(0)
        });
        serving.await;
        Ok(())
    })
}

/// Prints the resident bytes that a stream adds at the client and at the server.
pub(crate) fn measure(contestant: &str, streams: &str) -> Result<(), Error> {
    let (contestant, streams) = (Contestant::named(contestant).ok_or("no such contestant")?, streams.parse()?);
    measure_each(["idle-serve", contestant.name()], streams, |address, look| {
        Box::pin(contestant.keep(address, streams, look))
    })
}

/// Prints the resident bytes that a connection adds at the client and at the server.
pub(crate) fn measure_connections(contestant: &str, connections: &str) -> Result<(), Error> {
    let contestant = contestants::Contestant::named(contestant).ok_or("no such contestant")?;
    let connections = connections.parse()?;
    measure_each(["idle-serve-calls", contestant.name()], connections, |address, look| {
        Box::pin(contestant.keep(address, connections, look))
    })
}

/// Looks at both ends when there is one, and when there are `count` more.
type Look = Box<dyn FnMut(usize)>;

fn measure_each(
    serve: [&str; 2],
    count: usize,
    keep: impl FnOnce(SocketAddr, Look) -> Pin<Box<dyn Future<Output = Result<(), Error>>>>,
) -> Result<(), Error> {
    let mut server = Server::start(serve)?;
    let (client, serving, address) = (std::process::id(), server.0.id(), server.address()?);
    let (seen, looks) = mpsc::channel();
    let look = Box::new(move |_: usize| {
        // Whatever the peer still does about what was answered.
        std::thread::sleep(std::time::Duration::from_millis(200));
        let _ = seen.send([resident(client), resident(serving)]);
    });
    let looked = Builder::new_current_thread().enable_all().build()?.block_on(keep(address, look));
    drop(server.0.stdin.take());
    server.0.wait()?;
    looked?;
    let (Ok([client, server]), Ok([clients, servers])) = (looks.recv(), looks.recv()) else {
        return Err("not looked at twice".into());
    };
    let each = |before: Result<u64, Error>, after: Result<u64, Error>| -> Result<u64, Error> {
        Ok(after?.saturating_sub(before?) / count as u64)
    };
    println!("{} {}", each(client, clients)?, each(server, servers)?);
    Ok(())
}

struct Server(Child);

impl Server {
    fn start(serve: [&str; 2]) -> Result<Self, Error> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(serve).stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(Self(command.spawn()?))
    }

    fn address(&mut self) -> Result<std::net::SocketAddr, Error> {
        let mut line = String::new();
        BufReader::new(self.0.stdout.as_mut().ok_or("no output")?).read_line(&mut line)?;
        Ok(line.trim_end().parse()?)
    }
}

/// The resident bytes of a process.
fn resident(process: u32) -> Result<u64, Error> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no resident bytes")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
