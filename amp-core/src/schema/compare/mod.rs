//! The changes between two schemas, and their effect.

mod aliases;
mod change;
mod comparison;
mod enums;
mod values;

use std::fmt;

pub use change::{Change, Effect};
#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::Schema;
use comparison::Comparison;

/// The changes between two schemas, and their effect on peers of the old one.
///
/// Peers of both schemas may call each other in both directions, and the worse direction decides: a new required argument breaks
/// the calls of old callers, and a removed one breaks those to old responders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(transparent))]
pub struct Report {
    changes: Vec<Change>,
}

impl Report {
    /// Compares a schema with an older one.
    #[must_use]
    pub fn between(old: &Schema, new: &Schema) -> Self {
        Self { changes: Comparison::of(old, new) }
    }

    /// The changes, in the order of the commands' names. Those of a nested box are listed once, where it is first used.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether peers of the old schema no longer understand peers of the new one in some case.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.changes.iter().any(|change| change.effect == Effect::Breaks)
    }
}

/// A line for each change: effect, place, change.
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
