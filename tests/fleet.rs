//! The example `examples/fleet`: a crate of the protocol, and programs that know each other by it alone, as processes of their own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

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

#[test]
fn programs_that_share_the_crate_of_their_protocol_understand_each_other_in_both_directions() {
    let programs = built();
    let agent = programs.join("fleet-agent");
    let hub = Running::start(&programs.join("fleet-hub"), &["127.0.0.1:0", "sesame"]);
    let line = hub.line();
    let address = line.strip_prefix("the hub listens on ").expect("its address");
    // An operator has no responders.
    let operator = |arguments: &[&str]| {
        let output = run(&programs.join("fleet-operator"), &[&[address], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    assert_eq!(operator(&[]), "in the fleet: \n");

    let [mut ada, bob] = ["ada", "bob"].map(|name| {
        let running = Running::start(&agent, &[address, name, "sesame"]);
        assert_eq!(running.line(), format!("{name} is in the fleet"));
        assert_eq!(hub.line(), format!("{name} has logged in"));
        running
    });
    assert_eq!(operator(&[]), "in the fleet: ada, bob\n");
    let process = ada.process.id();
    for answered in 1..=2 {
        let status = format!("ada is process {process} and has answered {answered}\n");
        assert_eq!(operator(&["status", "ada"]), status);
    }
    assert_eq!(operator(&["status", "eve"]), "there is no agent eve\n");

    // Who may not log in learns it as the error that the protocol declares.
    for (name, secret, error) in [("eve", "open", "WrongSecret"), ("ada", "sesame", "NameTaken")] {
        let refused = run(&agent, &[address, name, secret]);
        let words = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && words.contains(error), "{refused:?}");
    }
    assert!(hub.line().ends_with(" has a wrong secret"));

    // A session goes with its connection, whoever ends that.
    drop(bob);
    assert_eq!(hub.line(), "bob has left");
    assert_eq!(operator(&["dismiss", "ada"]), "ada is dismissed\n");
    assert!(ada.line().starts_with("the connection was closed"));
    assert!(ada.process.wait().expect("it ends").success());
    assert_eq!(hub.line(), "ada has left");
    assert_eq!(operator(&[]), "in the fleet: \n");
}
