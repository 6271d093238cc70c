//! Parents and their children on the descriptors 3 and 4: ampoule in both roles, and a worker of Twisted's `trial`.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp::connection::ConnectionBuilder;
use amp::{Arguments, Command, Connection, Exposed, Reply, Settings, responder};
use tokio::process::Command as Process;

use crate::harness::{CHILD, python, soon};

#[derive(Arguments, Debug)]
struct Said {
    response: Vec<u8>,
}

#[derive(Command, Debug)]
#[amp(response = Said)]
struct Ping;

#[derive(Command, Debug)]
#[amp(response = Said)]
struct Echo {
    data: Vec<u8>,
}

/// Its answer is the last box: Twisted's `QuitBox`.
#[derive(Command, Debug)]
struct Shutdown {
    #[exposed]
    connection: Exposed<Connection>,
}

/// What ampoule's `AMPChild` answers.
struct AmpouleChild;

#[responder]
impl AmpouleChild {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(Said { response: b"pong".into() })
    }

    async fn echo(&self, Echo { data }: Echo) -> Reply<Echo> {
        Ok(Said { response: data })
    }

    async fn shutdown(&self, command: Shutdown) -> Reply<Shutdown> {
        command.connection.close();
        Ok(())
    }
}

/// With such a linger a test would hang where it is awaited.
fn forever() -> ConnectionBuilder {
    Connection::builder().settings(Settings::new().linger(Duration::from_secs(24 * 3600)))
}

#[tokio::test]
#[ignore = "the child in `rule_63_rust_children_work_in_a_pool_of_ampoule_and_end_when_it_stops`"]
async fn a_child_of_a_pool() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let (read, write) = (File::open("/dev/fd/3").unwrap(), File::options().write(true).open("/dev/fd/4").unwrap());
    let connection = forever().locator(AmpouleChild.into_locator()).pipes(read, write).unwrap();
    connection.closed().await;
}

