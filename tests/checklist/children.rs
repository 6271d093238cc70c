//! Processes that talk over their standard streams.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use amp::connection::ConnectionBuilder;
use amp::{Command, Connection, Exposed, Reply, Settings, responder};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command as Process};

use crate::commands::House;
use crate::raw_peer::{answer_sum, ask_sum, ended, soon};

/// With such a linger a test would hang where it is awaited.
fn forever() -> ConnectionBuilder {
    let settings = Settings::new().linger(Duration::from_secs(24 * 3600)).close_timeout(Duration::MAX);
    Connection::builder().settings(settings)
}

#[tokio::test]
async fn closing_a_child_closes_its_input_and_takes_no_linger() {
    // `cat` ends when its input is closed, and only then.
    let (connection, mut child) = forever().spawn(&mut Process::new("cat")).expect("cat");
    connection.close();
    assert_eq!(ended(&connection).await, "Closed");
    assert!(soon("the child ends", child.wait()).await.expect("a status").success());
}

#[tokio::test]
async fn closing_a_child_that_lives_on_with_its_output_open_takes_no_linger() {
    let mut process = Process::new("sleep");
    let (connection, mut child) = forever().spawn(process.arg("1000").kill_on_drop(true)).expect("sleep");
    connection.close();
    assert_eq!(ended(&connection).await, "Closed");
    soon("the child is killed", child.kill()).await.expect("it runs");
}

#[tokio::test]
async fn a_child_that_writes_when_its_connection_has_ended_is_not_killed_by_a_broken_pipe() {
    let mut process = Process::new("sh");
    process.args(["-c", "cat > /dev/null; sleep 0.2; echo one; echo two"]);
    let (connection, mut child) = forever().spawn(&mut process).expect("sh");
    connection.close();
    assert_eq!(ended(&connection).await, "Closed");
    let status = soon("the child ends", child.wait()).await.expect("a status");
    assert!(status.success(), "{status}");
}

/// Set where this program runs as the child of a test: what it does.
const ROLE: &str = "AMP_RPC_CHECKLIST_CHILD";
/// Behind what the test harness prints first.
const MARK: &[u8] = b"\nAMP:";

/// This program once more, as a child.
fn child(role: &str) -> Process {
    let mut process = Process::new(std::env::current_exe().expect("the path of this program"));
    process.args(["--exact", "children::a_child_of_these_tests", "--nocapture"]).env(ROLE, role);
    process.stderr(Stdio::null()).kill_on_drop(true);
    process
}

/// Closes the connection at the child's end.
#[derive(Command, Debug)]
struct Bye {
    #[exposed]
    connection: Exposed<Connection>,
}

/// Prints to both, and starts a program that reads and prints to both.
#[derive(Command, Debug)]
struct Print;

struct Closing;

#[responder]
impl Closing {
    async fn bye(&self, command: Bye) -> Reply<Bye> {
        command.connection.close();
        Ok(())
    }

    async fn print(&self, _: Print) -> Reply<Print> {
        println!("from the child");
        eprintln!("to standard error");
        let mut process = Process::new("sh");
        let status = process.args(["-c", "cat; echo from the grandchild; echo to standard error >&2"]).status().await;
        assert!(status.expect("sh").success());
        Ok(())
    }
}

fn bye() -> Bye {
    Bye { connection: Exposed::empty() }
}

#[tokio::test]
async fn a_child_of_these_tests() {
    let Some(role) = std::env::var_os(ROLE) else { return };
    std::io::stdout().write_all(MARK).expect("standard output");
    // What stands in its buffer is flushed when the connection takes the stream.
    let builder = forever().locator((House::new().into_locator(), Closing.into_locator()));
    let connection = builder.stdio().expect("standard streams");
    match role.to_str() {
        Some("closes") => connection.close(),
        Some("asks twice") => {
            let again = Connection::builder().stdio().expect_err("they are taken");
            assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
            connection.close();
        }
        _ => {}
    }
    connection.closed().await;
    if role == "lives on" {
        std::future::pending::<()>().await;
    }
}

