//! A process that has no descriptors left. One test at a time, because the limit is the process's.

use std::fs::File;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use amp::multiplex::{Factories, Multiplexer, Multiplexing, Stream};
use amp::{Arguments, Command, Connection, Peer, Reply, Server, responder};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

#[path = "shared/logged.rs"]
mod logged;

#[derive(Command, Debug)]
#[amp(response = Total)]
struct Sum {
    a: i64,
    b: i64,
}

#[derive(Arguments, Debug)]
struct Total {
    total: i64,
}

struct Adding;

#[responder]
impl Adding {
    async fn sum(&self, command: Sum) -> Reply<Sum> {
        Ok(Total { total: command.a + command.b })
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("this hangs")
}

/// Runs a test while no other one runs: its runtime needs descriptors, too.
fn alone(test: impl Future<Output = ()>) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(test);
}

/// All descriptors that the process may still have.
fn all_descriptors() -> Vec<File> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, 200, hard).expect("a lower limit");
    let taken: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!(!taken.is_empty());
    taken
}

/// Clients that have their descriptors before there are none.
fn sockets(count: usize) -> Vec<TcpSocket> {
    (0..count).map(|_| TcpSocket::new_v4().expect("a socket")).collect()
}

/// A client that asks once and reads to the end. It keeps its descriptor.
async fn ask(socket: TcpSocket, address: SocketAddr) -> (Vec<u8>, TcpStream) {
    let mut stream = soon(socket.connect(address)).await.expect("it listens");
    stream.write_all(b"\0\x04_ask\0\x011\0\x08_command\0\x03Sum\0\x01a\0\x011\0\x01b\0\x012\0\0").await.expect("taken");
    let mut got = Vec::new();
    soon(stream.read_to_end(&mut got)).await.expect("no reset");
    // The server waits for that, or a second.
    stream.shutdown().await.expect("no reset");
    (got, stream)
}

#[test]
fn a_server_without_descriptors_answers_busy_and_goes_on_when_there_are_some() {
    alone(server_without_descriptors());
}

async fn server_without_descriptors() {
    let logged = logged::logged(logged::Level::INFO);
    let server = Server::builder().bind_tcp("127.0.0.1:0", |_| Adding.into_locator()).await.expect("a free port");
    let address = server.local_addr().expect("an address");
    let inside = Connection::builder().connect_tcp(address).await.expect("it listens");
    let works = async || soon(inside.call(Sum { a: 1, b: 2 })).await.expect("an answer").total == 3;
    assert!(works().await);
    let (callers, silent, last, later) = (sockets(5), sockets(20), sockets(1), sockets(1));

    let taken = all_descriptors();
    let mut held = Vec::new();
    for socket in callers {
        let (got, stream) = ask(socket, address).await;
        held.push(stream);
        let got = got.escape_ascii().to_string();
        assert!(got.contains("BUSY") && got.contains("The server has no descriptors left; try again later"), "{got}");
    }
    assert_eq!((server.connections(), server.refused()), (1, 5));
    // Those that say nothing use the reserve up, and who comes then is let go at once, not left waiting.
    for socket in silent {
        held.push(soon(socket.connect(address)).await.expect("it listens"));
    }
    for socket in last {
        let mut stream = soon(socket.connect(address)).await.expect("it listens");
        assert_eq!(soon(stream.read(&mut [0])).await.unwrap_or(0), 0);
    }
    assert!(works().await);
    let text = logged.text();
    assert_eq!((text.lines().count(), text.matches("WARN").count()), (1, 1), "{text}");
    assert!(text.contains("a server has no descriptors left"), "{text}");

    drop((taken, held));
    soon(async {
        while !logged.text().contains("a server has descriptors again") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    for socket in later {
        let stream = soon(socket.connect(address)).await.expect("it listens");
        let connection = Connection::builder().start_tcp(stream).expect("connected");
        assert_eq!(soon(connection.call(Sum { a: 1, b: 2 })).await.expect("an answer").total, 3);
    }
    assert_eq!(logged.text().lines().count(), 2, "{}", logged.text());
    assert_eq!((server.connections() <= 2, server.refused()), (true, 26));
}

#[test]
fn a_forward_without_descriptors_lets_its_clients_go_and_goes_on_when_there_are_some() {
    alone(forward_without_descriptors());
}

async fn forward_without_descriptors() {
    let logged = logged::logged(logged::Level::INFO);
    let (near, far) = tokio::io::duplex(1 << 16);
    let factories = Factories::new();
    factories.serve("echo", |mut stream: Stream| async move {
        let mut got = Vec::new();
        stream.read_to_end(&mut got).await.expect("whole");
        stream.write_all(&got).await.expect("taken");
        stream.shutdown().await.expect("all is taken");
    });
    let here = Connection::builder().extension(Multiplexing::new(&Factories::new())).start(near, Peer::other("far"));
    let _there = Connection::builder().extension(Multiplexing::new(&factories)).start(far, Peer::other("near"));
    let forward = Multiplexer::of(&here).expect("it has one").forward_port(0, "echo").await.expect("a port");
    let address = forward.local_addr().expect("an address");
    let (clients, mut later) = (sockets(3), sockets(1));

    let taken = all_descriptors();
    let mut held = Vec::new();
    for socket in clients {
        let mut stream = soon(socket.connect(address)).await.expect("it listens");
        let ended = soon(stream.read(&mut [0])).await.expect_err("an end in order would look whole");
        assert_eq!(ended.kind(), std::io::ErrorKind::ConnectionReset);
        held.push(stream);
    }
    assert_eq!(logged.text().matches("a forward has no descriptors left").count(), 1, "{}", logged.text());

    drop((taken, held));
    let mut stream = soon(later.remove(0).connect(address)).await.expect("it listens");
    stream.write_all(b"hello").await.expect("taken");
    stream.shutdown().await.expect("no reset");
    let mut got = Vec::new();
    soon(stream.read_to_end(&mut got)).await.expect("no reset");
    assert_eq!(got, b"hello");
}
