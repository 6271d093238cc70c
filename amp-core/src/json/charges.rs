//! What JSON takes in memory.

use serde_json::{Map, Value as Json};

/// About what a map of one pair takes, and each further pair beside its key and its value.
pub(super) const OBJECT: usize = 640;
pub(super) const PAIR: usize = 128;
/// About what an allocation takes beside its bytes.
pub(super) const ALLOCATION: usize = 16;

/// About what a further pair of an object takes beside its value.
pub(super) fn pair(object: &Map<String, Json>, key: &str) -> usize {
    key.len() + ALLOCATION + if object.is_empty() { OBJECT } else { PAIR }
}
