//! Whether what is exposed answers early, and which command. Evaluated when a program is compiled.

const MISTAKE: &str = "an exposed `EarlyAnswer` answers another command: its parameter is the command that has the field, or that the \
                       method answers";

/// The command that exposed values answer early.
///
/// # Panics
/// If they answer two commands: at most one of these is the command that exposes them.
pub const fn joined(early: &[Option<&'static str>]) -> Option<&'static str> {
    let mut found = None;
    let mut at = 0;
    while at < early.len() {
        match (found, early[at]) {
            (Some(name), Some(other)) => assert!(equal(name, other), "{}", MISTAKE),
            (None, _) => found = early[at],
            (_, None) => {}
        }
        at += 1;
    }
    found
}

/// Whether the command is answered early.
///
/// # Panics
/// If what the command exposes answers another one.
#[track_caller]
pub const fn answers_early(early: Option<&'static str>, command: &str) -> bool {
    match early {
        Some(name) => {
            assert!(equal(name, command), "{}", MISTAKE);
            true
        }
        None => false,
    }
}

pub(crate) const fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}
