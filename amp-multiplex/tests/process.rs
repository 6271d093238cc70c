//! What a peer's streams cost the whole process: threads, memory, descriptors. Each test runs alone in a process of its own, which is
//! this program again.

use std::process::Command as Process;
use std::time::Duration;

use amp_core::{Connection, Peer};
use amp_multiplex::{Factories, Multiplexer, Multiplexing, Stream, Target};
use nix::sys::resource::{Resource, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Set where this program runs as the child of a test.
const CHILD: &str = "AMP_MULTIPLEX_PROCESS";

/// Runs a test in a process of its own.
fn alone(name: &str, test: impl Future<Output = ()>) {
    if std::env::var_os(CHILD).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let test = async { timeout(Duration::from_secs(120), test).await.expect("this hangs") };
        return runtime.block_on(test);
    }
    let mut process = Process::new(std::env::current_exe().expect("the path of this program"));
    process.args(["--exact", name, "--nocapture", "--test-threads=1"]).env(CHILD, "1");
    let output = process.output().expect("this program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A client of the factories, and what keeps its connection.
fn client(factories: &Factories) -> (Multiplexer, [Connection; 2]) {
    let (one, other) = amp_core::connection::pair(
        Connection::builder().extension(Multiplexing::default()),
        Connection::builder().extension(Multiplexing::new(factories)),
    );
    (Multiplexer::of(&one).expect("it has the extension"), [one, other])
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("this process").count()
}

/// The resident bytes of this process.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("this process");
    statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("pages") * 4096
}

#[test]
fn look_ups_take_few_threads_however_many_streams_want_them() {
    alone("look_ups_take_few_threads_however_many_streams_want_them", async {
        let factories = Factories::new();
        for at in 0..50 {
            // Nobody is there, so that no socket stays.
            let target = Target::tcp("localhost:1").max_streams(1000).max_connects(1000);
            factories.insert(format!("target {at}"), target);
        }
        let (client, _connections) = client(&factories);
        let (before, mut most) = (threads(), 0);
        let mut connecting = tokio::task::JoinSet::new();
        for at in 0..3000 {
            let client = client.clone();
            connecting.spawn(async move { client.connect(format!("target {}", at % 50)).await.is_err() });
        }
        while let Some(failed) = connecting.join_next().await {
            assert!(failed.expect("no panic"));
            most = most.max(threads());
        }
        assert!(most > before, "names are looked up by threads");
        // How many are looked up at once is tested beside the limit. A look-up may begin while the thread of one that has just ended
        // is not idle yet, so there may be another thread for each.
        assert!(most < before + 50 / 2, "{most} threads for 50 names, and {before} before");
    });
}

#[test]
fn bytes_of_streams_behind_large_boxes_that_are_dropped_hold_no_buffers() {
    alone("bytes_of_streams_behind_large_boxes_that_are_dropped_hold_no_buffers", async {
        let factories = Factories::new();
        let mut listener = factories.listen("x", 1);
        let (ours, mut theirs) = duplex(1 << 20);
        let _end = Connection::builder().extension(Multiplexing::new(&factories)).start(ours, Peer::other("test"));
        write_box(&mut theirs, &[("_ask", b"1"), ("_command", b"Connect"), ("factory", b"x")]).await;
        let stream = listener.accept().await.expect("a stream");
        let id = answer(&mut theirs).await;
        let before = resident();
        let (large, data) = (vec![7; 65_000], vec![7; 16_400]);
        for _ in 0..300 {
            // A box of 975 kB that nobody knows, and 16.4 kB for a reader that does not read.
            let keys: Vec<_> = (0..15).map(|key| format!("k{key:02}")).collect();
            let mut unknown: Vec<(&str, &[u8])> = vec![("_command", b"Nope")];
            unknown.extend(keys.iter().map(|key| (key.as_str(), &large[..])));
            write_box(&mut theirs, &unknown).await;
            write_box(&mut theirs, &[("_ask", b"2"), ("_command", b"Transmit"), ("connection", &id), ("data", &data)])
                .await;
        }
        // The end has handled all of it.
        write_box(&mut theirs, &[("_ask", b"3"), ("_command", b"Nope")]).await;
        answer(&mut theirs).await;
        let held = resident() - before;
        assert!(held < 2 * 300 * 16_400 + (8 << 20), "{held} bytes are held for 4.9 million");
        drop(stream);
    });
}

async fn write_box(transport: &mut (impl AsyncWriteExt + Unpin), pairs: &[(&str, &[u8])]) {
    let mut bytes = Vec::new();
    for (key, value) in pairs {
        for part in [key.as_bytes(), value] {
            bytes.extend(u16::try_from(part.len()).expect("a length that fits").to_be_bytes());
            bytes.extend(part);
        }
    }
    bytes.extend([0, 0]);
    transport.write_all(&bytes).await.expect("the connection takes bytes");
}

/// Reads a box, and returns the value of `connection` in it, if there is one.
async fn answer(transport: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let mut id = Vec::new();
    loop {
        let key = part(transport).await;
        if key.is_empty() {
            return id;
        }
        let value = part(transport).await;
        if key == b"connection" {
            id = value;
        }
    }
}

async fn part(transport: &mut (impl AsyncReadExt + Unpin)) -> Vec<u8> {
    let mut part = vec![0; transport.read_u16().await.expect("a length").into()];
    transport.read_exact(&mut part).await.expect("as many bytes");
    part
}

#[test]
fn targets_leave_half_of_the_descriptors_to_others() {
    alone("targets_leave_half_of_the_descriptors_to_others", async {
        setrlimit(Resource::RLIMIT_NOFILE, 128, 128).expect("a lower limit");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("TCP").to_string();
        let factories = Factories::new();
        for name in ["one", "two", "three"] {
            factories.insert(name, Target::tcp(address.clone()).max_streams(1000).max_connects(1000));
        }
        let mut kept: Vec<(Vec<Stream>, [Connection; 2])> = Vec::new();
        for _ in 0..8 {
            let (client, connections) = client(&factories);
            let mut streams = Vec::new();
            for name in ["one", "two", "three"] {
                while let Ok(stream) = client.connect(name).await {
                    streams.push(stream);
                }
            }
            kept.push((streams, connections));
        }
        let streams: Vec<_> = kept.iter().map(|(streams, _)| streams.len()).collect();
        assert_eq!(streams, [32, 16, 8, 4, 2, 1, 1, 0], "half of 64, then half of what is left");
        // The process still accepts, and opens files.
        listener.accept().await.expect("a descriptor");
        std::fs::File::open("/proc/self/statm").expect("a descriptor");
    });
}
