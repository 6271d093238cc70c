//! What is logged on this thread, at every level.

use crate::logged::{Level, Logged, logged};

/// What a peer would like to see in a log.
pub(crate) const FORGED: &str = "x\n2026-01-01T00:00:00Z ERROR amp: forged\r\u{1b}[2J\u{9b}31m\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\u{2029}\u{feff}";

/// As much of it as fits into one value.
pub(crate) fn forged() -> String {
    FORGED.repeat(60_000 / FORGED.len())
}

/// Keeps what this thread logs, at every level.
pub(crate) struct Log(Logged);

impl Log {
    pub(crate) fn start() -> Self {
        Self(logged(Level::TRACE))
    }

    /// The lines, each of them the library's own: whole, of a bounded length and below `ERROR`, with nothing that controls a terminal
    /// or turns text around.
    pub(crate) fn lines(&self) -> Vec<String> {
        let text = self.0.text();
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
