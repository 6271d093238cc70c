//! What `flatten` on a field expands to.

use super::names::{is_among_parts, share_a_name};
use super::{aliased, field};
use crate::command::Arguments;
use crate::schema::{AmpType, BoxDeclaration, FieldDeclaration};
use crate::value::{BoxReader, BoxWriter, DecodeError, EncodeError};
use crate::violation::{Place, Violations};

/// Fields that stand among those of another struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of arguments",
    label = "not a set of arguments",
    note = "`flatten` stands on a field whose type has `#[derive(Arguments)]`: its fields stand in the place of the field"
)]
pub trait Flat: Sized {
    const FIELDS: BoxDeclaration;
    const HAS_EXPOSED: bool;

    fn put_leading(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;
    fn put_trailing(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;
    fn take(from: &mut BoxReader<'_>) -> Result<Self, DecodeError>;
    fn check(&self, place: Place<'_>, found: &mut Violations);
}

/// The place of each field in the order of the box is known only when both structs are, so the box is put in order at its end.
impl<T: Arguments> Flat for T {
    const FIELDS: BoxDeclaration = T::FIELDS;
    const HAS_EXPOSED: bool = T::HAS_EXPOSED;

    fn put_leading(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        out.sort_at_end();
        Arguments::put_leading(self, out)
    }

    fn put_trailing(&self, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        out.sort_at_end();
        Arguments::put_trailing(self, out)
    }

    fn take(from: &mut BoxReader<'_>) -> Result<Self, DecodeError> {
        <T as Arguments>::take(from)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        Arguments::check(self, place, found);
    }
}

/// A field that is compared by its names only, and by those of its parts.
pub const fn named(name: &'static str, aliases: &'static [&'static str], value: AmpType) -> FieldDeclaration {
    aliased(field(name, "", (value, false), &[]), aliases)
}

/// How many fields the parts of a struct have together.
pub const fn count_fields(parts: &[&[FieldDeclaration]]) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < parts.len() {
        count += parts[at].len();
        at += 1;
    }
    count
}

/// The fields of all parts of a struct, in bytewise order of their names.
///
/// # Panics
/// If evaluated with another number than [`count_fields`] returns, which the expansions do not do.
pub const fn in_order<const COUNT: usize>(parts: &[&[FieldDeclaration]]) -> [FieldDeclaration; COUNT] {
    let mut all = [named("", &[], AmpType::Bytes); COUNT];
    let (mut part, mut count) = (0, 0);
    while part < parts.len() {
        let mut from = 0;
        while from < parts[part].len() {
            let mut to = count;
            while to > 0 && sorts_before(parts[part][from].name, all[to - 1].name) {
                all[to] = all[to - 1];
                to -= 1;
            }
            all[to] = parts[part][from];
            count += 1;
            from += 1;
        }
        part += 1;
    }
    all
}

const fn sorts_before(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return a[at] < b[at];
        }
        at += 1;
    }
    a.len() < b.len()
}

/// Evaluated at compile time, it fails at the call if a type that is taken in has exposed fields: nothing would fill them in.
#[track_caller]
pub const fn nothing_is_exposed(has_exposed: bool) {
    assert!(
        !has_exposed,
        "this type has exposed fields, which nothing would fill in here: move its fields that travel into a struct with \
         `#[derive(Arguments)]`, and `flatten` that one here and there"
    );
}

/// Evaluated at compile time, it fails at the call if a field of one part has a name of a field of an earlier one.
#[track_caller]
pub const fn fields_stand_apart(parts: &[&[FieldDeclaration]], at: usize) {
    let mut part = 0;
    while part < at {
        let mut a = 0;
        while a < parts[part].len() {
            let mut b = 0;
            while b < parts[at].len() {
                assert!(
                    !share_a_name(&parts[part][a], &parts[at][b]),
                    "a field of this type has a name on the wire that another field has already: rename one with `#[amp(name = \"..\")]`"
                );
                assert!(
                    !(is_among_parts(&parts[part][a], &parts[at][b]) || is_among_parts(&parts[at][b], &parts[part][a])),
                    "a field is split over several keys, and one of them is a field of this type or of another: rename one with `#[amp(name = \"..\")]`"
                );
                b += 1;
            }
            a += 1;
        }
        part += 1;
    }
}
