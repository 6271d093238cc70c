//! `#[derive(Arguments)]`: structs as boxes on the wire.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]
#![allow(clippy::unwrap_used)]

use amp::Arguments;
use amp::value::{DecodeError, RawValue, Value, ValueWriter};

/// A list of names that a user may well choose.
#[derive(Arguments, Debug, PartialEq, Default)]
pub struct Names {
    /// Sorts before `_`.
    #[amp(name = "Upper")]
    pub upper: u8,
    /// A raw identifier.
    pub r#async: u8,
    /// Not an identifier.
    #[amp(name = "foo-bar")]
    pub foo_bar: u8,
    /// The name of a function's parameter in the expansion.
    pub from: u8,
    /// And of another.
    pub out: u8,
    /// A keyword of one language only.
    pub r#type: u8,
    /// Not sent when it is `None`.
    pub note: Option<String>,
}

/// A box in a box.
#[derive(Arguments, Debug, PartialEq)]
pub struct Nested {
    /// One box.
    pub one: Names,
    /// Any number of boxes.
    pub many: Vec<Empty>,
}

/// A box without pairs.
#[derive(Arguments, Debug, PartialEq, Clone, Copy)]
pub struct Empty;

/// A box without pairs in another notation.
#[derive(Arguments, Debug, PartialEq, Clone, Copy)]
pub struct Braces {}

/// Generic in a value.
#[derive(Arguments, Debug, PartialEq)]
pub struct Page<T, const N: usize>
where
    T: PartialEq,
{
    /// A list of the values.
    pub items: Vec<T>,
    /// Further pages.
    pub more: Vec<Page<T, N>>,
    /// A cursor.
    pub cursor: [u8; N],
}

fn encoded<T: Value>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.encode(&mut ValueWriter::new(&mut bytes)).unwrap();
    bytes
}

fn decoded<T: Value>(bytes: &[u8]) -> Result<T, DecodeError> {
    T::decode(RawValue::new(bytes))
}

#[test]
fn pairs_are_written_in_bytewise_order_of_their_names() {
    let names = Names { upper: 1, r#async: 2, foo_bar: 3, from: 4, out: 5, r#type: 6, note: Some("n".into()) };
    let bytes = encoded(&names);
    assert_eq!(
        bytes,
        b"\0\x05Upper\0\x011\0\x05async\0\x012\0\x07foo-bar\0\x013\0\x04from\0\x014\
          \0\x04note\0\x01n\0\x03out\0\x015\0\x04type\0\x016\0\0"
    );
    assert_eq!(decoded::<Names>(&bytes).unwrap(), names);
}

#[test]
fn an_optional_field_is_absent_when_it_is_none() {
    let bytes = encoded(&Names::default());
    assert!(!bytes.windows(4).any(|window| window == b"note"));
    assert_eq!(decoded::<Names>(&bytes).unwrap(), Names::default());
}

#[test]
fn a_missing_field_is_named() {
    let error = decoded::<Names>(b"\0\x05Upper\0\x011\0\0").unwrap_err();
    assert_eq!(error.path(), "async");
}

#[test]
fn boxes_nest_in_boxes() {
    let nested = Nested { one: Names::default(), many: vec![Empty, Empty] };
    let bytes = encoded(&nested);
    assert!(bytes.starts_with(b"\0\x04many\0\x04\0\0\0\0\0\x03one\0"));
    assert_eq!(decoded::<Nested>(&bytes).unwrap(), nested);
    assert_eq!(encoded(&Empty), encoded(&Braces {}));
}

#[test]
fn a_struct_may_be_generic_and_hold_itself() {
    let last = Page { items: vec![3_u8], more: vec![], cursor: *b"ab" };
    let page = Page { items: vec![1_u8, 2], more: vec![last], cursor: *b"cd" };
    assert_eq!(decoded::<Page<u8, 2>>(&encoded(&page)).unwrap(), page);
}
