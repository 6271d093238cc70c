use crate::value::{
    BoxReader, BoxWriter, DecodeError, DecodeErrorKind, EncodeError, Key, RawValue, Value, ValueWriter,
};

/// The fields of a box: the arguments of a command, a response, a nested box, an item of an AmpList.
///
/// Derive it; the macro sorts the keys when the program is compiled.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of arguments",
    label = "not a set of arguments",
    note = "add `#[derive(Arguments)]` to the struct"
)]
pub trait Arguments: Sized + Send + 'static {
    /// Writes the fields whose keys sort before `_`, where AMP's own keys stand.
    ///
    /// # Errors
    /// When a field has no form on the wire.
    fn put_leading(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;

    /// Writes the other fields.
    ///
    /// # Errors
    /// When a field has no form on the wire.
    fn put_trailing(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;

    /// Reads the fields; keys that are not declared are passed over.
    ///
    /// # Errors
    /// When a field is missing or does not decode.
    fn take(from: &mut BoxReader<'_>) -> Result<Self, DecodeError>;
}

impl Arguments for () {
    fn put_leading(&self, _: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn put_trailing(&self, _: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn take(_: &mut BoxReader<'_>) -> Result<Self, DecodeError> {
        Ok(())
    }
}

/// One field of a box. Every [`Value`] is an argument with one key, `Option` makes one optional.
///
/// Implement it for a type that spreads over several keys (`name`, `name.2`, `name.3`, …):
/// write them with [`BoxWriter::put_named`], read them with [`BoxReader::find`]. Twisted's `IArgumentType`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument",
    label = "not an AMP value",
    note = "integers, floats, `bool`, `String`, `Vec<u8>`, `bytes::Bytes`, `[u8; N]`, lists of values, `Option` of these and types with `#[derive(Arguments)]` can",
    note = "for a type of your own implement `Value` (one value) or `Argument` (several keys of the box)"
)]
pub trait Argument: Sized {
    /// Whether the argument may be absent.
    const OPTIONAL: bool = false;

    /// Writes the argument's pairs.
    ///
    /// # Errors
    /// When the value has no form on the wire.
    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;

    /// Reads the argument's pairs; `None` when they are absent.
    ///
    /// # Errors
    /// When the pairs are there and do not decode.
    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError>;

    /// What an absent argument means, if anything.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: Value> Argument for T {
    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        out.put(key, self)
    }

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        let Some(raw) = from.value(key) else { return Ok(None) };
        T::decode(raw).map(Some).map_err(|error| error.at_key(key.name()))
    }
}

/// An optional argument: `None` leaves the key out, an absent key is `None`, a present one must decode.
impl<T: Argument> Argument for Option<T> {
    const OPTIONAL: bool = true;

    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        const { assert!(!T::OPTIONAL, "the wire cannot tell `Some(None)` from `None`: use one `Option`") };
        self.as_ref().map_or(Ok(()), |value| value.put(key, out))
    }

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        T::take(key, from).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

/// Reads a field that the box must have, unless the type says what its absence means.
pub(crate) fn take_required<T: Argument>(key: Key, from: &mut BoxReader<'_>) -> Result<T, DecodeError> {
    match T::take(key, from)? {
        Some(value) => Ok(value),
        None => T::absent().ok_or_else(|| DecodeError::from(DecodeErrorKind::Missing).at_key(key.name())),
    }
}

/// Writes a nested box: what `Value::encode` is for derived arguments.
#[doc(hidden)]
pub fn nested_encode<T: Arguments>(value: &T, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
    out.put_box(|out| {
        value.put_leading(out)?;
        value.put_trailing(out)
    })
}

/// Reads exactly one nested box.
#[doc(hidden)]
pub fn nested_decode<T: Arguments>(raw: RawValue<'_>) -> Result<T, DecodeError> {
    let mut boxes = raw.boxes();
    let mut first = boxes.next().ok_or(DecodeErrorKind::Truncated)??;
    if boxes.next().is_some() {
        return Err(DecodeErrorKind::NotA("a single box").into());
    }
    T::take(&mut first)
}

/// Writes an AmpList: nested boxes, one behind the other.
#[doc(hidden)]
pub fn nested_encode_list<T: Arguments>(items: &[T], out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| nested_encode(item, out).map_err(|error| error.at_index(index)))
}

/// Reads an AmpList.
#[doc(hidden)]
pub fn nested_decode_list<T: Arguments>(raw: RawValue<'_>) -> Result<Vec<T>, DecodeError> {
    raw.boxes()
        .enumerate()
        .map(|(index, item)| item.and_then(|mut item| T::take(&mut item)).map_err(|error| error.at_index(index)))
        .collect()
}
