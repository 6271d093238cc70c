//! What `default`, `alias` and `with` on a field expand to.

use std::marker::PhantomData;

use super::{Incomplete, Look};
use crate::schema::{AmpType, FieldDeclaration, Rule, WireValue};
use crate::value::{
    BoxReader, BoxWriter, Count, DecodeError, DecodeErrorKind, EncodeError, Key, RawValue, ValueWriter, With, collect,
    count_items,
};
use crate::violation::{Place, Violations};
use crate::wire::{BoxLimits, Pairs};

/// A type that has a value of its own to begin with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default of its own",
    label = "does not implement `Default`",
    note = "give the field one: `#[amp(default = expression)]`"
)]
pub trait HasDefault {
    fn make() -> Self;
}

impl<T: Default> HasDefault for T {
    fn make() -> Self {
        Self::default()
    }
}

/// What `#[amp(json)]` on a field stands for.
#[cfg(feature = "json")]
pub type AsJson = crate::value::Json<()>;

/// Without the feature nothing writes JSON.
#[cfg(not(feature = "json"))]
#[derive(Debug)]
pub struct AsJson;

/// No type has it.
#[cfg(not(feature = "json"))]
#[diagnostic::on_unimplemented(
    message = "`#[amp(json)]` needs the feature `json`",
    label = "not written as JSON without it",
    note = "in Cargo.toml: `amp-rpc = {{ .., features = [\"json\"] }}`"
)]
pub trait FeatureJson {}

#[cfg(not(feature = "json"))]
impl<T: FeatureJson> With<T> for AsJson {
    fn encode(_: &T, _: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        Err(EncodeError::custom("the feature `json` is missing"))
    }

    fn decode(_: RawValue<'_>) -> Result<T, DecodeError> {
        Err(DecodeError::custom("the feature `json` is missing"))
    }
}

/// Tells whether a type is an `Option`, under whatever name.
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<T> Probe<Option<T>> {
    pub const IS_OPTION: bool = true;
}

/// Of any other type.
pub trait NoOption {
    const IS_OPTION: bool = false;
}

impl<T> NoOption for Probe<T> {}

/// Evaluated at compile time, it fails at the call for an `Option` that the macro could not see.
#[track_caller]
pub const fn written_as_option(is_option: bool) {
    assert!(
        !is_option,
        "an `Option` behind another name would be written as `null`, and never be absent: write `Option<..>` here"
    );
}

/// Evaluated at compile time, it fails at the call for a default of a field that may be absent.
#[track_caller]
pub const fn always_written(optional: bool) {
    assert!(
        !optional,
        "an absent one has a meaning already (`None`, or an empty `Big`): remove `default`, or the `Option`"
    );
}

/// Declares what an absent field is.
pub const fn defaulted(field: FieldDeclaration, default: fn() -> Option<WireValue>) -> FieldDeclaration {
    FieldDeclaration { optional: true, default: Some(default), ..field }
}

/// Declares other names under which a field is read.
pub const fn aliased(field: FieldDeclaration, aliases: &'static [&'static str]) -> FieldDeclaration {
    FieldDeclaration { aliases, ..field }
}

/// The value of a field in its wire form; `None` if it has none.
pub fn written<T>(
    make: impl FnOnce() -> T,
    put: impl FnOnce(&T, &mut BoxWriter<'_>) -> Result<(), EncodeError>,
) -> Option<WireValue> {
    let mut bytes = Vec::new();
    put(&make(), &mut BoxWriter::new(&mut bytes, BoxLimits::DEFAULT.nesting)).ok()?;
    // The parts of a value over several keys stand in their order: the box is not sorted yet.
    Some(WireValue(Pairs::new(&bytes).flat_map(|(_, part)| part).copied().collect()))
}

/// The name under which a field was sent: its own, unless that is absent and another is not.
pub fn one_of(key: Key, aliases: &[Key], declared: AmpType, from: &BoxReader<'_>) -> Result<Key, DecodeError> {
    let is_there = |key: &Key| match declared {
        AmpType::Big { numbering, .. } => {
            from.pairs().any(|(found, _)| numbering.index_of(found, key.name_bytes()).is_some())
        }
        _ => from.find(key.name_bytes()).is_some(),
    };
    let mut found = [key].into_iter().chain(aliases.iter().copied()).filter(is_there);
    let first = found.next().unwrap_or(key);
    match found.next() {
        None => Ok(first),
        Some(other) => {
            let what = format!("given twice, as `{}` and as `{}`", first.name(), other.name());
            Err(DecodeError::custom(what).at_key(key.name()))
        }
    }
}

/// A type that writes and reads a value `T`, or a list of what it writes and reads.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not write and read `{T}`",
    label = "not for `{T}`",
    note = "`with` names a type that implements `amp::value::With<T>` for the type of the field, or of what is in its `Option` or `Vec`",
    note = "`text` is for types with `Display` and `FromStr`, `json` for those with serde's `Serialize` and `Deserialize`"
)]
pub trait ValueWith<T, As> {
    const TYPE: AmpType;
    const LIST_TYPE: AmpType;
    const COUNT: Option<Count>;
    const COUNT_LIST: Option<Count> = Some(count_items);

