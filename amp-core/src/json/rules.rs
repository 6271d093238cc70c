//! Constraints on values as they travel.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::ops::{Bound, RangeBounds};
use std::path::PathBuf;
use std::time::Duration;

use super::JsonErrorKind;
use super::patterns::Patterns;
use super::shape::{Scalar, Shape};
use super::texts::{is_known, respelled};
use crate::schema::{ConstraintSchema, FieldSchema, Rule, TextType, TypeSchema, WireValue};
use crate::value::{DateTime, Decimal, Octets, RawValue, Value};

/// Checks the constraints of a field whose value is known to be of its type.
pub(super) fn check(field: &FieldSchema, raw: RawValue<'_>, patterns: &Patterns) -> Result<(), JsonErrorKind> {
    let Some(first) = field.constraints.first() else { return Ok(()) };
    let broken = opened(Shape::of(&field.value), raw, |shape, raw| {
        field.constraints.iter().find(|constraint| !holds(&constraint.rule, shape, raw, patterns))
    });
    match broken.unwrap_or(Some(first)) {
        None => Ok(()),
        Some(ConstraintSchema { code, words, .. }) => {
            Err(JsonErrorKind::Constraint { code: code.clone(), words: words.clone() })
        }
    }
}

/// Looks at a value as its rules do: at the list of an array, and at what was compressed, which is decompressed once for all of them. `None` if
/// it does not decompress; it did before.
fn opened<'a, T>(shape: Shape<'a>, raw: RawValue<'_>, look: impl FnOnce(Shape<'a>, RawValue<'_>) -> T) -> Option<T> {
    match shape {
        Shape::Array(list, _) => opened(Shape::of(list), raw, look),
        #[cfg(feature = "zlib")]
        Shape::Zlib(inner, most) => {
            let plain = crate::value::decompress(raw, most).ok()?;
            opened(Shape::of(inner), raw.with_bytes(&plain), look)
        }
        shape => Some(look(shape, raw)),
    }
}

/// Whether the rule holds, as far as is known.
fn holds(rule: &Rule, shape: Shape<'_>, raw: RawValue<'_>, patterns: &Patterns) -> bool {
    match rule {
        Rule::InSet(items) => is_in(items, shape, raw).unwrap_or(true),
        Rule::NotInSet(items) => !is_in(items, shape, raw).unwrap_or(false),
        Rule::Range(start, end) => is_within(start.as_ref(), end.as_ref(), shape, raw).unwrap_or(true),
        Rule::Length(start, end) => length(shape, raw).is_none_or(|length| (*start, *end).contains(&length)),
        Rule::LengthInBytes(start, end) => text(shape, raw).is_none_or(|text| (*start, *end).contains(&text.len())),
        Rule::Pattern(pattern) => text(shape, raw).is_none_or(|text| patterns.match_whole(pattern, text)),
        Rule::Each(rule) => match shape {
            Shape::ListOf(item) => raw.items().flatten().all(|raw| {
                opened(Shape::of(item), raw, |shape, raw| holds(rule, shape, raw, patterns)).unwrap_or(false)
            }),
            // A byte string is a list of bytes.
            Shape::One(Scalar::Bytes) => raw.as_bytes().iter().all(|byte| {
                let byte = byte.to_string();
                holds(rule, Shape::One(Scalar::Integer("u8")), RawValue::new(byte.as_bytes()), patterns)
            }),
            // Rules for boxes are known to Rust only.
            _ => true,
        },
        Rule::Opaque => true,
    }
}

/// The text that a value is, in the sense of rules for texts.
fn text<'a>(shape: Shape<'_>, raw: RawValue<'a>) -> Option<&'a str> {
    match shape {
        Shape::One(Scalar::Unicode) => std::str::from_utf8(raw.as_bytes()).ok(),
        _ => None,
    }
}

/// Characters of a text, bytes of a byte string, items of a list.
fn length(shape: Shape<'_>, raw: RawValue<'_>) -> Option<usize> {
    match shape {
        Shape::One(Scalar::Unicode) => text(shape, raw).map(|text| text.chars().count()),
        Shape::One(Scalar::Bytes) => Some(raw.as_bytes().len()),
        Shape::ListOf(_) => Some(raw.items().count()),
        Shape::AmpList(_) | Shape::TaggedList(_) | Shape::Map(_) => Some(raw.boxes().count()),
        _ => None,
    }
}

fn is_in(items: &[WireValue], shape: Shape<'_>, raw: RawValue<'_>) -> Option<bool> {
    let is_equal = |item: &WireValue| compare(shape, raw, RawValue::new(&item.0), true).map(|order| order == EQUAL);
    items.iter().map(is_equal).try_fold(false, |found, equal| Some(found | equal?))
}

