//! Rule 63: any byte stream will do.

use std::fs::File;
use std::io::{ErrorKind, PipeReader, PipeWriter};
use std::os::fd::AsRawFd;
use std::process::Stdio;

use amp::connection::{ConnectionBuilder, pair};
use amp::{Connection, Peer, Server};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::process::Command as Process;

use crate::commands::{CallBack, House, sum};
use crate::raw_peer::{ended, soon};

pub(crate) fn house() -> ConnectionBuilder {
    Connection::builder().locator(House::new().into_locator())
}

/// Both ends call and answer, and the end of one is the end of the other.
pub(crate) async fn works(one: Connection, other: Connection) {
    for connection in [&one, &other] {
        assert_eq!(soon("a call", connection.call(sum())).await.expect("an answer").total, 3);
        let there_and_back = CallBack { connection: amp::Exposed::empty() };
        assert_eq!(soon("a call back", connection.call(there_and_back)).await.expect("an answer").total, 3);
    }
    one.close();
    assert_eq!((ended(&one).await, ended(&other).await), ("Closed".into(), "ClosedByPeer".into()));
}

#[tokio::test]
async fn rule_63_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (dialled, accepted) = tokio::join!(house().connect_tcp(address), listener.accept());
    let (stream, from) = accepted.expect("a connection");
    let (one, other) = (dialled.expect("connected"), house().start_tcp(stream).expect("connected"));
    assert_eq!(one.peer().to_string(), address.to_string());
    assert!(matches!(other.peer(), Peer::Tcp { address, .. } if *address == from), "{:?}", other.peer());
    works(one, other).await;
}

#[tokio::test]
async fn rule_63_over_tcp_accepted_by_a_server() {
    let locator = |_: &amp::connection::NewConnection| House::new().into_locator();
    let server = Server::builder().bind_tcp("127.0.0.1:0", locator).await.expect("a free port");
    let stream = TcpStream::connect(server.local_addr().expect("an address")).await.expect("the server listens");
    let connection = house().start_tcp(stream).expect("connected");
    assert_eq!(
        soon("a call", connection.call(CallBack { connection: amp::Exposed::empty() })).await.expect("an answer").total,
        3
    );
}

#[tokio::test]
async fn rule_63_over_a_unix_socket_with_the_peers_credentials() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("amp.sock");
    let listener = UnixListener::bind(&path).expect("a new path");
    let (dialled, accepted) = tokio::join!(house().connect_unix(&path), listener.accept());
    let (one, other) = (dialled.expect("connected"), house().start_unix(accepted.expect("a connection").0));
    for connection in [&one, &other] {
        match connection.peer() {
            Peer::Unix { path: Some(at), credentials: Some(credentials), .. } => {
                assert_eq!(at, &path);
                assert_eq!(credentials.process, i32::try_from(std::process::id()).ok());
            }
            other => panic!("{other:?}"),
        }
    }
    works(one, other).await;
}

#[tokio::test]
async fn rule_63_over_a_unix_socket_accepted_by_a_server() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("amp.sock");
    let server = Server::builder().bind_unix(&path, |_| House::new().into_locator()).expect("a new path");
    let connection = house().connect_unix(&path).await.expect("the server listens");
    assert_eq!(soon("a call", connection.call(sum())).await.expect("an answer").total, 3);
    server.close();
    soon("the server ends", server.closed()).await;
    assert!(!path.exists(), "the path is taken away");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_abstract_unix_socket_is_bound_named_and_free_again_when_the_server_has_closed() {
    let name = format!("\0amp\n{}", std::process::id());
    // Twice: the name is free again.
    for _ in 0..2 {
        let server = Server::builder().bind_unix(&name, |new| {
            assert_eq!(new.peer().to_string(), format!("unix:@amp\\n{}", std::process::id()));
            House::new().into_locator()
        });
        let server = server.expect("a new name");
        let connection = house().connect_unix(&name).await.expect("the server listens");
        let named = matches!(connection.peer(), Peer::Unix { path: Some(path), .. } if path.as_os_str() == &*name);
        assert!(named, "{:?}", connection.peer());
        assert_eq!(soon("a call", connection.call(sum())).await.expect("an answer").total, 3);
        server.close();
        soon("the server ends", server.closed()).await;
    }
}