    fn encode(value: &T, out: &mut ValueWriter<'_>) -> Result<(), EncodeError>;
    fn decode(raw: RawValue<'_>) -> Result<T, DecodeError>;

    /// What is no value itself has no constraints within.
    fn check(_: &T, _: Place<'_>, _: &mut Violations) {}

    fn encode_list<N>(items: &[N], held: impl Fn(&N) -> &T, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        items.iter().enumerate().try_for_each(|(index, item)| {
            out.put_item(|out| Self::encode(held(item), out)).map_err(|error| error.at_index(index))
        })
    }

    fn decode_list<N>(raw: RawValue<'_>, hold: impl Fn(T) -> N) -> Result<Vec<N>, DecodeError> {
        collect(raw, raw.items().map(|item| item.and_then(Self::decode).map(&hold)))
    }
}

/// The value itself.
#[derive(Debug)]
pub struct One;

impl<T, W: With<T>> ValueWith<T, One> for W {
    const TYPE: AmpType = W::TYPE;
    const LIST_TYPE: AmpType = AmpType::ListOf(&W::TYPE);
    const COUNT: Option<Count> = None;

    fn encode(value: &T, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        <W as With<T>>::encode(value, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<T, DecodeError> {
        <W as With<T>>::decode(raw)
    }
}

/// A list of them.
#[derive(Debug)]
pub struct ListOf<As>(PhantomData<As>);

impl<T, As, W: ValueWith<T, As>> ValueWith<Vec<T>, ListOf<As>> for W {
    const TYPE: AmpType = <W as ValueWith<T, As>>::LIST_TYPE;
    const LIST_TYPE: AmpType = AmpType::ListOf(&<W as ValueWith<T, As>>::LIST_TYPE);
    const COUNT: Option<Count> = <W as ValueWith<T, As>>::COUNT_LIST;

    fn encode(value: &Vec<T>, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        <W as ValueWith<T, As>>::encode_list(value, |item| item, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Vec<T>, DecodeError> {
        <W as ValueWith<T, As>>::decode_list(raw, |item| item)
    }
}

/// The same for a field, which may be an `Option`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not write and read `{F}`",
    label = "not for `{F}`",
    note = "`with` names a type that implements `amp::value::With<T>` for the type of the field, or of what is in its `Option` or `Vec`",
    note = "`text` is for types with `Display` and `FromStr`, `json` for those with serde's `Serialize` and `Deserialize`"
)]
pub trait FieldWith<F, As> {
    const DECLARED: (AmpType, bool);

    fn put(field: &F, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;

    /// Reads it; `None` if it is absent, and that has no meaning.
    fn take_present(key: Key, from: &mut BoxReader<'_>) -> Result<Option<F>, DecodeError>;

    /// What is no value itself has no constraints within.
    fn check(_: &F, _: Place<'_>, _: &mut Violations) {}

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<F, DecodeError> {
        let missing = || DecodeError::from(DecodeErrorKind::Missing).at_key(key.name());
        Self::take_present(key, from)?.ok_or_else(missing)
    }

    fn take_or(key: Key, from: &mut BoxReader<'_>, default: impl FnOnce() -> F) -> Result<F, DecodeError> {
        Ok(Self::take_present(key, from)?.unwrap_or_else(default))
    }

    fn take_of_error(key: Key, from: &mut BoxReader<'_>) -> Result<F, Incomplete> {
        Self::take_present(key, from)?.ok_or(Incomplete::Missing)
    }
}

/// A field that must be there.
#[derive(Debug)]
pub struct Needed<As>(PhantomData<As>);

/// A field that may be absent.
#[derive(Debug)]
pub struct Absent<As>(PhantomData<As>);

impl<T, As, W: ValueWith<T, As>> FieldWith<T, Needed<As>> for W {
    const DECLARED: (AmpType, bool) = (<W as ValueWith<T, As>>::TYPE, false);

    fn put(field: &T, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        out.put_with(key, |out| <W as ValueWith<T, As>>::encode(field, out))
    }

    fn take_present(key: Key, from: &mut BoxReader<'_>) -> Result<Option<T>, DecodeError> {
        let Some(raw) = from.value(key) else { return Ok(None) };
        <W as ValueWith<T, As>>::decode(raw).map(Some).map_err(|error| error.at_key(key.name()))
    }
}

impl<T, As, W: ValueWith<T, As>> FieldWith<Option<T>, Absent<As>> for W {
    const DECLARED: (AmpType, bool) = (<W as ValueWith<T, As>>::TYPE, true);

    fn put(field: &Option<T>, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        field.as_ref().map_or(Ok(()), |value| <W as FieldWith<T, Needed<As>>>::put(value, key, out))
    }

    fn take_present(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Option<T>>, DecodeError> {
        <W as FieldWith<T, Needed<As>>>::take_present(key, from).map(Some)
    }
}

/// The value of a field that another type `W` writes and reads, as constraints look at it.
#[derive(Debug)]
pub struct Inside<W, As>(PhantomData<(W, As)>);

impl<T, As, W: ValueWith<T, As>> Look<T> for Inside<W, Needed<As>> {
    type Target = T;

    fn look(field: &T, place: Place<'_>, mut see: impl FnMut(&T, Place<'_>)) {
        see(field, place);
    }

    fn declared(rule: Rule) -> Rule {
        rule
    }
}

impl<T, As, W: ValueWith<T, As>> Look<Option<T>> for Inside<W, Absent<As>> {
    type Target = T;

    fn look(field: &Option<T>, place: Place<'_>, mut see: impl FnMut(&T, Place<'_>)) {
        if let Some(value) = field {
            see(value, place);
        }
    }

    fn declared(rule: Rule) -> Rule {
        rule
    }
}
