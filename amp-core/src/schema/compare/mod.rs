//! What has changed between two schemas, and what it means.

mod change;
mod comparison;

use std::fmt;

pub use change::{Change, Effect};

use super::Schema;
use comparison::Comparison;

/// What has changed between two schemas, and what that means to peers of the old one.
///
/// Peers of both schemas may call each other in both directions, and a change is as bad as in the worse of them: a
/// required argument that is new breaks the calls of old callers, one that is gone those to old responders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    changes: Vec<Change>,
}

impl Report {
    /// Compares a schema with an older one.
    #[must_use]
    pub fn between(old: &Schema, new: &Schema) -> Self {
        Self { changes: Comparison::of(old, new) }
    }

    /// The changes, in the order of the commands' names. Those of a nested box stand once, where it is first used.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether peers of the old schema no longer understand peers of the new one somewhere.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.changes.iter().any(|change| change.effect == Effect::Breaks)
    }
}

/// A line for each change: what it means, where, what.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.is_empty() {
            return f.write_str("nothing has changed\n");
        }
        for Change { place, what, effect } in &self.changes {
            let effect = match effect {
                Effect::None => "fine   ",
                Effect::Caution => "caution",
                Effect::Breaks => "BREAKS ",
            };
            writeln!(f, "{effect} {place}: {what}")?;
        }
        Ok(())
    }
}
