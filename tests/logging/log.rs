//! What is logged on this thread, at every level.

use std::io;
use std::sync::{Arc, Mutex, Once};

use tracing::Level;
use tracing::subscriber::DefaultGuard;

/// What a peer would like to see in a log.
pub(crate) const FORGED: &str = "x\n2026-01-01T00:00:00Z ERROR amp: forged\r\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\u{2029}\u{feff}";

/// As much of it as fits into one value.
pub(crate) fn forged() -> String {
    FORGED.repeat(60_000 / FORGED.len())
}

/// Keeps what is logged while it is there.
pub(crate) struct Log {
    kept: Kept,
    _logging: DefaultGuard,
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics here").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(crate) fn start() -> Self {
        // Without a subscriber for all threads, an event that another test meets first at the wrong moment is taken for one that
        // nobody wants, on this thread too.
        static EVERYWHERE: Once = Once::new();
        EVERYWHERE.call_once(|| {
            let everywhere = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(io::sink).finish();
            tracing::subscriber::set_global_default(everywhere).expect("nobody else sets one");
        });
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_ansi(false);
        let subscriber = subscriber.with_writer(move || writer.clone()).finish();
        Self { kept, _logging: tracing::subscriber::set_default(subscriber) }
    }

    /// The lines, each of them the library's own: whole, of a bounded length and below `ERROR`, with nothing that controls a terminal
    /// or turns text around.
    pub(crate) fn lines(&self) -> Vec<String> {
        let bytes = self.kept.0.lock().expect("no test panics here").clone();
        let text = String::from_utf8(bytes).expect("UTF-8");
        for letter in FORGED.chars().filter(|letter| *letter != '\n' && !letter.is_ascii_graphic() && *letter != ' ') {
            assert!(!text.contains(letter), "{letter:?} stands in {}", text.escape_debug());
        }
        let lines: Vec<_> = text.split_terminator('\n').map(str::to_owned).collect();
        for line in &lines {
            let words: Vec<_> = line.split_whitespace().take(3).collect();
            assert!(matches!(words[..], [_, "WARN" | "INFO" | "DEBUG", place] if place.starts_with("amp_")), "{line}");
            assert!(line.len() < 8 * 1024, "{} bytes: {line}", line.len());
        }
        lines
    }

    /// The only line with these words.
    pub(crate) fn only(&self, words: &str) -> String {
        let lines = self.lines();
        let found: Vec<_> = lines.iter().filter(|line| line.contains(words)).collect();
        assert_eq!(found.len(), 1, "{words}: {lines:#?}");
        found[0].clone()
    }
}