fn is_within(start: Bound<&WireValue>, end: Bound<&WireValue>, shape: Shape<'_>, raw: RawValue<'_>) -> Option<bool> {
    // What does not compare with itself lies in no range.
    let mut within = compare(shape, raw, raw, false)?.is_some();
    for (bound, beyond) in [(start, Ordering::Less), (end, Ordering::Greater)] {
        let (bound, may_equal) = match bound {
            Bound::Included(bound) => (bound, true),
            Bound::Excluded(bound) => (bound, false),
            Bound::Unbounded => continue,
        };
        let order = compare(shape, raw, RawValue::new(&bound.0), false)?;
        within &= order.is_some_and(|order| order != beyond && (may_equal || order != Ordering::Equal));
    }
    Some(within)
}

const EQUAL: Option<Ordering> = Some(Ordering::Equal);

/// Compares two values as Rust compares those of their type: `Some(None)` if they have no order. `None` if it is not known here. In a
/// set decimals are equal only if they are written alike.
fn compare(shape: Shape<'_>, one: RawValue<'_>, other: RawValue<'_>, in_a_set: bool) -> Option<Option<Ordering>> {
    fn read<T: Value>(
        one: RawValue<'_>,
        other: RawValue<'_>,
        compare: fn(&T, &T) -> Option<Ordering>,
    ) -> Option<Option<Ordering>> {
        Some(compare(&T::decode(one).ok()?, &T::decode(other).ok()?))
    }
    match shape {
        Shape::One(Scalar::Decimal) if in_a_set => {
            read::<Decimal>(one, other, |one, other| (one == other).then_some(Ordering::Equal))
        }
        // Integers are decimals, too, and those are of any size.
        Shape::One(Scalar::Integer(_) | Scalar::Decimal) => read::<Decimal>(one, other, Decimal::compare),
        Shape::One(Scalar::Float) => read::<f64>(one, other, f64::partial_cmp),
        Shape::One(Scalar::Boolean) => read::<bool>(one, other, bool::partial_cmp),
        Shape::One(Scalar::Unicode | Scalar::Bytes | Scalar::Text(Some(TextType::Char))) => {
            Some(Some(one.as_bytes().cmp(other.as_bytes())))
        }
        Shape::One(Scalar::DateTime) => read::<DateTime>(one, other, DateTime::partial_cmp),
        Shape::One(Scalar::Path) => read::<PathBuf>(one, other, PathBuf::partial_cmp),
        Shape::One(Scalar::Duration) => read::<Duration>(one, other, Duration::partial_cmp),
        Shape::One(Scalar::Octets(_)) => read::<Octets<IpAddr>>(one, other, Octets::partial_cmp),
        Shape::One(Scalar::Text(of)) if in_a_set => texts(of, one, other),
        Shape::One(Scalar::Text(Some(TextType::IpAddr | TextType::Ipv4Addr | TextType::Ipv6Addr))) => {
            read::<IpAddr>(one, other, IpAddr::partial_cmp)
        }
        // The order of variants is that of Rust.
        Shape::Enum(_) if in_a_set => Some((one.as_bytes() == other.as_bytes()).then_some(Ordering::Equal)),
        Shape::ListOf(item) => lists(item, one, other, in_a_set),
        Shape::Array(list, _) => compare(Shape::of(list), one, other, in_a_set),
        _ => None,
    }
}

/// Whether two texts are of one value. Two spellings may be of one, where the type is not known here.
fn texts(of: Option<TextType>, one: RawValue<'_>, other: RawValue<'_>) -> Option<Option<Ordering>> {
    let text = |raw: RawValue<'_>| respelled(of, std::str::from_utf8(raw.as_bytes()).ok()?).ok();
    let is_equal = text(one)? == text(other)?;
    (is_equal || is_known(of)).then_some(is_equal.then_some(Ordering::Equal))
}

/// Compares lists by the first items that differ.
fn lists(item: &TypeSchema, one: RawValue<'_>, other: RawValue<'_>, in_a_set: bool) -> Option<Option<Ordering>> {
    let (mut ones, mut others) = (one.items(), other.items());
    loop {
        match (ones.next(), others.next()) {
            (Some(one), Some(other)) => {
                let order = compare(Shape::of(item), one.ok()?, other.ok()?, in_a_set)?;
                if order != EQUAL {
                    return Some(order);
                }
            }
            (one, other) => return Some(Some(one.is_some().cmp(&other.is_some()))),
        }
    }
}
