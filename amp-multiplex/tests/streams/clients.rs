//! Clients of a forwarded port that leave, or finish, while their stream is being opened.

use std::net::SocketAddr;
use std::time::Duration;

use amp_core::Settings;
use amp_multiplex::{Opening, Stream, StreamListener, StreamSettings, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::mpsc;

use crate::forwards::dial;
use crate::support::{End, ends, pattern, read_all, soon, until, write};

/// How many accepted sockets of a port of this system are not closed yet.
fn sockets(address: SocketAddr) -> usize {
    let port = format!(":{:04X}", address.port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the system's table");
    let ours = |line: &&str| {
        let columns: Vec<_> = line.split_whitespace().collect();
        // In its states, 0A listens and 06 waits out the time after the end.
        columns[1].ends_with(&port) && columns[3] != "0A" && columns[3] != "06"
    };
    table.lines().filter(ours).count()
}

/// A near end with room for `most` streams, and a far one whose listener accepts later.
fn slow(most: usize) -> (End, End, StreamListener) {
    let (a, b) = tokio::io::duplex(1 << 16);
    let here = End::over(a, Settings::new(), StreamSettings::new().max_streams(most));
    let there = End::over(b, Settings::new(), StreamSettings::new());
    let listener = there.factories.listen("slow", usize::MAX);
    (here, there, listener)
}

async fn wait_for_openings(there: &End, count: usize) {
    until("they are asked for", || format!("{:?}", there.multiplexer).contains(&format!("accepting: {count}"))).await;
}

#[tokio::test]
async fn a_client_that_leaves_while_its_stream_is_opened_leaves_its_socket_and_its_place() {
    const CLIENTS: usize = 20;
    let (here, there, mut listener) = slow(CLIENTS);
    let forward = here.multiplexer.forward_port(0, "slow").await.expect("a port");
    let address = forward.local_addr().expect("TCP");
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(dial(&forward).await);
    }
    wait_for_openings(&there, CLIENTS).await;
    for (n, mut client) in clients.into_iter().enumerate() {
        match n % 3 {
            0 => client.set_zero_linger().expect("a reset"),
            1 => {
                client.write_all(&pattern(100_000)).await.expect("said");
                client.set_zero_linger().expect("a reset behind bytes");
            }
            _ => {}
        }
    }
    until("their sockets are closed", || sockets(address) == 0).await;
    let mut stays = dial(&forward).await;
    stays.write_all(b"hello").await.expect("said");
    wait_for_openings(&there, CLIENTS + 1).await;
    // The peer cannot be told before it opens them: it learns at once that they are cut.
    for _ in 0..CLIENTS {
        let mut gone = soon("accepting", listener.accept()).await.expect("a stream");
        assert_eq!(read(&mut gone).await, Err("Cut".to_owned()));
    }
    let mut stream = soon("accepting", listener.accept()).await.expect("a stream");
    stream.read_exact(&mut [0; 5]).await.expect("bytes");
    write(&mut stream, "hello, too").await;
    soon("the answer", stays.read_exact(&mut [0; 10])).await.expect("bytes");
    let counts = forward.counts();
    assert_eq!((counts.refused, counts.total), (0, 1));
    drop((stays, stream));
    here.is_empty().await;
    there.is_empty().await;
}

/// All bytes, or why they do not end in order.
async fn read(stream: &mut Stream) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let result = soon("reading to the end", stream.read_to_end(&mut bytes)).await;
    result.map(|_| bytes).map_err(|error| crate::support::why(&error))
}

#[tokio::test]
async fn a_client_that_asks_and_ends_its_direction_at_once_gets_its_answer() {
    for question in [pattern(1), pattern(100_000)] {
        let (here, there, mut listener) = slow(10);
        let forward = here.multiplexer.forward_port(0, "slow").await.expect("a port");
        let (mut reader, mut writer) = dial(&forward).await.into_split();
        let asked = question.clone();
        let asking = tokio::spawn(async move {
            writer.write_all(&asked).await.expect("said");
            writer.shutdown().await.expect("finished");
            writer
        });
        wait_for_openings(&there, 1).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut stream = soon("accepting", listener.accept()).await.expect("a stream");
        assert!(read_all(&mut stream).await == question, "the question is whole");
        write(&mut stream, "answer").await;
        drop(stream);
        let mut answer = Vec::new();
        soon("the answer", reader.read_to_end(&mut answer)).await.expect("an end in order");
        assert_eq!(answer, b"answer");
        soon("asking", asking).await.expect("no panic");
    }
}

