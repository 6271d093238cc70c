use std::fmt::{self, Display};
use std::ops::Bound;

use super::literals::Text;
use super::names::Names;
use super::types::Type;
use crate::python::PythonBytes;
use crate::schema::integer::Integers;
use crate::schema::{Rule, TextType, TypeSchema, WireValue};

/// The bounds of the Rust type, outside of which Rust refuses to decode.
pub(super) struct Limits<'a>(pub(super) &'a TypeSchema);

impl Display for Limits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        limits(f, self.0, 0)
    }
}

/// The bounds of a value that stands in so many lists.
fn limits(f: &mut fmt::Formatter<'_>, value: &TypeSchema, depth: usize) -> fmt::Result {
    let mut rule = |words: &str, rule: &str| {
        let (each, end) = ("_each(".repeat(depth), ")".repeat(depth));
        write!(f, ", ({}, {each}{rule}{end})", Text(words))
    };
    match value {
        TypeSchema::Integer(name) => {
            let Some(Integers { signed, bits, zero }) = Integers::of(name) else { return Ok(()) };
            let power = if signed { bits.saturating_sub(1) } else { bits };
            let start = if signed { format!("-(2**{power})") } else { "0".to_owned() };
            rule(&format!("out of range for {name}"), &format!("_range({start}, 2**{power} - 1)"))?;
            if zero { Ok(()) } else { rule("0", "_not_in_set([0])") }
        }
        TypeSchema::Text(name) if TextType::of(name) == Some(TextType::Char) => {
            rule("not one character", "_length(1, 1)")
        }
        TypeSchema::Duration => rule("out of range for Duration", "_range(0, 2.0**64, under=True)"),
        TypeSchema::Array(list, length) => {
            let what = if **list == TypeSchema::Bytes { "bytes" } else { "items" };
            rule(&format!("not {length} {what}"), &format!("_length({length}, {length})"))?;
            limits(f, list, depth)
        }
        TypeSchema::ListOf(item) => limits(f, item, depth + 1),
        TypeSchema::Zlib(inner, _) => limits(f, inner, depth),
        _ => Ok(()),
    }
}

/// A predicate.
pub(super) struct Checked<'a>(pub(super) &'a Rule, pub(super) &'a TypeSchema, pub(super) &'a Names);

impl Display for Checked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(rule, value, names) = *self;
        let value = value.whole();
        let read = |wire: &WireValue| literal(wire, value, names);
        let all = |items: &[WireValue]| items.iter().map(read).collect::<Vec<_>>().join(", ");
        match rule {
            // Rust compares the texts, of which Python makes numbers: `1.0` is not `1`.
            Rule::InSet(items) if *value == TypeSchema::Decimal => {
                write!(f, "lambda value: str(value) in [{}]", texts(items))
            }
            Rule::NotInSet(items) if *value == TypeSchema::Decimal => {
                write!(f, "lambda value: str(value) not in [{}]", texts(items))
            }
            Rule::InSet(items) => write!(f, "_in_set([{}])", all(items)),
            Rule::NotInSet(items) => write!(f, "_not_in_set([{}])", all(items)),
            Rule::Range(start, end) => range(f, "_range", start.as_ref().map(read), end.as_ref().map(read)),
            Rule::Length(start, end) => range(f, "_length", *start, *end),
            Rule::LengthInBytes(start, end) => range(f, "_length_in_bytes", *start, *end),
            Rule::Pattern(pattern) => write!(f, "_pattern({})", Text(pattern)),
            Rule::Each(rule) => write!(f, "_each({})", Checked(rule, &items_of(value), names)),
            Rule::Opaque => f.write_str("lambda _: True"),
        }
    }
}

/// Values as the texts that they travel as.
fn texts(items: &[WireValue]) -> String {
    let text = |WireValue(bytes): &WireValue| Text(&String::from_utf8_lossy(bytes)).to_string();
    items.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// The type of the items, as Python sees them.
fn items_of(value: &TypeSchema) -> TypeSchema {
    match value {
        TypeSchema::ListOf(item) => (**item).clone(),
        TypeSchema::Array(list, _) => items_of(list),
        TypeSchema::AmpList(name) => TypeSchema::Box(name.clone()),
        TypeSchema::TaggedList(name) => TypeSchema::Tagged(name.clone()),
        _ => TypeSchema::Integer("u8".to_owned()),
    }
}

/// A value in its wire form.
fn literal(WireValue(bytes): &WireValue, value: &TypeSchema, names: &Names) -> String {
    match (value, std::str::from_utf8(bytes)) {
        (TypeSchema::Bytes, _) => PythonBytes(bytes).to_string(),
        (TypeSchema::Unicode | TypeSchema::Enum(_), Ok(text)) => Text(text).to_string(),
        (TypeSchema::Integer(_), Ok(text)) if is_plain(text) => text.to_owned(),
        // The argument's own type reads it.
        _ => format!("{}.fromString({})", Type(value, "", names), PythonBytes(bytes)),
    }
}

/// Whether a number is written in Python as on the wire.
fn is_plain(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    digits == "0"
        || (!digits.starts_with('0') && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn range<T: Display>(f: &mut fmt::Formatter<'_>, name: &str, start: Bound<T>, end: Bound<T>) -> fmt::Result {
    let show = |bound: Bound<T>| match bound {
        Bound::Included(value) => (value.to_string(), false),
        Bound::Excluded(value) => (value.to_string(), true),
        Bound::Unbounded => ("None".to_owned(), false),
    };
    let ((start, over), (end, under)) = (show(start), show(end));
    write!(f, "{name}({start}, {end}")?;
    f.write_str(if over { ", over=True" } else { "" })?;
    f.write_str(if under { ", under=True)" } else { ")" })
}
