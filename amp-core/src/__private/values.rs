use std::slice;

use super::names::has_key;
use crate::command::{Arguments, Tagged};
use crate::schema::{
    AmpType, BoxDeclaration, ConstrainedDeclaration, ConstraintDeclaration, EnumDeclaration, FieldDeclaration,
    VariantDeclaration,
};
use crate::value::{
    BoxReader, BoxWriter, Count, DecodeError, DecodeErrorKind, EncodeError, Key, RawValue, Value, ValueWriter,
};
use crate::violation::{Place, Violations};

/// Declares the constraints of a newtype.
pub const fn constrained(constraints: &'static [ConstraintDeclaration], each: bool) -> ConstrainedDeclaration {
    ConstrainedDeclaration { constraints, each }
}

/// Declares an enum.
pub const fn variants(
    name: &'static str,
    tag: Option<&'static str>,
    other: bool,
    variants: &'static [VariantDeclaration],
) -> EnumDeclaration {
    EnumDeclaration { name, tag, other, variants }
}

/// Declares a variant of an enum.
pub const fn variant(code: &'static str, doc: &'static str, fields: &'static [FieldDeclaration]) -> VariantDeclaration {
    VariantDeclaration { code, doc, fields }
}

/// A value that a newtype holds.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no form on the wire",
    label = "not an AMP value",
    note = "a newtype holds one value: a number, a text, bytes, a list of values, or a type with `#[derive(Arguments)]` or `#[derive(Value)]`",
    note = "an `Option` is no value: it belongs around the newtype, in the field that may be absent"
)]
pub trait HeldValue: Sized {
    const TYPE: AmpType;
    const LIST_TYPE: AmpType;
    const COUNT: Option<Count>;
    const COUNT_LIST: Option<Count>;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError>;
    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError>;
    fn check(&self, place: Place<'_>, found: &mut Violations);

    /// Writes a list of newtypes as the list of what they hold.
    fn encode_list<N>(items: &[N], held: impl Fn(&N) -> &Self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError>;

    /// Reads a list of newtypes.
    fn decode_list<N>(raw: RawValue<'_>, hold: impl Fn(Self) -> N) -> Result<Vec<N>, DecodeError>;
}

impl<T: Value> HeldValue for T {
    const TYPE: AmpType = T::TYPE;
    const LIST_TYPE: AmpType = T::LIST_TYPE;
    const COUNT: Option<Count> = T::COUNT;
    const COUNT_LIST: Option<Count> = T::COUNT_LIST;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        Value::encode(self, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        <T as Value>::decode(raw)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        Value::check(self, place, found);
    }

    /// In every form of a list the items stand one behind the other: it is the same as a list of one for each.
    fn encode_list<N>(items: &[N], held: impl Fn(&N) -> &Self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        items.iter().enumerate().try_for_each(|(index, item)| {
            <T as Value>::encode_list(slice::from_ref(held(item)), out).map_err(|error| error.moved_to_index(index))
        })
    }

    /// What is as large as what it holds stays where it is.
    fn decode_list<N>(raw: RawValue<'_>, hold: impl Fn(Self) -> N) -> Result<Vec<N>, DecodeError> {
        Ok(<T as Value>::decode_list(raw)?.into_iter().map(hold).collect())
    }
}

/// The fields that a variant holds beside its code.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of arguments",
    label = "not a set of arguments",
    note = "the unnamed field of a variant is a type with `#[derive(Arguments)]`, whose fields stand beside the variant's code",
    note = "to send one value with the variant give it a name: `Variant {{ value: {Self} }}`"
)]
pub trait HeldFields: Sized {
    const FIELDS: BoxDeclaration;

    /// Writes the code of the variant and the fields, in their order as far as it is known before.
    fn put<E: Tagged>(&self, code: &[u8], out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;
    fn take(from: &mut BoxReader<'_>) -> Result<Self, DecodeError>;
    fn check(&self, place: Place<'_>, found: &mut Violations);
}

impl<T: Arguments> HeldFields for T {
    const FIELDS: BoxDeclaration = T::FIELDS;

    fn put<E: Tagged>(&self, code: &[u8], out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        const { apart_from_tag(T::FIELDS, key_name(E::TAG)) };
        let (fields, tag) = (T::FIELDS.fields, E::TAG.name());
        let is_last = fields.iter().all(|field| field.name < tag);
        if !is_last {
            out.put_raw(E::TAG, code)?;
            if fields.iter().any(|field| field.name < tag) {
                out.sort_at_end();
            }
        }
        self.put_leading(out)?;
        self.put_trailing(out)?;
        if is_last { out.put_raw(E::TAG, code) } else { Ok(()) }
    }

    fn take(from: &mut BoxReader<'_>) -> Result<Self, DecodeError> {
        <T as Arguments>::take(from)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        Arguments::check(self, place, found);
    }
}

/// A text that holds the code of a variant which is not known.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot hold a code that is not known",
    label = "not a text",
    note = "`other` stands on a variant with one `String`, or another type that implements `From<String>` and `AsRef<str>`"
)]
pub trait OtherCode {
    fn keep(code: String) -> Self;
    fn as_bytes(&self) -> &[u8];
}

impl<T: From<String> + AsRef<str>> OtherCode for T {
    fn keep(code: String) -> Self {
        code.into()
    }

    fn as_bytes(&self) -> &[u8] {
        self.as_ref().as_bytes()
    }
}

/// Reads a code that is not known.
pub fn other_code(raw: RawValue<'_>) -> Result<String, DecodeError> {
    <String as Value>::decode(raw)
}

/// The same in a box.
pub fn other_variant<E: Tagged>(raw: RawValue<'_>) -> Result<String, DecodeError> {
    other_code(raw).map_err(|error| error.at_key(E::TAG.name()))
}

/// The error for a code that is not known.
#[cold]
pub fn unknown_code(known: &'static str) -> DecodeError {
    DecodeErrorKind::NotA(known).into()
}

/// The same in a box.
#[cold]
pub fn unknown_variant<E: Tagged>(known: &'static str) -> DecodeError {
    unknown_code(known).at_key(E::TAG.name())
}

const fn key_name(key: Key) -> &'static str {
    match std::str::from_utf8(key.name_bytes()) {
        Ok(name) => name,
        Err(_) => "",
    }
}

/// Evaluated at compile time, it fails at the call if a field has the key of the variant's code.
#[track_caller]
pub const fn apart_from_tag(declared: BoxDeclaration, tag: &str) {
    let mut at = 0;
    while at < declared.fields.len() {
        assert!(
            !has_key(&declared.fields[at], tag),
            "a field of this type has the key of the variant's code: choose another key with `#[amp(tag = \"..\")]` on the enum"
        );
        at += 1;
    }
}