/// What the harness of the child's tests says comes first.
fn is_answered(output: &[u8]) {
    let end = [answer_sum("1"), answer_sum("2")].concat();
    assert!(output.ends_with(&end), "{}", output.escape_ascii());
}

fn asks() -> Vec<u8> {
    [ask_sum("1"), ask_sum("2")].concat()
}

#[tokio::test]
async fn stdio_answers_into_a_file() {
    let mut output = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut process = child("answers");
    process.stdin(Stdio::piped()).stdout(output.reopen().expect("the same file"));
    let mut running = process.spawn().expect("this program starts");
    let mut input = running.stdin.take().expect("a pipe");
    input.write_all(&asks()).await.expect("it reads");
    drop(input);
    assert!(soon("the child ends", running.wait()).await.expect("a status").success());
    let mut got = Vec::new();
    output.as_file_mut().read_to_end(&mut got).expect("a file");
    is_answered(&got);
}

#[tokio::test]
async fn stdio_reads_from_a_file() {
    let mut input = tempfile::NamedTempFile::new().expect("a temporary file");
    input.write_all(&asks()).expect("a file");
    let mut process = child("answers");
    process.stdin(File::open(input.path()).expect("the same file")).stdout(Stdio::piped());
    let output = soon("the child ends", process.output()).await.expect("this program starts");
    assert!(output.status.success());
    is_answered(&output.stdout);
}

#[tokio::test]
async fn stdio_ends_at_once_where_standard_input_is_closed() {
    let mut process = in_shell("exec \"$0\" \"$@\" <&-", "answers");
    let output = soon("the child ends", process.output()).await.expect("sh");
    assert!(output.status.success());
    assert!(output.stdout.ends_with(MARK), "{}", output.stdout.escape_ascii());
}

#[tokio::test]
async fn stdio_is_taken_once() {
    let mut process = child("asks twice");
    let status = process.stdin(Stdio::piped()).stdout(Stdio::null()).status();
    assert!(soon("the child ends", status).await.expect("this program starts").success());
}

/// The parent's end of a child: what it reads and writes, and duplicates of what the child has.
struct Parent {
    child: Child,
    read: OwnedFd,
    write: OwnedFd,
    shared: Vec<OwnedFd>,
}

fn pipe() -> (PipeReader, PipeWriter) {
    std::io::pipe().expect("a pipe")
}

fn copy(descriptor: impl AsFd) -> OwnedFd {
    descriptor.as_fd().try_clone_to_owned().expect("a descriptor")
}

impl Parent {
    fn of(role: &str, [its_input, its_output]: [OwnedFd; 2], [read, write]: [OwnedFd; 2]) -> Self {
        Self::with_errors(Stdio::null(), role, [its_input, its_output], [read, write])
    }

    fn with_errors(
        errors: impl Into<Stdio>,
        role: &str,
        [its_input, its_output]: [OwnedFd; 2],
        [read, write]: [OwnedFd; 2],
    ) -> Self {
        let shared = vec![copy(&its_input), copy(&its_output)];
        let mut process = child(role);
        process.stdin(its_input).stdout(its_output).stderr(errors);
        Self { child: process.spawn().expect("this program starts"), read, write, shared }
    }

    /// Whose standard error leads to this end: `2>&1`, one socket for all three as from `inetd`, and the socket of its input.
    fn of_each_kind_with_errors(role: &str) -> [Self; 3] {
        let ((its_input, write), (read, its_output)) = (pipe(), pipe());
        let ends = [its_input.into(), its_output.into()];
        let pipes = Self::with_errors(copy(&ends[1]), role, ends, [read.into(), write.into()]);
        let pair = || UnixStream::pair().expect("two sockets");
        let (theirs, ours) = pair();
        let socket = Self::with_errors(copy(&theirs), role, [copy(&theirs), theirs.into()], [copy(&ours), ours.into()]);
        let ((its_input, write), (read, its_output)) = (pair(), pipe());
        let ends = [its_input.into(), its_output.into()];
        [pipes, socket, Self::with_errors(copy(&ends[0]), role, ends, [read.into(), write.into()])]
    }

