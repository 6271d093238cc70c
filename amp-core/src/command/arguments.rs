use std::any::type_name;

use crate::schema::{AmpType, BoxDeclaration};
use crate::value::{
    BoxReader, BoxWriter, Count, DecodeError, DecodeErrorKind, EncodeError, Key, RawValue, Value, ValueWriter, collect,
};
use crate::violation::{Place, Violations};

/// The fields of a box: the arguments of a command, a response, a nested box, an item of an AmpList.
///
/// Derive it; the macro sorts the keys when the program is compiled.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::Arguments;
///
/// /// The keys of a box, as they are declared.
/// fn keys<A: Arguments>() -> Vec<&'static str> {
///     A::FIELDS.fields.iter().map(|field| field.name).collect()
/// }
///
/// assert!(keys::<()>().is_empty());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of arguments",
    label = "not a set of arguments",
    note = "add `#[derive(Arguments)]` to the struct",
    note = "a box has named values: a number, text or list stands in a field, `struct Total {{ total: i64 }}`"
)]
#[doc(alias("AmpList", "NestedAMPBox", "arguments", "response"))]
pub trait Arguments: Sized + Send + 'static {
    /// The fields as they are declared, for schemas.
    const FIELDS: BoxDeclaration;

    /// Whether it has exposed fields, which are filled in where it is the command that is answered, and nowhere else.
    #[doc(hidden)]
    const HAS_EXPOSED: bool = false;

    /// Writes the fields whose keys sort before `_`, where AMP's own keys stand.
    ///
    /// # Errors
    /// If a field has no form on the wire.
    fn put_leading(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;

    /// Writes the other fields.
    ///
    /// # Errors
    /// If a field has no form on the wire.
    fn put_trailing(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;

    /// Reads the fields; keys that are not declared are ignored.
    ///
    /// # Errors
    /// If a field is missing or does not decode.
    fn take(from: &mut BoxReader<'_>) -> Result<Self, DecodeError>;

    /// Checks the constraints of the fields and of values nested in them.
    fn check(&self, place: Place<'_>, found: &mut Violations) {
        let _ = (place, found);
    }
}

impl Arguments for () {
    const FIELDS: BoxDeclaration = BoxDeclaration { name: "()", fields: &[] };

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
/// A value that is too long for one key is a [`Big`](crate::value::Big). Implement the trait for a type that spreads over several keys
/// in another way: write them with [`BoxWriter::put_named`], read them with [`BoxReader::find`]. Twisted's `IArgumentType`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument",
    label = "not an AMP value",
    note = "integers, floats, `bool`, `String`, `Vec<u8>`, `bytes::Bytes`, `[u8; N]`, lists and maps of values, `Option` of these and types with `#[derive(Arguments)]` can",
    note = "a newtype or an enum of your own has `#[derive(Value)]`; another type of your own implements `Value` (one value: `encode` writes its bytes, `decode` reads them) or `Argument` (several keys of the box)",
    note = "a type of another crate has a feature of this library (`uuid`, `url`, `ipnet`, `num-bigint`), stands in a field with `#[amp(text)]`, `#[amp(json)]`, or `#[amp(with = Type)]`, where `Type` is yours and implements `amp::value::With` for it"
)]
#[doc(alias("amp.Argument", "fromBox", "toBox"))]
pub trait Argument: Sized {
    /// The AMP type, for schemas.
    const DECLARED: AmpType = AmpType::Custom(type_name::<Self>);

    /// Whether the argument may be absent.
    const OPTIONAL: bool = false;

    /// Whether it is an `Option` of a type that may be absent itself: of an `Option`, or of a
    /// [`Big`](crate::value::Big) whose keys are absent when it is empty.
    #[doc(hidden)]
    const OPTIONAL_TWICE: bool = false;

    /// Whether it is one value, and no longer than a value can be. An argument type of the user's own may be several.
    #[doc(hidden)]
    const ONE_VALUE: bool = false;

    /// For a list, the function that counts its items before it is decoded.
    #[doc(hidden)]
    const COUNT: Option<Count> = None;

    /// Writes the argument's pairs.
    ///
    /// # Errors
    /// If the value has no form on the wire.
    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;

    /// Reads the argument's pairs; `None` when they are absent.
    ///
    /// # Errors
    /// If the pairs are there and do not decode.
    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError>;

    /// The meaning of an absent argument, if it has one.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }

    /// Checks the constraints declared within the argument; see [`Value::check`].
    fn check(&self, place: Place<'_>, found: &mut Violations) {
        let _ = (place, found);
    }
}

/// The value that a constraint on a field checks: the value itself, or the value in an `Option`.
#[diagnostic::on_unimplemented(
    message = "a constraint cannot look at a value of the type `{Self}`",
    label = "not an AMP value",
    note = "constraints look at values and at `Option`s of values; implement `Constrained` for an `Argument` of your own"
)]
pub trait Constrained {
    /// The type that the constraint is for.
    type Target;

    /// The value, if there is one.
    fn target(&self) -> Option<&Self::Target>;
}

impl<T: Value> Constrained for T {
    type Target = T;

    fn target(&self) -> Option<&T> {
        Some(self)
    }
}

