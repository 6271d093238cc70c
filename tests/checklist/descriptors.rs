//! Rule 63: any two descriptors will do, and a child may have its connection on any.

use std::fs::File;
use std::io::{ErrorKind, PipeReader, PipeWriter};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::time::Duration;

use amp::connection::ConnectionBuilder;
use amp::{Connection, Peer};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::stat::Mode;
use tokio::process::Command as Process;

use crate::commands::{House, sum};
use crate::raw_peer::{ended, soon};
use crate::transports::{house, works};

fn pipe() -> (PipeReader, PipeWriter) {
    std::io::pipe().expect("a pipe")
}

fn both(socket: impl Into<OwnedFd>) -> [OwnedFd; 2] {
    let socket = socket.into();
    [socket.try_clone().expect("a descriptor"), socket]
}

/// Two ends, on two pipes; on a pipe and a socket; on one unix socket; on one TCP socket.
fn ends() -> Vec<[[OwnedFd; 2]; 2]> {
    let ((read_a, write_b), (read_b, write_a)) = (pipe(), pipe());
    let pipes = [[read_a.into(), write_a.into()], [read_b.into(), write_b.into()]];
    let ((read_a, write_b), (read_b, write_a)) = (pipe(), UnixStream::pair().expect("two sockets"));
    let mixed = [[read_a.into(), write_a.into()], [read_b.into(), write_b.into()]];
    let (a, b) = UnixStream::pair().expect("two sockets");
    let unix = [both(a), both(b)];
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let a = TcpStream::connect(listener.local_addr().expect("an address")).expect("somebody listens");
    let tcp = [both(a), both(listener.accept().expect("a connection").0)];
    vec![pipes, mixed, unix, tcp]
}

#[tokio::test]
async fn rule_63_over_any_two_descriptors_whose_flags_stay_as_they_are() {
    for [[read_a, write_a], [read_b, write_b]] in ends() {
        let shared = [&read_a, &write_a, &read_b, &write_b].map(|it| it.try_clone().expect("a descriptor"));
        let one = house().pipes(read_a, write_a).expect("two descriptors");
        let other = house().pipes(read_b, write_b).expect("two descriptors");
        assert_eq!(soon("a call", one.call(sum())).await.expect("an answer").total, 3);
        for shared in shared {
            let flags = OFlag::from_bits_retain(fcntl(&shared, FcntlArg::F_GETFL).expect("flags"));
            assert!(!flags.contains(OFlag::O_NONBLOCK), "{flags:?}");
        }
        works(one, other).await;
    }
}

/// The descriptor that a parent hands over stays open in a program that is started, unless it is marked.
#[tokio::test]
async fn a_program_that_is_started_meanwhile_inherits_no_descriptor_of_a_connection() {
    let (ours, _theirs) = UnixStream::pair().expect("two sockets");
    let number = ours.as_raw_fd();
    fcntl(&ours, FcntlArg::F_SETFD(FdFlag::empty())).expect("a flag");
    let (other_read, _write) = pipe();
    let _connection = Connection::builder().pipes(other_read, ours).expect("two descriptors");
    let mut process = Process::new("test");
    let status = soon("the program ends", process.args(["-e", &format!("/proc/self/fd/{number}")]).status()).await;
    assert_eq!(status.expect("test").code(), Some(1));
}

