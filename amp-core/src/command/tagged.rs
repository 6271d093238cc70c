use super::{nested_box, nested_list};
use crate::schema::VariantDeclaration;
use crate::value::{BoxReader, BoxWriter, DecodeError, DecodeErrorKind, EncodeError, Key, RawValue, ValueWriter};

/// An enum that travels as a box, with the code of its variant under one key: `#[derive(Value)]` writes it.
#[doc(hidden)]
pub trait Tagged: Sized {
    /// The key of the code.
    const TAG: Key;

    /// The variants as they are declared, without the one that keeps other codes.
    const VARIANTS: &'static [VariantDeclaration];

    /// Writes the code and the fields.
    ///
    /// # Errors
    /// If a field has no form on the wire.
    fn put(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;

    /// Reads the fields of the variant with the code.
    ///
    /// # Errors
    /// If the code is not known, or a field is missing or does not decode.
    fn take(code: RawValue<'_>, from: &mut BoxReader<'_>) -> Result<Self, DecodeError>;
}

/// Writes one box.
#[doc(hidden)]
pub fn tagged_encode<T: Tagged>(value: &T, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
    out.put_box(|out| value.put(out))
}

/// Reads exactly one box.
#[doc(hidden)]
pub fn tagged_decode<T: Tagged>(raw: RawValue<'_>) -> Result<T, DecodeError> {
    take(&mut nested_box(raw)?)
}

/// Writes boxes, one behind the other.
#[doc(hidden)]
pub fn tagged_encode_list<T: Tagged>(items: &[T], out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| tagged_encode(item, out).map_err(|error| error.at_index(index)))
}

/// Reads boxes, one behind the other.
#[doc(hidden)]
pub fn tagged_decode_list<T: Tagged>(raw: RawValue<'_>) -> Result<Vec<T>, DecodeError> {
    nested_list(raw, take)
}

/// Looks the code up wherever it stands: the fields are read from the start of the box then.
fn take<T: Tagged>(from: &mut BoxReader<'_>) -> Result<T, DecodeError> {
    let missing = || DecodeError::from(DecodeErrorKind::Missing).at_key(T::TAG.name());
    let code = from.find(T::TAG.name_bytes()).ok_or_else(missing)?;
    T::take(code, from)
}
