//! What the users of a forward's local sockets see of ends, in order and in the middle.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::process::{Child, Command as Process, Stdio};
use std::time::Duration;

use amp_core::Settings;
use amp_multiplex::{Forward, Stream, StreamSettings, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::support::{End, ends, path, pattern, soon, until};

/// Set where this program runs as the child of a test: where its target is.
const TARGET: &str = "AMP_MULTIPLEX_STREAMS_TARGET";
/// Before the address on which the child listens, behind what the test harness prints first.
const MARK: &str = "AMP:";

/// A forwarded port with both of its ends in one process, which exits when its standard input ends.
#[tokio::test]
async fn a_child_of_these_tests() {
    let Ok(target) = std::env::var(TARGET) else { return };
    let (here, there) = ends();
    there.factories.insert("target", Target::tcp(target));
    let forward = here.multiplexer.forward_port(0, "target").await.expect("a port");
    let mut output = std::io::stdout();
    writeln!(output, "\n{MARK}{}", forward.local_addr().expect("TCP")).expect("standard output");
    let waiting = tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    waiting.await.expect("no panic").expect("standard input");
    std::process::exit(0);
}

/// The child, and the port on which it listens.
fn start(target: &TcpListener) -> (Child, String) {
    let mut process = Process::new(std::env::current_exe().expect("the path of this program"));
    process.args(["--exact", "sockets::a_child_of_these_tests", "--nocapture"]);
    process.env(TARGET, target.local_addr().expect("TCP").to_string());
    process.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = process.spawn().expect("this program starts");
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut said = output.lines().map(|line| line.expect("text"));
    let address = said.find_map(|line| line.strip_prefix(MARK).map(str::to_owned)).expect("it listens");
    (child, address)
}

#[tokio::test]
async fn a_process_that_ends_with_a_forward_in_the_middle_resets_its_sockets() {
    for killed in [true, false] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let (mut child, address) = start(&listener);
        let mut client = TcpStream::connect(address).await.expect("it listens");
        let (mut target, _) = soon("the target", listener.accept()).await.expect("a socket");
        client.write_all(b"half").await.expect("written");
        soon("half", target.read_exact(&mut [0; 4])).await.expect("half");
        target.write_all(b"half").await.expect("written");
        soon("half", client.read_exact(&mut [0; 4])).await.expect("half");
        if killed {
            child.kill().expect("it runs");
        } else {
            drop(child.stdin.take());
        }
        for mut socket in [client, target] {
            let error = soon("the end", socket.read(&mut [0])).await.expect_err("no end in order");
            assert_eq!(error.kind(), ErrorKind::ConnectionReset, "killed: {killed}");
        }
        child.wait().expect("a status");
    }
}

/// As much as the system takes of a socket whose other end reads nothing.
const ANSWER: usize = 1 << 20;

/// A far end that answers the first byte, ends, and leaves.
async fn curt(there: &End, here: &End) -> Forward {
    there.factories.serve("curt", |mut stream: Stream| async move {
        stream.read_exact(&mut [0; 1]).await.expect("a byte");
        stream.write_all(&pattern(ANSWER)).await.expect("an answer");
        stream.shutdown().await.expect("an end");
    });
    here.multiplexer.forward_port(0, "curt").await.expect("a port")
}

/// A client whose end of the socket has little room.
async fn narrow(forward: &Forward) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(16 << 10).expect("set");
    soon("dialling", socket.connect(forward.local_addr().expect("TCP"))).await.expect("somebody listens")
}

#[tokio::test]
async fn an_end_in_order_is_one_for_a_client_that_reads_after_its_forward_has_ended() {
    let (here, there) = ends();
    let forward = curt(&there, &here).await;
    let mut client = narrow(&forward).await;
    client.write_all(b"?").await.expect("sent");
    until("the stream has begun", || forward.counts().total == 1).await;
    until("the stream has ended", || forward.counts().open == 0).await;
    assert_eq!(forward.counts().received, ANSWER as u64, "what is not read stands in the socket");
    let mut got = Vec::new();
    soon("the answer", client.read_to_end(&mut got)).await.expect("an end in order");
    assert!(got == pattern(ANSWER));
}