#[tokio::test]
async fn descriptors_that_cannot_carry_a_connection_are_refused() {
    let refused = |read: OwnedFd, write: OwnedFd| {
        Connection::builder().pipes(read, write).expect_err("this cannot carry a connection").kind()
    };
    let ((read, write), (other_read, other_write)) = (pipe(), pipe());
    assert_eq!(refused(write.into(), other_write.into()), ErrorKind::InvalidInput);
    assert_eq!(refused(read.into(), other_read.into()), ErrorKind::InvalidInput);
    let (a, b) = UnixDatagram::pair().expect("two sockets");
    assert_eq!(refused(a.into(), b.into()), ErrorKind::InvalidInput);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let unix = UnixListener::bind(directory.path().join("socket")).expect("a socket");
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
    for [read, write] in [both(unix), both(tcp)] {
        assert_eq!(refused(read, pipe().1.into()), ErrorKind::InvalidInput);
        assert_eq!(refused(pipe().0.into(), write), ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn the_end_of_a_named_pipe_whose_writers_were_gone_before_is_seen() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("pipe");
    nix::unistd::mkfifo(&path, Mode::S_IRWXU).expect("a named pipe");
    let both = File::options().read(true).write(true).open(&path).expect("a reader and a writer");
    let read = File::open(&path).expect("a reader");
    drop(both);
    let (_read, write) = pipe();
    let connection = Connection::builder().pipes(read, write).expect("two pipes");
    assert_eq!(ended(&connection).await, "ClosedByPeer");
}

/// As a shell opens it with `<>`, so that it neither waits for the other end nor ends when that goes.
#[tokio::test]
async fn a_named_pipe_that_is_open_for_reading_and_writing_has_no_end() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let [ask, answer] = ["ask", "answer"].map(|name| directory.path().join(name));
    let [read, write] = [&ask, &answer].map(|path| {
        nix::unistd::mkfifo(path, Mode::S_IRWXU).expect("a named pipe");
        File::options().read(true).write(true).open(path).expect("a reader and a writer")
    });
    let agent = house().pipes(read, write).expect("two pipes");
    for _ in 0..2 {
        let other_write = File::options().write(true).open(&ask).expect("a reader is there");
        let other_read = File::open(&answer).expect("a writer is there");
        let other = Connection::builder().pipes(other_read, other_write).expect("two pipes");
        assert_eq!(soon("a call", other.call(sum())).await.expect("an answer").total, 3);
        other.close();
        assert_eq!(ended(&other).await, "Closed");
        // Time to see an end that would be one for the other kind of pipe.
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!agent.is_closed());
    }
}

/// A child that gives every box back, so that this end answers its own asks.
fn echo(reads: i32, writes: i32) -> Process {
    let mut process = Process::new("sh");
    process.args(["-c", &format!("exec cat <&{reads} >&{writes}")]).kill_on_drop(true);
    process
}

#[tokio::test]
async fn rule_63_over_descriptors_of_a_child_other_than_its_standard_streams() {
    for (reads, writes) in [(3, 4), (4, 3), (9, 5), (0, 1)] {
        let (connection, mut child) = house().spawn_on(echo(reads, writes), reads, writes).expect("sh");
        assert_eq!(*connection.peer(), Peer::Process { id: child.id() });
        assert_eq!(soon("a call", connection.call(sum())).await.expect("an answer").total, 3);
        connection.close();
        assert_eq!(ended(&connection).await, "Closed");
        assert!(soon("the child ends", child.wait()).await.expect("a status").success(), "{reads}, {writes}");
    }
}

#[tokio::test]
async fn the_end_of_a_child_is_seen_where_it_has_other_descriptors_too() {
    let mut process = Process::new("sh");
    process.args(["-c", "exit 0"]);
    let (connection, mut child) = Connection::builder().spawn_on(process, 3, 4).expect("sh");
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    soon("the child ends", child.wait()).await.expect("a status");
}

#[tokio::test]
async fn a_child_that_cannot_start_is_an_error_whatever_its_descriptors_are() {
    let builder = ConnectionBuilder::new().locator(House::new().into_locator());
    let free = File::open("/dev/null").expect("a device").as_raw_fd();
    for number in free..free + 12 {
        let process = Process::new("/no/such/program");
        let error = builder.clone().spawn_on(process, number, number + 1).expect_err("there is no such program");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{number}");
    }
    for (reads, writes) in [(3, 3), (-1, 4), (3, i32::MAX)] {
        let error = builder.clone().spawn_on(Process::new("true"), reads, writes).expect_err("no such descriptors");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{reads}, {writes}");
    }
}
