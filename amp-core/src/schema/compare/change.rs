#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// One difference between two schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Change {
    /// The place, such as `Divide, argument note`.
    pub place: String,
    /// The change, and which peers notice it.
    pub what: String,
    /// Its effect on peers of the old schema.
    pub effect: Effect,
}

/// The effect of a change on a peer of the old schema, whichever end calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Effect {
    /// Old and new peers understand each other.
    None,
    /// They understand each other as long as they send values that both allow, or they miss something that is not needed.
    Caution,
    /// They do not understand each other.
    Breaks,
}