#[tokio::test]
async fn a_client_of_a_unix_socket_is_watched_too() {
    let (here, there, mut listener) = slow(10);
    let path = std::env::temp_dir().join(format!("amp-clients-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let forward = here.multiplexer.forward_unix(&path, "slow").expect("a socket");
    drop(UnixStream::connect(&path).await.expect("somebody listens"));
    let mut asks = UnixStream::connect(&path).await.expect("somebody listens");
    asks.write_all(b"question").await.expect("said");
    asks.shutdown().await.expect("finished");
    wait_for_openings(&there, 2).await;
    let mut questions = Vec::new();
    for _ in 0..2 {
        let mut stream = soon("accepting", listener.accept()).await.expect("a stream");
        questions.push(read(&mut stream).await);
    }
    questions.sort();
    assert_eq!(questions, [Ok(b"question".to_vec()), Err("Cut".to_owned())]);
    assert_eq!((forward.counts().total, forward.counts().refused), (1, 0));
}

#[tokio::test]
async fn what_a_client_of_a_unix_socket_says_before_it_closes_arrives_when_its_stream_is_opened_soon() {
    let (here, there, mut listener) = slow(10);
    let path = std::env::temp_dir().join(format!("amp-clients-brief-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let _forward = here.multiplexer.forward_unix(&path, "slow").expect("a socket");
    // It has closed before it is accepted.
    let mut brief = std::os::unix::net::UnixStream::connect(&path).expect("somebody listens");
    std::io::Write::write_all(&mut brief, b"news").expect("said");
    drop(brief);
    wait_for_openings(&there, 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut stream = soon("accepting", listener.accept()).await.expect("a stream");
    assert_eq!(read(&mut stream).await, Ok(b"news".to_vec()));
}

/// A unix socket tells a closed other end from one that only says no more; a TCP socket does not.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_of_a_unix_socket_that_asks_and_closes_is_let_go() {
    let (here, there, mut listener) = slow(10);
    let path = std::env::temp_dir().join(format!("amp-clients-closed-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let forward = here.multiplexer.forward_unix(&path, "slow").expect("a socket");
    let sockets = || {
        let table = std::fs::read_to_string("/proc/net/unix").expect("the system's table");
        table.lines().filter(|line| line.ends_with(path.to_str().expect("text"))).count()
    };
    let mut stays = UnixStream::connect(&path).await.expect("somebody listens");
    stays.write_all(b"question").await.expect("said");
    stays.shutdown().await.expect("finished");
    wait_for_openings(&there, 1).await;
    let mut leaves = UnixStream::connect(&path).await.expect("somebody listens");
    leaves.write_all(b"question").await.expect("said");
    wait_for_openings(&there, 2).await;
    assert_eq!(sockets(), 3, "one of them listens");
    drop(leaves);
    until("its socket is closed", || sockets() == 2).await;
    let mut stream = soon("accepting", listener.accept()).await.expect("a stream");
    assert_eq!(read(&mut stream).await, Ok(b"question".to_vec()));
    write(&mut stream, "answer").await;
    drop(stream);
    let mut answer = Vec::new();
    soon("the answer", stays.read_to_end(&mut answer)).await.expect("an end in order");
    assert_eq!(answer, b"answer");
    let mut stream = soon("accepting", listener.accept()).await.expect("a stream");
    assert_eq!(read(&mut stream).await, Err("Cut".to_owned()));
    assert_eq!((forward.counts().total, forward.counts().refused), (1, 0));
}

/// A target that takes no connection: its backlog is full.
async fn hanging() -> (TcpListener, Vec<TcpStream>) {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let listener = socket.listen(1).expect("it listens");
    let (address, mut held) = (listener.local_addr().expect("TCP"), Vec::new());
    while let Ok(dialled) = tokio::time::timeout(Duration::from_secs(1), TcpStream::connect(address)).await {
        held.push(dialled.expect("somebody listens"));
    }
    (listener, held)
}

#[tokio::test]
async fn a_target_gives_up_reaching_its_address_when_the_connection_ends() {
    let (here, there) = ends();
    let (hung, _held) = hanging().await;
    let target = Target::tcp(hung.local_addr().expect("TCP").to_string());
    there.factories.insert("hung", target.clone());
    let multiplexer = here.multiplexer.clone();
    let connecting = tokio::spawn(async move { multiplexer.connect("hung").await });
    wait_for_openings(&there, 1).await;
    let dialling = tokio::spawn({
        let target = target.clone();
        target.close();
        async move { target.closed().await }
    });
    here.connection.abort();
    assert!(soon("connecting", connecting).await.expect("no panic").is_err());
    soon("giving up", dialling).await.expect("no panic");
    // Had it dialled to the end of its patience, it would have refused the stream.
    assert_eq!((target.counts().refused, target.counts().total), (0, 0));
}

#[tokio::test]
async fn a_backlog_without_a_limit_is_one() {
    let (here, there) = ends();
    for backlog in [0, usize::MAX, usize::MAX >> 3, (usize::MAX >> 3) + 1] {
        let mut listener = there.factories.listen("x", backlog);
        drop(here.open("x", &mut listener).await);
    }
    let (sender, _openings) = mpsc::unbounded_channel::<Opening>();
    there.factories.insert("x", move |opening| drop(sender.send(opening)));
}

#[tokio::test]
async fn settings_of_streams_take_nothing_and_everything() {
    for extreme in [0, 1, usize::MAX] {
        let settings = StreamSettings::new()
            .first_window(extreme)
            .max_window(extreme)
            .max_in_flight(extreme)
            .max_buffered(usize::MAX)
            .max_received(usize::MAX)
            .max_early(extreme)
            .max_streams(usize::MAX);
        let (here, there) = crate::support::ends_with(1 << 16, &settings);
        let mut listener = there.factories.listen("x", extreme);
        let (mut one, mut other) = here.open("x", &mut listener).await;
        let writing = tokio::spawn(async move {
            write(&mut one, pattern(100_000)).await;
        });
        assert!(read_all(&mut other).await == pattern(100_000));
        soon("writing", writing).await.expect("no panic");
    }
}