    /// Two pipes, a socket for each direction, and one socket for both, as `sshd` gives.
    fn of_each_kind(role: &str) -> [Self; 3] {
        let ((its_input, write), (read, its_output)) = (pipe(), pipe());
        let pipes = Self::of(role, [its_input.into(), its_output.into()], [read.into(), write.into()]);
        let pair = || UnixStream::pair().expect("two sockets");
        let ((its_input, write), (read, its_output)) = (pair(), pair());
        let sockets = Self::of(role, [its_input.into(), its_output.into()], [read.into(), write.into()]);
        let (theirs, ours) = pair();
        [pipes, sockets, Self::of(role, [copy(&theirs), theirs.into()], [copy(&ours), ours.into()])]
    }

    /// Talks to the child, past what its test harness has to say.
    async fn connect(&mut self, builder: ConnectionBuilder) -> Connection {
        let mut read = File::from(copy(&self.read));
        let marked = tokio::task::spawn_blocking(move || {
            let (mut said, mut byte) = (Vec::new(), [0]);
            while !said.ends_with(MARK) {
                read.read_exact(&mut byte).expect("the child says something");
                said.extend(byte);
            }
        });
        soon("the child begins", marked).await.expect("no panic");
        let nothing = || OwnedFd::from(File::open("/dev/null").expect("a device"));
        let (read, write) =
            (std::mem::replace(&mut self.read, nothing()), std::mem::replace(&mut self.write, nothing()));
        builder.pipes(read, write).expect("two descriptors")
    }
}

#[tokio::test]
async fn stdio_talks_over_two_pipes_two_sockets_and_one_socket_for_both() {
    for mut parent in Parent::of_each_kind("answers") {
        parent.shared.clear();
        let connection = parent.connect(forever()).await;
        assert_eq!(soon("a call", connection.call(crate::commands::sum())).await.expect("an answer").total, 3);
        connection.close();
        assert_eq!(ended(&connection).await, "Closed");
        assert!(soon("the child ends", parent.child.wait()).await.expect("a status").success());
    }
}

#[tokio::test]
async fn the_end_of_a_childs_connection_reaches_its_parent_although_the_child_lives_on() {
    for mut parent in Parent::of_each_kind("lives on") {
        parent.shared.clear();
        let connection = parent.connect(forever()).await;
        soon("an answer", connection.call(bye())).await.expect("it is answered before the end");
        assert_eq!(ended(&connection).await, "ClosedByPeer");
        assert!(parent.child.try_wait().expect("a child").is_none(), "it lives on");
        soon("the child is killed", parent.child.kill()).await.expect("it runs");
    }
}

#[tokio::test]
async fn a_child_that_has_closed_ends_although_its_sockets_are_open_elsewhere() {
    let [_, sockets, socket] = Parent::of_each_kind("answers");
    for mut parent in [sockets, socket] {
        let kept = (copy(&parent.read), copy(&parent.write));
        let connection = parent.connect(forever()).await;
        soon("an answer", connection.call(bye())).await.expect("it is answered before the end");
        assert_eq!(ended(&connection).await, "ClosedByPeer");
        assert!(soon("the child ends", parent.child.wait()).await.expect("a status").success());
        drop((kept, parent.shared));
    }
}

#[tokio::test]
async fn a_child_that_has_closed_ends_although_nobody_types_at_its_terminal() {
    let terminal = nix::pty::openpty(None, None).expect("a terminal");
    let mut process = child("closes");
    process.stdin(copy(&terminal.slave)).stdout(copy(&terminal.slave));
    assert!(soon("the child ends", process.status()).await.expect("this program starts").success());
    drop(terminal);
}

/// A child prints, and its connection is none the worse.
async fn prints(mut parent: Parent) {
    parent.shared.clear();
    let connection = parent.connect(forever()).await;
    soon("an answer", connection.call(Print)).await.expect("a child that prints");
    assert_eq!(soon("a call", connection.call(crate::commands::sum())).await.expect("an answer").total, 3);
    connection.close();
    assert_eq!(ended(&connection).await, "Closed");
    assert!(soon("the child ends", parent.child.wait()).await.expect("a status").success());
}