#[tokio::test]
async fn a_server_takes_no_path_away_that_leads_to_another() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("amp.sock");
    let first = Server::builder().bind_unix(&path, |_| ()).expect("a new path");
    std::fs::remove_file(&path).expect("it is there");
    let second = Server::builder().bind_unix(&path, |_| ()).expect("a new path");
    first.close();
    soon("the first ends", first.closed()).await;
    assert!(path.exists());
    drop(second);
}

#[tokio::test]
async fn rule_63_over_a_pair_of_unix_sockets_without_a_path() {
    let (a, b) = UnixStream::pair().expect("two sockets");
    works(house().start_unix(a), house().start_unix(b)).await;
}

#[tokio::test]
async fn rule_63_in_memory() {
    let (one, other) = pair(house(), house());
    works(one, other).await;
}

#[tokio::test]
async fn rule_63_over_two_pipes_that_were_inherited_by_their_numbers() {
    let open = || std::io::pipe().expect("a pipe");
    let ((read_a, write_b), (read_b, write_a)) = (open(), open());
    // As a child finds its descriptors 3 and 4: by a path that names the number.
    let path = |number: &dyn AsRawFd| format!("/dev/fd/{}", number.as_raw_fd());
    let to_read = |pipe: PipeReader| File::open(path(&pipe)).expect("a pipe to read");
    let to_write = |pipe: PipeWriter| File::options().write(true).open(path(&pipe)).expect("a pipe to write");
    let (read_a, write_a) = (to_read(read_a), to_write(write_a));
    let one = house().pipes(read_a, write_a).expect("two pipes");
    let other = house().pipes(read_b, write_b).expect("two pipes");
    works(one, other).await;
}

#[tokio::test]
async fn rule_63_over_the_pipes_of_a_child_process() {
    // `cat` gives every box back, so this end answers its own asks.
    let mut process = Process::new("cat");
    let (connection, mut child) = house().spawn(process.stderr(Stdio::null())).expect("cat is there");
    assert!(matches!(connection.peer(), Peer::Process { id: Some(_), .. }), "{:?}", connection.peer());
    assert_eq!(soon("a call", connection.call(sum())).await.expect("an answer").total, 3);
    connection.close();
    assert_eq!(ended(&connection).await, "Closed");
    assert!(soon("the child ends with its pipes", child.wait()).await.expect("a status").success());
}

#[tokio::test]
async fn rule_63_over_the_descriptors_3_and_4_of_a_child_process() {
    let mut process = Process::new("sh");
    process.args(["-c", "exec 3<&0 4>&1 </dev/null >/dev/null; exec cat <&3 >&4"]);
    let (connection, mut child) = house().spawn(&mut process).expect("sh is there");
    assert_eq!(soon("a call", connection.call(sum())).await.expect("an answer").total, 3);
    soon("the child is killed", child.kill()).await.expect("it runs");
    assert_eq!(ended(&connection).await, "ClosedByPeer");
}

/// The system's errors do not say what they are about.
#[tokio::test]
async fn what_cannot_be_reached_or_bound_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("it is bound");
    let error = Server::builder().bind_tcp(address, |_| ()).await.expect_err("the port is taken");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    assert!(error.to_string().starts_with(&format!("cannot listen on {address}: ")), "{error}");
    drop(taken);
    let error = Connection::builder().connect_tcp(address).await.expect_err("nothing accepts there");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(error.to_string().starts_with(&format!("cannot connect to {address}: ")), "{error}");
    let error = Connection::builder().connect_tcp(&[][..]).await.expect_err("no address");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[cfg(unix)]
#[tokio::test]
async fn a_socket_file_that_cannot_be_reached_or_bound_is_named() {
    let path = std::env::temp_dir().join(format!("amp-no-folder-{}/s", std::process::id()));
    let error = Connection::builder().connect_unix(&path).await.expect_err("there is no file");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().starts_with(&format!("cannot connect to {path:?}: ")), "{error}");
    let error = Server::builder().bind_unix(&path, |_| ()).expect_err("there is no folder");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().starts_with(&format!("cannot listen on {path:?}: ")), "{error}");
}