#[tokio::test]
async fn rule_63_rust_children_work_in_a_pool_of_ampoule_and_end_when_it_stops() {
    let Some((python, script)) = python() else { return };
    let mut pool = Process::new(python);
    pool.arg(script.with_file_name("pool.py")).arg(std::env::current_exe().unwrap());
    pool.args(["--ignored", "--exact", "--nocapture", "workers::a_child_of_a_pool"]).env(CHILD, "1");
    let output = soon(pool.stdin(Stdio::null()).kill_on_drop(true).output()).await.unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let pong = "{'response': b'pong'}\n";
    let expected = format!("{pong}{pong}{pong}{{'response': b'\\x00\\xff'}}\nwell well\n");
    assert_eq!(said, expected, "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn rule_63_a_child_of_ampoule_works_for_rust_and_ends_with_its_quit_box() {
    let Some((python, _)) = python() else { return };
    let bootstrap = Process::new(python).args(["-c", "import ampoule.main as it; print(it.BOOTSTRAP)"]).output();
    let bootstrap = String::from_utf8(soon(bootstrap).await.unwrap().stdout).unwrap();
    let mut process = Process::new(python);
    process.args(["-c", &bootstrap, "select", "ampoule.child.AMPChild"]);
    process.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let (connection, mut child) = forever().spawn_on(process, 3, 4).unwrap();
    // Not `Ping`, whose answer AMPChild cannot send on Python 3.
    assert_eq!(soon(connection.call(Echo { data: vec![0; 60_000] })).await.unwrap().response, [0; 60_000]);
    soon(connection.call(Shutdown { connection: Exposed::empty() })).await.unwrap();
    assert!(matches!(soon(connection.closed()).await, amp::CloseReason::ClosedByPeer));
    assert!(soon(child.wait()).await.unwrap().success(), "it was told to end, and has not lost its parent");
}

/// `twisted.trial._dist.workercommands` and `managercommands`, as far as three tests need them.
#[derive(Arguments, Debug)]
struct Success {
    success: bool,
}

#[derive(Command, Debug)]
#[amp(response = Success)]
struct Start {
    directory: String,
}

#[derive(Command, Debug)]
#[amp(response = Success)]
struct Run {
    #[amp(name = "testCase")]
    test_case: String,
}

#[derive(Command, Debug)]
#[amp(response = Success)]
struct AddSuccess {
    #[amp(name = "testName")]
    test_name: String,
}

#[derive(Command, Debug)]
#[amp(response = Success)]
struct AddSkip {
    #[amp(name = "testName")]
    test_name: String,
    reason: String,
}

#[derive(Command, Debug)]
#[amp(response = Success)]
struct AddFailure {
    #[amp(name = "testName")]
    test_name: String,
    #[amp(name = "failStreamId")]
    fail_stream_id: usize,
    #[amp(name = "failClass")]
    fail_class: String,
    #[amp(name = "framesStreamId")]
    frames_stream_id: usize,
}

#[derive(Command, Debug)]
#[amp(response = Success)]
struct TestWrite {
    out: String,
}

#[derive(Arguments, Debug)]
struct Opened {
    #[amp(name = "streamId")]
    stream_id: usize,
}

#[derive(Command, Debug)]
#[amp(response = Opened)]
struct StreamOpen;

#[derive(Command, Debug)]
struct StreamWrite {
    #[amp(name = "streamId")]
    stream_id: usize,
    data: Vec<u8>,
}

/// What workers report, and what they send in pieces first.
#[derive(Clone, Default)]
struct Manager {
    reports: Arc<Mutex<Vec<String>>>,
    streams: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Manager {
    fn report(&self, report: String) -> Reply<AddSuccess> {
        self.reports.lock().unwrap().push(report);
        Ok(Success { success: true })
    }
}

#[responder]
impl Manager {
    async fn add_success(&self, AddSuccess { test_name }: AddSuccess) -> Reply<AddSuccess> {
        self.report(format!("{test_name} is well"))
    }

    async fn add_skip(&self, AddSkip { test_name, reason }: AddSkip) -> Reply<AddSkip> {
        self.report(format!("{test_name} is skipped: {reason}"))
    }

    async fn add_failure(&self, command: AddFailure) -> Reply<AddFailure> {
        let streams = self.streams.lock().unwrap();
        let text = String::from_utf8_lossy(&streams[command.fail_stream_id]);
        assert!(!streams[command.frames_stream_id].is_empty());
        self.report(format!("{} fails: {}: {text}", command.test_name, command.fail_class))
    }

    async fn test_write(&self, _: TestWrite) -> Reply<TestWrite> {
        Ok(Success { success: true })
    }

    async fn stream_open(&self, _: StreamOpen) -> Reply<StreamOpen> {
        let mut streams = self.streams.lock().unwrap();
        streams.push(Vec::new());
        Ok(Opened { stream_id: streams.len() - 1 })
    }

    async fn stream_write(&self, command: StreamWrite) -> Reply<StreamWrite> {
        self.streams.lock().unwrap()[command.stream_id].extend(command.data);
        Ok(())
    }
}

const CASES: &str = "
from twisted.trial.unittest import SkipTest, TestCase

class Cases(TestCase):
    def test_well(self):
        print('this is not AMP')

    def test_skipped(self):
        raise SkipTest('not today')

    def test_wrong(self):
        self.fail('x' * 100000)
";

fn worker(python: &Path, directory: &Path) -> Process {
    let mut process = Process::new(python);
    process.args(["-m", "twisted.trial._dist.workertrial"]).env("PYTHONPATH", directory);
    process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    process
}

#[tokio::test]
async fn rule_63_a_worker_of_trial_runs_tests_for_rust() {
    let Some((python, _)) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("amp_cases.py"), CASES).unwrap();
    let manager = Manager::default();
    let builder = forever().locator(manager.clone().into_locator());
    let (connection, mut child) = builder.spawn_on(worker(python, directory.path()), 3, 4).unwrap();
    let directory = directory.path().display().to_string();
    assert!(soon(connection.call(Start { directory })).await.unwrap().success);
    for name in ["well", "skipped", "wrong"] {
        let test_case = format!("amp_cases.Cases.test_{name}");
        assert!(soon(connection.call(Run { test_case })).await.unwrap().success, "{name} is reported");
    }
    let expected = [
        "amp_cases.Cases.test_well is well".to_owned(),
        "amp_cases.Cases.test_skipped is skipped: not today".to_owned(),
        format!("amp_cases.Cases.test_wrong fails: twisted.trial.unittest.FailTest: {}", "x".repeat(100_000)),
    ];
    assert!(*manager.reports.lock().unwrap() == expected, "{:.1000?}", manager.reports.lock().unwrap());
    connection.close();
    soon(connection.closed()).await;
    assert!(soon(child.wait()).await.unwrap().success(), "it ends by itself when its descriptor 3 is closed");
}
