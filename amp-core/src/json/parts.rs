//! The pairs of a box, and values over several of them.

use std::collections::BTreeMap;

use super::JsonErrorKind;
use crate::schema::Numbering;
use crate::value::{BoxReader, RawValue};
use crate::wire::MAX_VALUE;

/// The pairs of a box; of equal keys the last counts.
pub(super) struct Pairs<'b> {
    pub(super) values: BTreeMap<&'b [u8], RawValue<'b>>,
    /// No bytes of this box.
    pub(super) raw: RawValue<'b>,
}

impl<'b> Pairs<'b> {
    pub(super) fn of(nested: &BoxReader<'b>) -> Self {
        Self { values: nested.pairs().collect(), raw: nested.raw(&[]) }
    }
}

/// Takes the parts out of a box.
///
/// # Errors
/// If one is missing before others.
pub(super) fn take<'b>(
    pairs: &mut Pairs<'b>,
    name: &str,
    numbering: Numbering,
) -> Result<Vec<&'b [u8]>, JsonErrorKind> {
    let mut parts = Vec::new();
    for index in 0.. {
        let key = numbering.key(name, index);
        match pairs.values.remove(key.as_bytes()) {
            Some(part) => parts.push(part.as_bytes()),
            None if has_part(pairs, name, numbering) => return Err(JsonErrorKind::MissingPart { key }),
            None => break,
        }
    }
    Ok(parts)
}

/// Whether a box has any part of a value.
pub(super) fn has_part(pairs: &Pairs<'_>, name: &str, numbering: Numbering) -> bool {
    pairs.values.keys().any(|key| numbering.index_of(key, name.as_bytes()).is_some())
}

/// Splits a value.
pub(super) fn split(name: &str, numbering: Numbering, value: &[u8]) -> Vec<(String, Vec<u8>)> {
    let empty = (value.is_empty() && matches!(numbering, Numbering::FromTwo)).then(Vec::new);
    let parts = value.chunks(MAX_VALUE).map(<[u8]>::to_vec).chain(empty);
    (0..).map(|index| numbering.key(name, index)).zip(parts).collect()
}