#[tokio::test]
async fn what_a_child_and_its_own_children_print_goes_to_standard_error() {
    let mut errors = tempfile::NamedTempFile::new().expect("a temporary file");
    let ((its_input, write), (read, its_output)) = (pipe(), pipe());
    let (theirs, ours) = ([its_input.into(), its_output.into()], [read.into(), write.into()]);
    prints(Parent::with_errors(errors.reopen().expect("the same file"), "answers", theirs, ours)).await;
    let mut printed = String::new();
    errors.as_file_mut().read_to_string(&mut printed).expect("text");
    let expected = "from the child\nto standard error\nfrom the grandchild\nto standard error\n";
    assert!(printed.starts_with(expected), "{printed}");
}

#[tokio::test]
async fn what_a_child_prints_does_not_reach_its_peer_through_a_standard_error_that_leads_there() {
    for parent in Parent::of_each_kind_with_errors("answers") {
        prints(parent).await;
    }
}

#[tokio::test]
async fn the_end_of_a_childs_connection_reaches_its_parent_although_its_standard_error_leads_there() {
    for mut parent in Parent::of_each_kind_with_errors("lives on") {
        parent.shared.clear();
        let connection = parent.connect(forever()).await;
        soon("an answer", connection.call(bye())).await.expect("it is answered before the end");
        assert_eq!(ended(&connection).await, "ClosedByPeer");
        assert!(parent.child.try_wait().expect("a child").is_none(), "it lives on");
        soon("the child is killed", parent.child.kill()).await.expect("it runs");
    }
}

#[tokio::test]
async fn whoever_shares_the_standard_streams_never_sees_them_become_non_blocking() {
    for mut parent in Parent::of_each_kind("answers") {
        let connection = parent.connect(forever()).await;
        assert_eq!(soon("a call", connection.call(crate::commands::sum())).await.expect("an answer").total, 3);
        for shared in parent.shared.drain(..) {
            let flags = OFlag::from_bits_retain(fcntl(shared, FcntlArg::F_GETFL).expect("flags"));
            assert!(!flags.contains(OFlag::O_NONBLOCK), "{flags:?}");
        }
        connection.close();
        soon("the child ends", parent.child.wait()).await.expect("a status");
    }
}

/// A script in which `"$0" "$@"` is this program as a child.
fn in_shell(script: &str, role: &str) -> Process {
    let agent = child(role);
    let mut process = Process::new("sh");
    process.args(["-c", script]).arg(agent.as_std().get_program()).args(agent.as_std().get_args()).env(ROLE, role);
    process.stderr(Stdio::null()).kill_on_drop(true);
    process
}

#[tokio::test]
async fn a_program_that_writes_behind_an_agent_loses_nothing() {
    let script = "(\"$0\" \"$@\" < /dev/null; seq 1 100000) | (sleep 1; tail -n 1)";
    let output = soon("the script ends", in_shell(script, "answers").output()).await.expect("sh");
    assert_eq!(output.stdout.escape_ascii().to_string(), "100000\\n");
}

#[tokio::test]
async fn a_program_that_reads_behind_an_agent_gets_what_comes_later() {
    let mut process = in_shell("\"$0\" \"$@\" > /dev/null; echo ended; cat; echo $?", "closes");
    let mut running = process.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("sh");
    let mut output = tokio::io::BufReader::new(running.stdout.take().expect("a pipe"));
    let mut line = String::new();
    soon("the agent ends", tokio::io::AsyncBufReadExt::read_line(&mut output, &mut line)).await.expect("text");
    assert_eq!(line, "ended\n");
    // `cat` has time to find nothing there, which is an error where the description is non-blocking.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut input = running.stdin.take().expect("a pipe");
    input.write_all(b"later\n").await.expect("cat reads");
    drop(input);
    let mut rest = String::new();
    soon("the script ends", tokio::io::AsyncReadExt::read_to_string(&mut output, &mut rest)).await.expect("text");
    assert_eq!(rest, "later\n0\n");
}