impl<T: Constrained> Constrained for Option<T> {
    type Target = T::Target;

    fn target(&self) -> Option<&T::Target> {
        self.as_ref()?.target()
    }
}

impl<T: Value> Argument for T {
    const DECLARED: AmpType = T::TYPE;
    const ONE_VALUE: bool = true;
    const COUNT: Option<Count> = T::COUNT;

    #[inline(always)]
    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        out.put(key, self)
    }

    #[inline(always)]
    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        let Some(raw) = from.value(key) else { return Ok(None) };
        match T::decode(raw) {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(at_key(error, key)),
        }
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        Value::check(self, place, found);
    }
}

/// An optional argument: `None` leaves the key out, an absent key is `None`, a present one must decode.
impl<T: Argument> Argument for Option<T> {
    const OPTIONAL: bool = true;
    const OPTIONAL_TWICE: bool = T::OPTIONAL;
    const DECLARED: AmpType = T::DECLARED;
    const ONE_VALUE: bool = T::ONE_VALUE;
    const COUNT: Option<Count> = T::COUNT;

    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        const { optional_once(Self::OPTIONAL_TWICE) };
        self.as_ref().map_or(Ok(()), |value| value.put(key, out))
    }

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        T::take(key, from).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        if let Some(value) = self {
            value.check(place, found);
        }
    }
}

/// Evaluated at compile time, it fails at the call if `twice`.
#[doc(hidden)]
#[track_caller]
pub const fn optional_once(twice: bool) {
    assert!(
        !twice,
        "the wire cannot tell `None` from what an absent key means without this `Option` (`None`, or an empty `Big`): leave the `Option` out"
    );
}

/// Reads the fields of a received box and checks their constraints.
#[cfg(feature = "tokio")]
pub(crate) fn take_checked<A: Arguments>(from: &mut BoxReader<'_>) -> Result<A, DecodeError> {
    let arguments = A::take(from).map_err(DecodeError::into_placed)?;
    violations(&arguments).map_or(Ok(arguments), |found| Err(DecodeErrorKind::Constraints(found).into()))
}

/// Returns the constraints that the fields break.
pub(crate) fn violations<A: Arguments>(arguments: &A) -> Option<Violations> {
    let mut found = Violations::new();
    arguments.check(Place::WHOLE, &mut found);
    (!found.is_empty()).then_some(found)
}

/// Checks the length of a list before its items are decoded, at a connection: a list that is too long is refused before it takes
/// memory. Elsewhere constraints are checked only on request.
pub(crate) fn judge_count(
    key: Key,
    from: &BoxReader<'_>,
    count: Count,
    holds: impl FnOnce(usize) -> bool,
    [rule, words]: [&'static str; 2],
) -> Result<(), DecodeError> {
    if !from.is_scoped() {
        return Ok(());
    }
    match from.clone().value(key).and_then(count) {
        Some(length) if !holds(length) => {
            let mut found = Violations::new();
            found.add(Place::WHOLE.key(key.name()), rule, words);
            Err(DecodeErrorKind::Constraints(found).into())
        }
        // A list that is absent or cut short is reported elsewhere.
        _ => Ok(()),
    }
}

/// Reads a field that the box must have, unless the type defines the meaning of its absence.
#[inline(always)]
pub(crate) fn take_required<T: Argument>(key: Key, from: &mut BoxReader<'_>) -> Result<T, DecodeError> {
    match T::take(key, from)? {
        Some(value) => Ok(value),
        None => T::absent().ok_or_else(|| at_key(DecodeErrorKind::Missing.into(), key)),
    }
}

#[cold]
fn at_key(error: DecodeError, key: Key) -> DecodeError {
    error.at_key(key.name())
}

/// Writes a nested box: `Value::encode` of derived arguments.
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
    T::take(&mut nested_box(raw)?)
}

/// The one box of a value.
#[inline(always)]
pub(super) fn nested_box(raw: RawValue<'_>) -> Result<BoxReader<'_>, DecodeError> {
    let mut boxes = raw.boxes();
    let first = boxes.next().ok_or(DecodeErrorKind::Truncated)??;
    if boxes.next().is_some() {
        return Err(DecodeErrorKind::NotA("a single box").into());
    }
    Ok(first)
}

/// Writes an AmpList: nested boxes, one behind the other.
#[doc(hidden)]
pub fn nested_encode_list<T: Arguments>(items: &[T], out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| nested_encode(item, out).map_err(|error| error.at_index(index)))
}

/// Counts the boxes of an AmpList.
#[doc(hidden)]
#[must_use]
pub fn nested_count_list(raw: RawValue<'_>) -> Option<usize> {
    raw.count_boxes()
}

/// Reads an AmpList.
#[doc(hidden)]
pub fn nested_decode_list<T: Arguments>(raw: RawValue<'_>) -> Result<Vec<T>, DecodeError> {
    nested_list(raw, T::take)
}

/// Reads boxes, one behind the other.
#[inline(always)]
pub(super) fn nested_list<T>(
    raw: RawValue<'_>,
    take: impl Fn(&mut BoxReader<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    collect(raw, raw.boxes().map(|item| item.and_then(|mut item| take(&mut item))))
}
