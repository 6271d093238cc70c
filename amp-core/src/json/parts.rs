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

/// The keys in their order, without an end.
fn keys(name: &str, numbering: Numbering) -> impl Iterator<Item = String> {
    let (first, next) = match numbering {
        Numbering::FromTwo => (name.to_owned(), 2),
        Numbering::FromZero => (format!("{name}.0"), 1),
    };
    std::iter::once(first).chain((next..).map(move |number: usize| format!("{name}.{number}")))
}

/// The first key.
pub(super) fn first(name: &str, numbering: Numbering) -> String {
    keys(name, numbering).next().unwrap_or_default()
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
    for key in keys(name, numbering) {
        match pairs.values.remove(key.as_bytes()) {
            Some(part) => parts.push(part.as_bytes()),
            None if pairs.values.keys().any(|key| is_part(key, name, numbering)) => {
                return Err(JsonErrorKind::MissingPart { key });
            }
            None => break,
        }
    }
    Ok(parts)
}

/// Whether it is one of the numbered keys: `name.02` and `name.+2` are other keys.
fn is_part(key: &[u8], name: &str, numbering: Numbering) -> bool {
    let digits = key.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"."));
    match digits {
        None | Some(b"") => false,
        Some([digit]) => digit.is_ascii_digit() && usize::from(digit - b'0') >= numbering.start(),
        Some([first, rest @ ..]) => (b'1'..=b'9').contains(first) && rest.iter().all(u8::is_ascii_digit),
    }
}

/// Splits a value.
pub(super) fn split(name: &str, numbering: Numbering, value: &[u8]) -> Vec<(String, Vec<u8>)> {
    let empty = (value.is_empty() && matches!(numbering, Numbering::FromTwo)).then(Vec::new);
    let parts = value.chunks(MAX_VALUE).map(<[u8]>::to_vec).chain(empty);
    keys(name, numbering).zip(parts).collect()
}
