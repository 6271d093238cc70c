//! The example `examples/fleet`: a crate of the protocol, and programs that know each other by it alone, as processes of their own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use amp::connection::ConnectionBuilder;
use amp::error::codes;
use amp::{AmpBox, CallError, CloseReason, Connection, locator};

/// Builds the example as its users do, from its own workspace, and returns the folder of its programs. What it has in common with this
/// build is not compiled twice.
fn built() -> PathBuf {
    let this = std::env::current_exe().expect("a test is a file");
    let target = this.ancestors().nth(3).expect("target/debug/deps/test");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/fleet/Cargo.toml");
    let mut build = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    build.args(["build", "--quiet", "--locked", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(target);
    assert!(build.status().expect("cargo runs").success(), "the example does not compile");
    target.join("debug")
}

/// A program that runs until it is dropped, and what it prints.
struct Running {
    process: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(program: &Path, arguments: &[&str]) -> Self {
        let mut process = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().expect("it starts");
        let printed = BufReader::new(process.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || printed.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { process, lines }
    }

    /// The next line that it prints. It is awaited on this thread.
    fn line(&self) -> String {
        self.lines.recv_timeout(Duration::from_secs(30)).expect("a line in time")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn run(program: &Path, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().expect("it runs")
}

/// A hub, the address that it listens on, and the programs that talk to it.
struct Fleet {
    hub: Running,
    address: String,
    programs: PathBuf,
}

impl Fleet {
    fn start() -> Self {
        let programs = built();
        let hub = Running::start(&programs.join("fleet-hub"), &["127.0.0.1:0", "sesame", "open"]);
        let address = hub.line().strip_prefix("the hub listens on ").expect("its address").to_owned();
        Self { hub, address, programs }
    }

    /// What an operator prints. It has no responders.
    fn operator(&self, arguments: &[&str]) -> String {
        let output =
            run(&self.programs.join("fleet-operator"), &[&[self.address.as_str(), "open"], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// What an operator prints that fails.
    fn refused(&self, arguments: &[&str]) -> String {
        let output =
            run(&self.programs.join("fleet-operator"), &[&[self.address.as_str(), "open"], arguments].concat());
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        String::from_utf8(output.stderr).expect("text")
    }

    /// An agent that has logged in.
    fn agent(&self, name: &str) -> Running {
        let running = Running::start(&self.programs.join("fleet-agent"), &[&self.address, name, "sesame"]);
        assert_eq!(running.line(), format!("{name} is in the fleet"));
        assert_eq!(self.hub.line(), format!("{name} has logged in"));
        running
    }

    /// A connection that this test uses by hand.
    async fn connect(&self, builder: ConnectionBuilder) -> Connection {
        builder.connect_tcp(&self.address).await.expect("the hub listens")
    }
}

#[test]
fn programs_that_share_the_crate_of_their_protocol_understand_each_other_in_both_directions() {
    let fleet = Fleet::start();
    let (hub, operator) = (&fleet.hub, |arguments: &[&str]| fleet.operator(arguments));
    assert_eq!(operator(&[]), "in the fleet: \n");

    let [mut ada, bob] = ["ada", "bob"].map(|name| fleet.agent(name));
    assert_eq!(operator(&[]), "in the fleet: ada, bob\n");
    let process = ada.process.id();
    for answered in 1..=2 {
        let status = format!("ada is process {process} and has answered {answered}\n");
        assert_eq!(operator(&["status", "ada"]), status);
    }
    assert_eq!(fleet.refused(&["status", "eve"]), "fleet-operator: there is no agent eve\n");

    // A refused log-in is the error that the protocol declares. Agents cannot log in as operators, nor the other way round.
    let (agent, operate) = (fleet.programs.join("fleet-agent"), fleet.programs.join("fleet-operator"));
    let address = fleet.address.as_str();
    for (program, arguments, error) in [
        (&agent, &[address, "ada", "sesame"][..], "another agent of this name answers the hub"),
        (&agent, &[address, "eve", "open"], "the secret is wrong"),
        (&operate, &[address, "sesame"], "the secret is wrong"),
    ] {
        let refused = run(program, arguments);
        let words = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && words.contains(error), "{refused:?}");
        if error == "the secret is wrong" {
            assert!(hub.line().ends_with(" has a wrong secret"));
        }
    }

    // A session ends with its connection, whichever end closes that.
    drop(bob);
    assert_eq!(hub.line(), "bob has left");
    assert_eq!(operator(&["dismiss", "ada"]), "ada is dismissed\n");
    assert!(ada.line().starts_with("the connection was closed"));
    assert!(ada.process.wait().expect("it ends").success());
    assert_eq!(hub.line(), "ada has left");
    assert_eq!(operator(&[]), "in the fleet: \n");
}

fn fields(pairs: &[(&str, &str)]) -> AmpBox {
    pairs
        .iter()
        .fold(AmpBox::new(), |fields, (key, value)| fields.with(key.to_string(), value.to_string()).expect("it fits"))
}

async fn code(connection: &Connection, command: &str, arguments: &[(&str, &str)]) -> String {
    let reply = connection.call_box(command, fields(arguments)).await;
    reply.err().map_or_else(|| "OK".to_owned(), |error| error.remote_code().expect("an answer").to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hub_commands_nothing_for_those_who_have_not_logged_in_as_operators() {
    let fleet = Fleet::start();
    let stranger = fleet.connect(Connection::builder()).await;
    let agent = fleet.connect(Connection::builder()).await;
    let log_in = [("name", "x\u{1b}[2J\ny"), ("secret", "sesame")];
    assert_eq!(code(&agent, "LogIn", &log_in).await, "OK");
    // What prints a name escapes it.
    assert_eq!(fleet.hub.line(), r"x\u{1b}[2J\ny has logged in");
    assert_eq!(fleet.operator(&[]), "in the fleet: x\\u{1b}[2J\\ny\n");

    for connection in [&stranger, &agent] {
        assert_eq!(code(connection, "ListAgents", &[]).await, "NOT_AN_OPERATOR");
        for command in ["StatusOf", "Dismiss"] {
            assert_eq!(code(connection, command, &[log_in[0]]).await, "NOT_AN_OPERATOR");
        }
    }
    // A connection logs in once, and as one of both.
    for again in [&[log_in[0], log_in[1]], &[("name", "z"), log_in[1]]] {
        assert_eq!(code(&agent, "LogIn", again).await, "LOGGED_IN_BEFORE");
    }
    assert_eq!(code(&agent, "LogInOperator", &[("secret", "open")]).await, "LOGGED_IN_BEFORE");
    assert_eq!(code(&stranger, "LogInOperator", &[("secret", "open")]).await, "OK");
    assert_eq!(code(&stranger, "ListAgents", &[]).await, "OK");
    assert_eq!(code(&stranger, "LogIn", &[("name", "z"), ("secret", "sesame")]).await, "LOGGED_IN_BEFORE");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_secret_ends_the_connection() {
    let fleet = Fleet::start();
    for (command, arguments) in
        [("LogIn", &[("name", "eve"), ("secret", "open")][..]), ("LogInOperator", &[("secret", "sesame")])]
    {
        let guesser = fleet.connect(Connection::builder()).await;
        assert_eq!(code(&guesser, command, arguments).await, "WRONG_SECRET");
        assert!(fleet.hub.line().ends_with(" has a wrong secret"));
        let end = tokio::time::timeout(Duration::from_secs(30), guesser.closed()).await.expect("the hub ends it");
        assert!(!matches!(end, CloseReason::Closed), "{end:?}");
        // A second guess costs a second connection.
        assert!(matches!(guesser.call_box(command, fields(arguments)).await, Err(CallError::Connection { .. })));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_that_comes_back_takes_its_name_from_a_link_that_does_not_answer() {
    let fleet = Fleet::start();
    // It is connected, logs in and then answers nothing, as one that has lost its network.
    let lost = locator::fallback(|_, _| std::future::pending());
    let lost = fleet.connect(Connection::builder().locator(lost)).await;
    let log_in = [("name", "ada"), ("secret", "sesame")];
    assert_eq!(code(&lost, "LogIn", &log_in).await, "OK");
    assert_eq!(fleet.hub.line(), "ada has logged in");
    let status = fleet.refused(&["status", "ada"]);
    assert_eq!(status, "fleet-operator: the agent ada does not answer\n");

    let (back, other) = (fleet.connect(Connection::builder()).await, fleet.connect(Connection::builder()).await);
    // Of two that come at once one gets the name. It answers, if only with an error.
    let mut codes = tokio::join!(code(&back, "LogIn", &log_in), code(&other, "LogIn", &log_in));
    if codes.0 > codes.1 {
        std::mem::swap(&mut codes.0, &mut codes.1);
    }
    assert_eq!(codes, ("NAME_TAKEN".to_owned(), "OK".to_owned()));
    assert_eq!(fleet.hub.line(), "ada has logged in");
    assert!(matches!(lost.closed().await, CloseReason::ClosedByPeer), "its old link ends");

    // The end of the old link does not take the name from the new one.
    let agents = fleet.operator(&[]);
    assert_eq!(agents, "in the fleet: ada\n");
    drop((back, other));
    assert_eq!(fleet.hub.line(), "ada has left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_closes_does_not_keep_its_name() {
    let fleet = Fleet::start();
    let draining = || CallError::Remote { code: codes::DRAINING.into(), description: "closing".into() };
    let closing = locator::fallback(move |_, _| std::future::ready(Err(draining())));
    let closing = fleet.connect(Connection::builder().locator(closing)).await;
    let log_in = [("name", "ada"), ("secret", "sesame")];
    assert_eq!(code(&closing, "LogIn", &log_in).await, "OK");
    assert_eq!(fleet.hub.line(), "ada has logged in");
    assert_eq!(fleet.refused(&["status", "ada"]), "fleet-operator: the agent ada does not answer\n");

    let back = fleet.connect(Connection::builder()).await;
    assert_eq!(code(&back, "LogIn", &log_in).await, "OK");
    assert_eq!(fleet.hub.line(), "ada has logged in");
}
