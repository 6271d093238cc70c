use std::fmt;

use super::Place;

/// A value that breaks its constraint. It names the place and the rule, never the value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The place of the value, such as `nodes[3].port`.
    pub path: String,
    /// The rule, for programs: `in_set`, `not_in_set`, `range`, `length`, `pattern`, `non_empty`, `with`, or the
    /// [`CODE`](crate::constraint::Constraint::CODE) of a constraint of one's own.
    pub rule: &'static str,
    /// The rule, for people: `not in 1..=65535`.
    pub words: &'static str,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.words)
    }
}

/// Every constraint that a box breaks, within bounds: the first [`MAX`](Self::MAX) are kept in full, the others counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    told: Vec<Violation>,
    more: usize,
}

impl Violations {
    /// Number of violations that are kept in full.
    pub const MAX: usize = 16;

    /// No violations. Nothing is allocated until there is one.
    #[must_use]
    pub const fn new() -> Self {
        Self { told: Vec::new(), more: 0 }
    }

    /// Notes a violation.
    #[cold]
    pub fn add(&mut self, place: Place<'_>, rule: &'static str, words: &'static str) {
        if self.told.len() < Self::MAX {
            self.told.push(Violation { path: place.to_string(), rule, words });
        } else {
            self.more += 1;
        }
    }

    /// Moves the violations of a value at `outer` to their places in the box around it.
    #[cfg(feature = "tokio")]
    pub(crate) fn move_into(&mut self, outer: &str) {
        for Violation { path, .. } in self.told.iter_mut().filter(|_| !outer.is_empty()) {
            let dot = if path.starts_with('[') { "" } else { "." };
            *path = format!("{outer}{dot}{path}");
        }
    }

    /// Whether there are no violations.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Returns the number of violations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.told.len() + self.more
    }

    /// The violations that are kept in full, in the order of the fields' names on the wire.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.told.iter()
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.told.iter().enumerate() {
            write!(f, "{}{violation}", if index > 0 { "; " } else { "" })?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}
