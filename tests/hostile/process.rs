//! The process under attack, seen from outside.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::service;

/// How a server is started. All else is the default.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) level: &'static str,
    /// How many files it may open.
    pub(crate) files: Option<u64>,
    /// A hostile server that it dials.
    pub(crate) dial: Option<SocketAddr>,
    /// `StreamSettings::disconnect_timeout`, where the default would make a scene too long.
    pub(crate) disconnect_timeout: Option<Duration>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { level: "warn", files: None, dial: None, disconnect_timeout: None }
    }
}

pub(crate) struct ServerProcess {
    child: Child,
    /// It ends when this is closed.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    folder: TempDir,
    pub(crate) address: SocketAddr,
    /// Where its target leads to: nothing is accepted here.
    _target: TcpListener,
}

impl ServerProcess {
    pub(crate) fn start(setup: &Setup) -> Self {
        let target = TcpListener::bind("127.0.0.1:0").expect("a port");
        let folder = tempfile::tempdir().expect("a folder");
        let mut process = Command::new(std::env::current_exe().expect("the path of this program"));
        process.args(["--exact", "service::the_process_that_is_attacked", "--ignored", "--nocapture"]);
        process.env(service::FOLDER, folder.path()).env(service::LEVEL, setup.level);
        process.env(service::TARGET, target.local_addr().expect("an address").to_string());
        if let Some(files) = setup.files {
            process.env(service::FILES, files.to_string());
        }
        if let Some(address) = setup.dial {
            process.env(service::DIAL, address.to_string());
        }
        if let Some(timeout) = setup.disconnect_timeout {
            process.env(service::DISCONNECT_TIMEOUT, timeout.as_millis().to_string());
        }
        // What is freed goes back to the system where glibc can do that, so that what is measured is what is held.
        process
            .env("MALLOC_ARENA_MAX", "2")
            .env("MALLOC_TRIM_THRESHOLD_", "131072")
            .env("MALLOC_MMAP_THRESHOLD_", "8192");
        process.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0").env("RUST_BACKTRACE", "0");
        // Panics are told there, too, with the words of whoever caused them.
        process.stderr(Stdio::null()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = process.spawn().expect("this program starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { child, input, output, folder, address, _target: target };
        server.address = server.says();
        server
    }

    /// The next address that it says.
    pub(crate) fn says(&mut self) -> SocketAddr {
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.output.read_line(&mut line).expect("text");
            assert!(read > 0, "the server has ended");
            if let Some(said) = line.trim_end().strip_prefix(service::MARK) {
                return said.parse().expect("an address");
            }
        }
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    pub(crate) fn status(&self) -> Status {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        Status::of(&text)
    }

    pub(crate) fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs").count()
    }

    pub(crate) fn log(&self) -> Vec<u8> {
        fs::read(self.folder.path().join(service::LOG)).expect("a log")
    }

    /// Waits until the resident size no longer grows, which it does while the server reads what has been sent to it.
    pub(crate) fn settle(&self) {
        let (start, mut before) = (Instant::now(), usize::MAX);
        while start.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(300));
            let now = self.status().resident;
            if now <= before.saturating_add(256 << 10) && before != usize::MAX {
                return;
            }
            before = now;
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.input.take());
        for _ in 0..500 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the kernel says about a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Status {
    pub(crate) resident: usize,
    /// The largest resident size since its start.
    pub(crate) peak: usize,
    pub(crate) threads: usize,
}

impl Status {
    fn of(text: &str) -> Self {
        let fields: HashMap<&str, usize> = text
            .lines()
            .filter_map(|line| {
                let (name, value) = line.split_once(':')?;
                let mut words = value.split_whitespace();
                let number: usize = words.next()?.parse().ok()?;
                Some((name, if words.next() == Some("kB") { number << 10 } else { number }))
            })
            .collect();
        Self { resident: fields["VmRSS"], peak: fields["VmHWM"], threads: fields["Threads"] }
    }
}