/// A socket that is closed while it has bytes to read is reset, and what waits in it to be sent is lost.
#[tokio::test]
async fn a_client_that_goes_on_sending_gets_all_of_an_answer_that_ended_long_before() {
    let (here, there) = ends();
    let forward = curt(&there, &here).await;
    let (mut reader, mut writer) = narrow(&forward).await.into_split();
    writer.write_all(b"?").await.expect("sent");
    until("the answer stands in the socket", || forward.counts().received == ANSWER as u64).await;
    until("the far end is gone", || there.multiplexer.streams() == 0 && here.multiplexer.streams() == 0).await;
    for _ in 0..60 {
        writer.write_all(b"u").await.expect("still sent");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut got = Vec::new();
    soon("the answer", reader.read_to_end(&mut got)).await.expect("an end in order");
    assert!(got == pattern(ANSWER));
    drop(writer);
    until("the stream has ended", || forward.counts().open == 0).await;
}

/// What ends the stream of an upload in the middle, and whether the client's socket is reset then.
#[tokio::test]
async fn a_client_whose_upload_is_lost_behind_a_whole_answer_is_reset_and_one_that_is_refused_is_not() {
    for (how, lost) in
        [("the connection is lost here", true), ("the connection is lost there", true), ("the peer has left", false)]
    {
        let (here, there) = ends();
        let (leave, mut left) = tokio::sync::watch::channel(false);
        let leaves = left.clone();
        there.factories.serve("drop box", move |mut stream: Stream| {
            let mut leaves = leaves.clone();
            async move {
                stream.write_all(b"ready").await.expect("written");
                stream.shutdown().await.expect("said");
                let mut some = [0; 100];
                while tokio::select! {
                    biased;
                    _ = leaves.wait_for(|leaves| *leaves) => false,
                    read = stream.read(&mut some) => read.is_ok_and(|read| read > 0),
                } {}
            }
        });
        let forward = here.multiplexer.forward_port(0, "drop box").await.expect("a port");
        let mut client = TcpStream::connect(forward.local_addr().expect("TCP")).await.expect("it listens");
        let mut answer = Vec::new();
        soon("the answer", client.read_to_end(&mut answer)).await.expect("whole");
        assert_eq!(answer, b"ready");
        client.write_all(&[1; 1000]).await.expect("written");
        match how {
            "the connection is lost here" => here.connection.abort(),
            "the connection is lost there" => there.connection.abort(),
            _ => {
                leave.send_replace(true);
                soon("it leaves", left.wait_for(|left| *left)).await.expect("set");
            }
        }
        // A client that goes on, and ends.
        let mut result = Ok(());
        for _ in 0..200 {
            result = soon("the upload", client.write_all(&[2; 100_000])).await;
            if result.is_err() {
                break;
            }
        }
        if result.is_ok() {
            result = client.shutdown().await;
            until("the socket is closed", || forward.counts().open == 0).await;
            result = result.and(client.take_error().map(|error| error.map_or(Ok(()), Err)).and_then(|error| error));
        }
        assert_eq!(result.is_err(), lost, "{how}: {result:?}");
    }
}

#[tokio::test]
async fn a_client_that_waits_when_its_upload_is_lost_is_reset_if_the_peer_has_not_taken_all_of_it() {
    for taken in [false, true] {
        let (here, there) = ends();
        there.factories.serve("drop box", move |mut stream: Stream| async move {
            stream.write_all(b"ready").await.expect("written");
            stream.shutdown().await.expect("said");
            if taken {
                stream.read_exact(&mut [0; 1000]).await.expect("all of it");
            }
            std::future::pending().await
        });
        let forward = here.multiplexer.forward_port(0, "drop box").await.expect("a port");
        let mut client = TcpStream::connect(forward.local_addr().expect("TCP")).await.expect("it listens");
        soon("the answer", client.read_to_end(&mut Vec::new())).await.expect("whole");
        client.write_all(&[1; 1000]).await.expect("written");
        until("it goes up", || forward.counts().sent == 1000).await;
        // The peer takes it, and that is known here.
        tokio::time::sleep(Duration::from_millis(100)).await;
        there.connection.abort();
        until("the socket is closed", || forward.counts().open == 0).await;
        let told = client.take_error().expect("a state");
        assert_eq!(told.is_none(), taken, "{told:?}");
    }
}

/// The end of an upload crosses the end of its stream, which the end of the connection follows.
#[tokio::test]
async fn a_client_whose_upload_was_taken_gets_all_of_an_answer_though_its_end_is_not_known_to_have_come() {
    const ANSWER: usize = 1_500_000;
    let (a, b) = path(Duration::from_millis(100), 1 << 30);
    let end = |transport| End::over(transport, Settings::new(), StreamSettings::new());
    let (here, there) = (end(a), end(b));
    let (connection, (wrote, mut written)) = (there.connection.clone(), tokio::sync::mpsc::channel(1));
    there.factories.serve("server", move |mut stream: Stream| {
        let (connection, wrote) = (connection.clone(), wrote.clone());
        async move {
            stream.read_exact(&mut [0; 1000]).await.expect("the request");
            stream.write_all(&pattern(ANSWER)).await.expect("written");
            wrote.send(()).await.expect("waited for");
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(stream);
            tokio::time::sleep(Duration::from_millis(1)).await;
            connection.abort();
        }
    });
    let forward = here.multiplexer.forward_port(0, "server").await.expect("a port");
    let mut client = TcpStream::connect(forward.local_addr().expect("TCP")).await.expect("it listens");
    client.write_all(&[1; 1000]).await.expect("written");
    soon("the answer is on its way", written.recv()).await.expect("said");
    client.shutdown().await.expect("ended");
    until("all of it came down", || forward.counts().received == ANSWER as u64).await;
    // The client reads when its forward has done with it.
    until("it has ended", || forward.counts().open == 0).await;
    let mut got = Vec::new();
    soon("the answer", client.read_to_end(&mut got)).await.expect("whole");
    assert_eq!(got.len(), ANSWER);
}
