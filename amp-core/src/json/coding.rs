//! Values of Rust types as they travel.

use super::JsonErrorKind;
use crate::value::{RawValue, Value, ValueWriter};

pub(super) fn read<T: Value>(raw: RawValue<'_>) -> Result<T, JsonErrorKind> {
    T::decode(raw).map_err(|error| JsonErrorKind::of(error.kind()))
}

/// The value as it travels, if it may.
pub(super) fn written<T: Value>(value: &T, what: &'static str) -> Result<Vec<u8>, JsonErrorKind> {
    let mut bytes = Vec::new();
    value.encode(&mut ValueWriter::new(&mut bytes)).map_err(|_| JsonErrorKind::NotA(what))?;
    Ok(bytes)
}
