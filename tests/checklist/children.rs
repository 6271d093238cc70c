//! Processes that talk over their standard streams.

use std::fs::File;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use amp::{Connection, Settings};
use tokio::process::Command as Process;

use crate::commands::House;
use crate::raw_peer::{answer_sum, ask_sum, ended, soon};

#[tokio::test]
async fn closing_a_child_closes_its_input_and_takes_no_linger() {
    // Were it awaited, this test would hang. `cat` ends when its input is closed, and only then.
    let settings = Settings::new().linger(Duration::from_secs(24 * 3600)).close_timeout(Duration::MAX);
    let (connection, mut child) =
        Connection::builder().settings(settings).spawn(&mut Process::new("cat")).expect("cat");
    connection.close();
    assert_eq!(ended(&connection).await, "Closed");
    assert!(soon("the child ends", child.wait()).await.expect("a status").success());
}

/// Set where this program runs as the child of a test.
const CHILD: &str = "AMP_RPC_CHECKLIST_CHILD";

/// This program once more, as a child that only answers.
fn child() -> Process {
    let mut process = Process::new(std::env::current_exe().expect("the path of this program"));
    process.args(["--exact", "children::a_child_of_these_tests_answers", "--nocapture"]).env(CHILD, "yes");
    process.stderr(Stdio::null()).kill_on_drop(true);
    process
}

#[tokio::test]
async fn a_child_of_these_tests_answers() {
    if std::env::var_os(CHILD).is_some() {
        let connection = Connection::builder().locator(House::new().into_locator()).stdio().expect("standard streams");
        connection.closed().await;
        // What the test harness would say now is no box.
        std::process::exit(0);
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
    let mut process = child();
    process.stdin(Stdio::piped()).stdout(output.reopen().expect("the same file"));
    let mut running = process.spawn().expect("this program starts");
    let mut input = running.stdin.take().expect("a pipe");
    tokio::io::AsyncWriteExt::write_all(&mut input, &asks()).await.expect("it reads");
    drop(input);
    assert!(soon("the child ends", running.wait()).await.expect("a status").success());
    let mut got = Vec::new();
    std::io::Read::read_to_end(output.as_file_mut(), &mut got).expect("a file");
    is_answered(&got);
}

#[tokio::test]
async fn stdio_reads_from_a_file() {
    let mut input = tempfile::NamedTempFile::new().expect("a temporary file");
    input.write_all(&asks()).expect("a file");
    let mut process = child();
    process.stdin(File::open(input.path()).expect("the same file")).stdout(Stdio::piped());
    let output = soon("the child ends", process.output()).await.expect("this program starts");
    assert!(output.status.success());
    is_answered(&output.stdout);
}

#[tokio::test]
async fn stdio_talks_over_two_pipes_and_over_one_socket_for_both() {
    let mut process = child();
    process.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = process.spawn().expect("this program starts");
    let mut input = running.stdin.take().expect("a pipe");
    tokio::io::AsyncWriteExt::write_all(&mut input, &asks()).await.expect("it reads");
    drop(input);
    is_answered(&soon("the child ends", running.wait_with_output()).await.expect("a status").stdout);

    let (ours, theirs) = std::os::unix::net::UnixStream::pair().expect("two sockets");
    let mut process = child();
    process.stdin(std::os::fd::OwnedFd::from(theirs.try_clone().expect("a descriptor")));
    process.stdout(std::os::fd::OwnedFd::from(theirs));
    let mut running = process.spawn().expect("this program starts");
    drop(process);
    (&ours).write_all(&asks()).expect("it reads");
    ours.shutdown(std::net::Shutdown::Write).expect("a socket");
    assert!(soon("the child ends", running.wait()).await.expect("a status").success());
    let mut got = Vec::new();
    std::io::Read::read_to_end(&mut &ours, &mut got).expect("a socket");
    is_answered(&got);
}
