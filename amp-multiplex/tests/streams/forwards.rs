//! Local listeners that lead to factories of the peer.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use amp_multiplex::{Forward, Stream, StreamSettings, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::time::timeout;

use crate::support::{echo, ends, ends_with, pattern, read_exactly, soon, until};

pub(crate) async fn dial(forward: &Forward) -> TcpStream {
    let address = forward.local_addr().expect("TCP");
    soon("dialling", TcpStream::connect(address)).await.expect("somebody listens")
}

/// Sends, ends its direction, and reads to the end.
pub(crate) async fn exchange<S>(mut socket: S, sent: &[u8]) -> Vec<u8>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut got = Vec::new();
    soon("sending", socket.write_all(sent)).await.expect("sent");
    soon("finishing", socket.shutdown()).await.expect("finished");
    soon("reading", socket.read_to_end(&mut got)).await.expect("an end in order");
    got
}

async fn refused(address: SocketAddr) {
    soon("the listener ends", async {
        while TcpStream::connect(address).await.map_err(|error| error.kind()).err()
            != Some(ErrorKind::ConnectionRefused)
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_forwarded_port_listens_on_loopback_and_counts_what_passes() {
    let (here, there) = ends();
    there.factories.serve("echo", echo);
    let forward = here.multiplexer.forward_port(0, "echo").await.expect("a port");
    assert!(forward.local_addr().expect("TCP").ip().is_loopback());
    let mut socket = dial(&forward).await;
    socket.write_all(b"hello").await.expect("sent");
    socket.read_exact(&mut [0; 5]).await.expect("an echo");
    // Progress shows while the stream is open.
    let counts = forward.counts();
    assert_eq!((counts.open, counts.total, counts.refused, counts.sent, counts.received), (1, 1, 0, 5, 5));
    assert_eq!(exchange(socket, b" world").await, b" world");
    until("it has ended", || forward.counts().open == 0).await;
    let counts = forward.counts();
    assert_eq!((counts.total, counts.sent, counts.received), (1, 11, 11));
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test]
async fn a_half_close_is_passed_on_both_ways() {
    let (here, there) = ends();
    // The server answers when it has seen the end of the question; the client's end comes after the answer.
    there.factories.serve("count", |mut stream: Stream| async move {
        let mut question = Vec::new();
        stream.read_to_end(&mut question).await.expect("a question");
        stream.write_all(question.len().to_string().as_bytes()).await.expect("an answer");
        stream.shutdown().await.expect("an end");
    });
    let forward = here.multiplexer.forward_port(0, "count").await.expect("a port");
    assert_eq!(exchange(dial(&forward).await, &pattern(200_000)).await, b"200000");

    there.factories.serve("speaker", |mut stream: Stream| async move {
        stream.write_all(b"all I have to say").await.expect("a speech");
        stream.shutdown().await.expect("an end");
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await.expect("a reply");
        assert_eq!(reply, b"I heard you out");
    });
    let forward = here.multiplexer.forward_port(0, "speaker").await.expect("a port");
    let (mut socket, mut speech) = (dial(&forward).await, Vec::new());
    soon("the speech", socket.read_to_end(&mut speech)).await.expect("an end");
    assert_eq!(speech, b"all I have to say");
    socket.write_all(b"I heard you out").await.expect("the other direction is open");
    socket.shutdown().await.expect("an end");
    until("it has ended", || forward.counts().open == 0).await;
}

#[tokio::test]
async fn a_refused_stream_closes_its_local_socket() {
    let (here, there) = ends();
    let forward = here.multiplexer.forward_port(0, "nobody").await.expect("a port");
    let mut socket = dial(&forward).await;
    let read = soon("the end", socket.read(&mut [0])).await;
    assert!(matches!(read, Ok(0)) || read.is_err(), "{read:?}");
    let counts = forward.counts();
    assert_eq!((counts.refused, counts.total, counts.open), (1, 0, 0));
    here.ping().await;
    there.ping().await;
}

#[tokio::test]
async fn a_closed_forward_accepts_no_more_and_its_streams_go_on() {
    let (here, there) = ends();
    there.factories.serve("echo", echo);
    let forward = here.multiplexer.forward_port(0, "echo").await.expect("a port");
    let mut socket = dial(&forward).await;
    socket.write_all(b"before").await.expect("sent");
    socket.read_exact(&mut [0; 6]).await.expect("an echo");
    forward.close();
    refused(forward.local_addr().expect("TCP")).await;
    assert!(timeout(Duration::from_millis(20), forward.closed()).await.is_err(), "a stream is open");
    assert_eq!(exchange(socket, b"after").await, b"after");
    soon("closing", forward.closed()).await;
    soon("closing again", forward.closed()).await;
}

#[tokio::test]
async fn a_dropped_forward_ends_with_its_streams() {
    let (here, there) = ends();
    there.factories.serve("echo", echo);
    let forward = here.multiplexer.forward_port(0, "echo").await.expect("a port");
    let (mut socket, address) = (dial(&forward).await, forward.local_addr().expect("TCP"));
    socket.write_all(b"before").await.expect("sent");
    socket.read_exact(&mut [0; 6]).await.expect("an echo");
    drop(forward);
    let read = soon("the end", socket.read(&mut [0])).await;
    assert!(matches!(read, Ok(0)) || read.is_err(), "{read:?}");
    refused(address).await;
    here.is_empty().await;
    there.is_empty().await;
}

#[tokio::test]
async fn when_the_connection_ends_its_forwards_end_with_their_sockets() {
    let (here, there) = ends();
    there.factories.serve("echo", echo);
    let forward = here.multiplexer.forward_port(0, "echo").await.expect("a port");
    let mut socket = dial(&forward).await;
    socket.write_all(b"x").await.expect("sent");
    socket.read_exact(&mut [0; 1]).await.expect("an echo");
    there.connection.abort();
    let read = soon("the end", socket.read(&mut [0])).await;
    assert!(matches!(read, Ok(0)) || read.is_err(), "{read:?}");
    soon("closing", forward.closed()).await;
    refused(forward.local_addr().expect("TCP")).await;
}

/// In the states of `/proc/net/tcp`, 08 is `CLOSE_WAIT`.
#[tokio::test]
async fn no_socket_is_left_in_close_wait_after_the_far_end_has_left() {
    let (here, there) = ends();
    let mut listener = there.factories.listen("far", 10);
    let forward = here.multiplexer.forward_port(0, "far").await.expect("a port");
    let mut silent = dial(&forward).await;
    let far = soon("accepting", listener.accept()).await.expect("a stream");
    // A client that has said everything, a far end that goes away, and neither says more.
    let mut finished = dial(&forward).await;
    let far_too = soon("accepting", listener.accept()).await.expect("a stream");
    until("both are open", || forward.counts().open == 2).await;
    finished.shutdown().await.expect("finished");
    drop((far, far_too));
    assert_eq!(soon("the end", silent.read(&mut [0])).await.expect("an end"), 0);
    until("both have ended", || forward.counts().open == 0).await;
    let port = format!(":{:04X}", forward.local_addr().expect("TCP").port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the system's table");
    let left = table.lines().filter(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        columns[1].ends_with(&port) && columns[3] == "08"
    });
    assert_eq!(left.count(), 0, "{table}");
}

/// The answer is longer than what the system's buffers take, so that a part of it waits in the forward.
#[tokio::test]
async fn what_the_far_end_said_before_it_left_is_not_cut_off_by_what_the_client_still_sends() {
    const ANSWER: usize = 24 << 20;
    let wide = StreamSettings::new().first_window(2 * ANSWER).max_buffered(4 * ANSWER);
    let (here, there) = ends_with(1 << 16, &wide);
    let (said, mut heard) = tokio::sync::mpsc::unbounded_channel();
    there.factories.serve("curt", move |mut stream: Stream| {
        let said = said.clone();
        async move {
            stream.read_exact(&mut [0; 1]).await.expect("a byte");
            stream.write_all(&pattern(ANSWER)).await.expect("an answer");
            drop(stream);
            said.send(()).expect("a test");
        }
    });
    let forward = here.multiplexer.forward_port(0, "curt").await.expect("a port");
    let (mut reader, mut writer) = dial(&forward).await.into_split();
    writer.write_all(b"?").await.expect("sent");
    soon("the answer", heard.recv()).await.expect("said");
    until("the far end is gone", || there.multiplexer.streams() == 0 && here.multiplexer.streams() == 0).await;
    for _ in 0..20 {
        writer.write_all(&[1; 1000]).await.expect("still sent");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut got = vec![0; ANSWER];
    soon("the answer", reader.read_exact(&mut got)).await.expect("all of it");
    assert!(got == pattern(ANSWER));
}

#[tokio::test]
async fn a_unix_socket_is_forwarded() {
    let (here, there) = ends();
    there.factories.serve("echo", echo);
    let path = std::env::temp_dir().join(format!("amp-forward-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let forward = here.multiplexer.forward_unix(&path, "echo").expect("a socket");
    assert_eq!(forward.local_addr(), None);
    let socket = UnixStream::connect(&path).await.expect("somebody listens");
    assert_eq!(exchange(socket, b"hello").await, b"hello");
    assert_eq!(forward.counts().sent, 5);
    drop(forward);
    until("the path is taken away", || !path.exists()).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_forward_and_a_target_take_abstract_unix_sockets() {
    let (here, there) = ends();
    let (near, far) = ["near", "far"].map(|end| format!("\0amp-{end}-{}", std::process::id())).into();
    let listener = tokio::net::UnixListener::bind(&far).expect("a new name");
    there.factories.insert("far", Target::unix(&far));
    let forward = here.multiplexer.forward_unix(&near, "far").expect("a new name");
    let mut socket = UnixStream::connect(&near).await.expect("somebody listens");
    let (mut reached, _) = listener.accept().await.expect("the target connects");
    reached.write_all(b"hello").await.expect("it is open");
    let mut got = [0; 5];
    socket.read_exact(&mut got).await.expect("it is open");
    assert_eq!(&got, b"hello");
    drop(forward);
}

#[tokio::test]
async fn a_target_that_reads_nothing_does_not_keep_a_stream_after_the_connection_is_dead() {
    let (here, there) = ends();
    let hung = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::tcp(hung.local_addr().unwrap().to_string());
    there.factories.insert("hung", target.clone());
    let (stream, socket) = tokio::join!(here.connect("hung"), hung.accept());
    let (mut stream, _socket) = (stream, socket.unwrap());
    let _ = timeout(Duration::from_secs(2), stream.write_all(&vec![1; 30 << 20])).await;
    drop(stream);
    here.connection.abort();
    there.connection.closed().await;
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(target.counts().open, 0, "the socket to the target stays, for ever");
}

#[tokio::test]
async fn a_forward_ends_with_its_connection_though_a_client_reads_nothing() {
    let (here, there) = ends();
    there.factories.serve("source", |mut stream: Stream| async move {
        let _ = stream.write_all(&vec![1; 30 << 20]).await;
    });
    let forward = here.multiplexer.forward_port(0, "source").await.unwrap();
    let _client = TcpStream::connect(forward.local_addr().unwrap()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    here.connection.abort();
    assert!(timeout(Duration::from_secs(6), forward.closed()).await.is_ok(), "{:?}", forward.counts());
}

#[tokio::test]
async fn a_forward_of_a_multiplexer_without_a_connection_is_an_error() {
    let (here, _there) = ends();
    here.connection.abort();
    drop(here.connection);
    let error = here.multiplexer.forward_port(0, "x").await.expect_err("there is no connection any more");
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
}

#[tokio::test]
async fn a_closed_target_refuses_and_its_streams_go_on() {
    let (here, there) = ends();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let target = Target::tcp(listener.local_addr().expect("TCP").to_string());
    there.factories.insert("target", target.clone());
    let (mut stream, accepted) = tokio::join!(here.connect("target"), listener.accept());
    let (mut socket, _) = accepted.expect("a socket");
    target.close();
    assert!(here.multiplexer.connect("target").await.is_err());
    assert!(timeout(Duration::from_millis(50), target.closed()).await.is_err(), "a stream is open");
    socket.write_all(b"still here").await.expect("written");
    assert_eq!(read_exactly(&mut stream, 10).await, b"still here");
    drop((stream, socket));
    soon("the last stream", target.closed()).await;
    assert_eq!((target.counts().open, target.counts().refused), (0, 1));
}

/// A target that resets its connection behind a few bytes, and the client of a port that leads to it.
#[tokio::test]
async fn a_broken_target_does_not_look_whole_at_the_other_end() {
    let (here, there) = ends();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    there.factories.insert("target", Target::tcp(listener.local_addr().expect("TCP").to_string()));
    let forward = here.multiplexer.forward_port(0, "target").await.expect("a port");
    let mut client = dial(&forward).await;
    let (mut socket, _) = listener.accept().await.expect("a socket");
    socket.write_all(b"half").await.expect("written");
    let mut got = [0; 4];
    soon("half", client.read_exact(&mut got)).await.expect("half");
    socket.set_zero_linger().expect("set");
    drop(socket);
    let error = soon("the end", client.read(&mut got)).await.expect_err("no end in order");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_forward_that_is_dropped_or_whose_connection_ends_resets_its_sockets() {
    for end in [true, false] {
        let (here, there) = ends();
        there.factories.serve("echo", echo);
        let forward = here.multiplexer.forward_port(0, "echo").await.expect("a port");
        let mut client = dial(&forward).await;
        client.write_all(b"x").await.expect("written");
        soon("the echo", client.read(&mut [0])).await.expect("it leads there");
        if end {
            here.connection.abort();
        } else {
            drop(forward);
        }
        let error = soon("the end", client.read(&mut [0])).await.expect_err("no end in order");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn a_forward_tells_when_its_address_is_free_though_streams_go_on() {
    let (here, there) = ends();
    there.factories.serve("echo", echo);
    let forward = here.multiplexer.forward_port(0, "echo").await.expect("a port");
    let port = forward.local_addr().expect("TCP").port();
    let mut client = dial(&forward).await;
    client.write_all(b"x").await.expect("written");
    soon("the echo", client.read(&mut [0])).await.expect("it leads there");
    forward.close();
    soon("the port", forward.released()).await;
    let next = here.multiplexer.forward_port(port, "echo").await.expect("the port is free");
    client.write_all(b"y").await.expect("written");
    soon("the echo", client.read(&mut [0])).await.expect("it goes on");
    drop(next);
}

#[tokio::test]
async fn a_forward_keeps_its_connection_open() {
    let (here, there) = ends();
    there.factories.serve("echo", echo);
    let forward = here.multiplexer.forward_port(0, "echo").await.expect("a port");
    drop(here);
    assert_eq!(exchange(dial(&forward).await, b"hello").await, b"hello");
    let closed = there.connection.closed();
    drop((forward, there));
    soon("the end", closed).await;
}
