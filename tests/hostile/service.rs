//! The process that is attacked: a server with default settings, and a client of it that dials where it is told to.

use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use amp::connection::Strictness;
use amp::multiplex::{Factories, Multiplexer, Multiplexing, Stream, StreamSettings, Target};
use amp::{Connection, Server, Settings};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tracing::level_filters::LevelFilter;

use crate::bounds::KEPT_CALLS;
use crate::commands::{Echo, Service};

/// Set for the process that is attacked: the folder in which its log and its unix socket stand.
pub(crate) const FOLDER: &str = "AMP_RPC_HOSTILE_FOLDER";
/// What it logs.
pub(crate) const LEVEL: &str = "AMP_RPC_HOSTILE_LEVEL";
/// How many files it may open.
pub(crate) const FILES: &str = "AMP_RPC_HOSTILE_FILES";
/// Where its target leads to.
pub(crate) const TARGET: &str = "AMP_RPC_HOSTILE_TARGET";
/// A server that it dials, to open streams there.
pub(crate) const DIAL: &str = "AMP_RPC_HOSTILE_DIAL";
/// How many milliseconds a peer has to answer a Disconnect, unless that is the default.
pub(crate) const DISCONNECT_TIMEOUT: &str = "AMP_RPC_HOSTILE_DISCONNECT_TIMEOUT";
/// The name of the log in its folder.
pub(crate) const LOG: &str = "log";
/// The name of the unix socket in its folder.
pub(crate) const SOCKET: &str = "socket";
/// The name of one whose server is as strict as Twisted.
pub(crate) const STRICT: &str = "strict";
/// Before what it says on its standard output.
pub(crate) const MARK: &str = "AMP:";

/// Sets how many files this process may open, as far as that is allowed.
pub(crate) fn limit_files(wanted: u64) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = Some(maximum.map_or(wanted, |maximum| maximum.min(wanted)));
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).expect("a limit below the maximum");
}

#[test]
#[ignore = "the other scenes start it"]
fn the_process_that_is_attacked() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let variable = |name: &str| std::env::var(name).ok();
    if let Some(files) = variable(FILES) {
        limit_files(files.parse().expect("a number"));
    }
    let level: LevelFilter = variable(LEVEL).expect("a level").parse().expect("a level");
    let log = Mutex::new(File::create(folder.join(LOG)).expect("a log"));
    tracing_subscriber::fmt().with_ansi(false).with_max_level(level).with_writer(log).init();
    // It ends with the scene that has started it.
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let target: SocketAddr = variable(TARGET).expect("an address").parse().expect("an address");
        let factories = factories(target);
        let locator = |_: &amp::connection::NewConnection| Service.into_locator();
        let mut streams = StreamSettings::new();
        if let Some(timeout) = variable(DISCONNECT_TIMEOUT) {
            streams = streams.disconnect_timeout(Duration::from_millis(timeout.parse().expect("a number")));
        }
        let extension = Multiplexing::with_settings(&factories, streams);
        let server =
            Server::builder().extension(extension.clone()).bind_tcp("127.0.0.1:0", locator).await.expect("a port");
        let unix = Server::builder().extension(extension);
        let strict = unix.clone().settings(Settings::new().strictness(Strictness::Twisted));
        let _unix = unix.bind_unix(folder.join(SOCKET), locator).expect("a path");
        let _strict = strict.bind_unix(folder.join(STRICT), locator).expect("a path");
        say(&format!("{}", server.local_addr().expect("TCP")));
        if let Some(address) = variable(DIAL) {
            dial(address.parse().expect("an address")).await;
        }
        std::future::pending::<()>().await;
    });
}

fn say(words: &str) {
    writeln!(io::stdout(), "\n{MARK}{words}").expect("standard output");
}

fn factories(target: SocketAddr) -> Factories {
    let factories = Factories::new();
    factories.serve("echo", async |stream: Stream| {
        let (mut from, mut to) = tokio::io::split(stream);
        let _ = tokio::io::copy(&mut from, &mut to).await;
        let _ = to.shutdown().await;
    });
    factories.serve("sink", async |mut stream: Stream| {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    });
    // Never reads, and lives as long as its connection: it writes a byte now and then.
    factories.serve("hold", async |mut stream: Stream| {
        while stream.write_all(b"?").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    // Is busy with something else for good, whatever becomes of the connection.
    factories.serve("idle", async |stream: Stream| {
        std::future::pending::<()>().await;
        drop(stream);
    });
    // Drops the stream and is busy with something else for a while, with a large buffer or with none.
    factories.serve("later", async |stream: Stream| {
        let mut buffer = [1_u8; 64 << 10];
        drop(stream);
        tokio::time::sleep(Duration::from_secs(10)).await;
        buffer.reverse();
    });
    factories.serve("small later", async |stream: Stream| {
        let mut buffer = [1_u8; 512];
        drop(stream);
        tokio::time::sleep(Duration::from_secs(10)).await;
        buffer.reverse();
    });
    // Writes without end.
    factories.serve("source", async |mut stream: Stream| {
        let _ = tokio::io::copy(&mut tokio::io::repeat(0), &mut stream).await;
    });
    // Is over at once.
    factories.serve("brief", async |stream: Stream| drop(stream));
    factories.insert("target", Target::tcp(target.to_string()));
    factories.insert("named", Target::tcp(format!("localhost:{}", target.port())));
    factories
}

/// The roles turned: this process is the client of a hostile server.
async fn dial(address: SocketAddr) {
    let builder = Connection::builder().locator(Service.into_locator()).extension(Multiplexing::default());
    let connection = builder.connect_tcp(address).await.expect("the scene listens");
    let mut calls = Vec::new();
    for _ in 0..KEPT_CALLS {
        let mut call = Box::pin(connection.call(Echo { data: bytes::Bytes::new() }));
        // It is sent, and nobody looks after it then.
        tokio::select! {
            biased;
            _ = &mut call => {}
            () = std::future::ready(()) => {}
        }
        calls.push(call);
    }
    let multiplexer = Multiplexer::of(&connection).expect("the extension");
    let forward = multiplexer.forward_port(0, "forwarded").await.expect("a port");
    say(&format!("{}", forward.local_addr().expect("TCP")));
    if let Ok(mut stream) = multiplexer.connect("anything").await {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    connection.closed().await;
}
