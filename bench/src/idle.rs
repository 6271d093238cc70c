//! What a stream costs that nobody uses: resident bytes at both ends, which are two processes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use amp_bench::Error;
use amp_bench::streams::Contestant;
use tokio::runtime::Builder;

/// The serving end: prints its address and serves until its input ends.
pub(crate) fn serve(contestant: &str) -> Result<(), Error> {
    let contestant = Contestant::named(contestant).ok_or("no such contestant")?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (address, serving) = contestant.serve().await?;
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
    let mut server = Server::start(contestant)?;
    let (client, serving, address) = (std::process::id(), server.0.id(), server.address()?);
    let mut seen = Vec::new();
    let looked = Builder::new_current_thread().enable_all().build()?.block_on(async {
        let look = |_: usize| {
            // Whatever the peer still does about what was answered.
            std::thread::sleep(std::time::Duration::from_millis(200));
            seen.push([resident(client), resident(serving)]);
        };
        contestant.keep(address, streams, look).await
    });
    drop(server.0.stdin.take());
    server.0.wait()?;
    looked?;
    let mut looks = seen.into_iter();
    let (Some([client, server]), Some([clients, servers])) = (looks.next(), looks.next()) else {
        return Err("not looked at twice".into());
    };
    let each = |before: Result<u64, Error>, after: Result<u64, Error>| -> Result<u64, Error> {
        Ok(after?.saturating_sub(before?) / streams as u64)
    };
    println!("{} {}", each(client, clients)?, each(server, servers)?);
    Ok(())
}

struct Server(Child);

impl Server {
    fn start(contestant: Contestant) -> Result<Self, Error> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["idle-serve", contestant.name()]).stdin(Stdio::piped()).stdout(Stdio::piped());
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
