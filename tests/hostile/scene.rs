//! One attack: what is measured beside it and looked at after it.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};

use crate::bounds::{LEFT, LOG_BURST, LOG_LINE, LOG_RATE, MIB, PATIENCE, SERVED};
use crate::honest::{Honest, Service, served_again};
use crate::process::{ServerProcess, Setup};
use crate::service::limit_files;

/// How long the honest client calls beside no attack, and at least beside one.
const PHASE: Duration = Duration::from_secs(1);
/// So many sockets need the largest crowd, its server, and the rest.
const FILES: u64 = 12_000;

/// A server, an honest client of it, and what is found out about them.
pub(crate) struct Scene {
    name: &'static str,
    pub(crate) server: ServerProcess,
    honest: Honest,
    start: Instant,
    idle: Service,
    /// The resident size before the attack.
    resident: usize,
    attacked: Option<Service>,
    complaints: Vec<String>,
    /// Scenes are played one at a time.
    _alone: MutexGuard<'static, ()>,
}

impl Scene {
    pub(crate) fn begin(name: &'static str) -> Self {
        Self::with(name, &Setup::default())
    }

    pub(crate) fn with(name: &'static str, setup: &Setup) -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        static FILES_LIMITED: Once = Once::new();
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        FILES_LIMITED.call_once(|| limit_files(FILES));
        let server = ServerProcess::start(setup);
        served_again(server.address).expect("a server that nobody attacks serves");
        let honest = Honest::start(server.address);
        std::thread::sleep(PHASE / 5);
        let start = Instant::now();
        std::thread::sleep(PHASE);
        let idle = honest.between(start, Instant::now());
        let resident = server.status().resident;
        Self { name, server, honest, start, idle, resident, attacked: None, complaints: Vec::new(), _alone: alone }
    }

    /// Attacks, while the honest client calls, and returns what the attackers hold.
    pub(crate) fn attack<T>(&mut self, attack: impl FnOnce(&mut Self) -> T) -> T {
        let start = Instant::now();
        let held = attack(self);
        self.server.settle();
        std::thread::sleep(PHASE.saturating_sub(start.elapsed()));
        self.attacked = Some(self.honest.between(start, Instant::now()));
        held
    }

    /// Waits until little is left of the attack, or for so long that no more will be released.
    pub(crate) fn rests(&self) {
        let start = Instant::now();
        while self.growth() > LEFT && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// By how much the resident size has grown.
    pub(crate) fn growth(&self) -> usize {
        self.server.status().resident.saturating_sub(self.resident)
    }

    /// Notes what does not hold.
    pub(crate) fn holds(&mut self, holds: bool, statement: impl Into<String>) {
        if !holds {
            self.complaints.push(statement.into());
        }
    }

    /// Notes what has failed.
    pub(crate) fn succeeds(&mut self, result: Result<(), String>) {
        self.complaints.extend(result.err());
    }

    /// The attackers go. What they cost was at most `memory` bytes, an honest client was served beside them, the log is neither
    /// filled nor forged, and the server is as before. What is not so is told all at once.
    pub(crate) fn finish<T>(self, held: T, memory: usize) {
        self.finish_keeping(held, memory, LEFT);
    }

    /// The same where the program keeps what it was given, so much at most.
    pub(crate) fn finish_keeping<T>(mut self, held: T, memory: usize, kept: usize) {
        let peak = self.server.status().peak.saturating_sub(self.resident);
        self.holds(peak <= memory, format!("held {} MiB, of at most {} MiB", peak / MIB, memory / MIB));
        drop(held);
        let left = self.recovers(kept);
        let attacked = self.attacked.expect("an attack");
        self.is_served(&attacked);
        let (log, time) = (self.server.log(), self.start.elapsed());
        let unlike = log_complaints(&log, LOG_BURST + LOG_RATE * usize::try_from(time.as_secs()).expect("seconds"));
        self.complaints.extend(unlike);
        let running = self.server.is_running();
        self.holds(running, "the server has ended");
        let errors = self.honest.finish();
        if let Some(first) = errors.first() {
            self.complaints.push(format!("{} calls of an honest client failed, the first with {first}", errors.len()));
        }
        // The harness keeps what is printed by a test that passes.
        let _ = writeln!(
            io::stderr(),
            "hostile: {:<44} held {:>4} of {:>3} MiB, left {:>3}; honest {:>3.0}/s, p99 {:>5.1} ms, attacked {:>3.0}/s, p99 {:>6.1} ms, worst {:>6.1}; log {:>5} lines, {:>7} bytes; {:>4.1} s",
            self.name,
            peak / MIB,
            memory / MIB,
            left / MIB,
            self.idle.rate(),
            milliseconds(self.idle.p99),
            attacked.rate(),
            milliseconds(attacked.p99),
            milliseconds(attacked.worst),
            log.iter().filter(|&&byte| byte == b'\n').count(),
            log.len(),
            time.as_secs_f64(),
        );
        assert!(self.complaints.is_empty(), "{}:\n- {}", self.name, self.complaints.join("\n- "));
    }

    /// The server serves a new client and holds no more than before, but for what may be left. Returns what is left.
    fn recovers(&mut self, kept: usize) -> usize {
        let start = Instant::now();
        loop {
            let served = served_again(self.server.address);
            let left = self.growth();
            if (served.is_ok() && left <= kept) || start.elapsed() > PATIENCE {
                self.succeeds(served.map_err(|error| format!("not recovered: {error}")));
                self.holds(left <= kept, format!("not recovered: {} MiB are left of the attack", left / MIB));
                return left;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn is_served(&mut self, attacked: &Service) {
        let (idle, beside) = (self.idle.rate(), attacked.rate());
        self.holds(
            beside * SERVED >= idle,
            format!("an honest client made {beside:.0} calls a second beside the attack, and {idle:.0} before"),
        );
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What is wrong with a log that may have so many bytes.
fn log_complaints(log: &[u8], most: usize) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut complain = |what: &str, line: &str| {
        // The first of each kind says enough.
        if !complaints.iter().any(|other: &String| other.starts_with(what)) {
            complaints.push(format!("{what}: {}", line.chars().take(400).collect::<String>().escape_debug()));
        }
    };
    if log.len() > most {
        complain("the log is filled", &format!("{} bytes of at most {most}", log.len()));
    }
    let text = String::from_utf8_lossy(log);
    for line in text.split_terminator('\n') {
        let mut words = line.split_whitespace();
        let is_dated = words.next().is_some_and(|word| word.starts_with("20") && word.ends_with('Z'));
        match words.next() {
            Some("ERROR") => complain("a peer causes an ERROR", line),
            Some("WARN" | "INFO" | "DEBUG" | "TRACE") if is_dated => {}
            _ => complain("an event of several lines", line),
        }
        if line.starts_with(FORGED) {
            complain("a forged line", line);
        }
        if line.chars().any(is_active) {
            complain("a character that is not escaped", line);
        }
        if line.len() > LOG_LINE {
            complain("a long line", &format!("{} bytes, {line}", line.len()));
        }
    }
    complaints
}

/// How the line begins that hostile text would add to the log.
pub(crate) const FORGED: &str = "2026-01-01T00:00:00.000000Z  WARN root logged in";

/// Whether a terminal or a reader of logs does more than show it.
fn is_active(letter: char) -> bool {
    let changes_order =
        matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || changes_order || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}')
}
