use crate::command::Arguments;
use crate::exposed::equal;
use crate::schema::{AmpType, BoxDeclaration, ConstraintDeclaration, ErrorDeclaration, FieldDeclaration, Rule};

/// Declares one field, of [`Field::DECLARED`](super::Field::DECLARED).
pub const fn field(
    name: &'static str,
    doc: &'static str,
    (value, optional): (AmpType, bool),
    constraints: &'static [ConstraintDeclaration],
) -> FieldDeclaration {
    FieldDeclaration { name, doc, value, optional, default: None, aliases: &[], constraints }
}

/// Declares the fields of one struct.
pub const fn fields(name: &'static str, fields: &'static [FieldDeclaration]) -> BoxDeclaration {
    BoxDeclaration { name, fields }
}

/// Declares one constraint.
pub const fn constraint(words: &'static str, rule: fn() -> (&'static str, Rule)) -> ConstraintDeclaration {
    ConstraintDeclaration { words, rule }
}

/// The fields of a nested struct, evaluated on demand.
pub fn declared<T: Arguments>() -> BoxDeclaration {
    T::FIELDS
}

/// Declares one error.
pub const fn error(
    code: &'static str,
    name: &'static str,
    doc: &'static str,
    (fatal, invalid_argument): (bool, bool),
    fields: &'static [FieldDeclaration],
) -> ErrorDeclaration {
    ErrorDeclaration { code, name, doc, fatal, invalid_argument, fields }
}

/// How many errors the parts of an enum have together.
pub const fn count(parts: &[&[ErrorDeclaration]]) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < parts.len() {
        count += parts[at].len();
        at += 1;
    }
    count
}

/// The errors of all parts of an enum, in their order.
///
/// # Panics
/// If evaluated with another number than [`count`] returns, which the expansions do not do.
pub const fn together<const COUNT: usize>(parts: &[&[ErrorDeclaration]]) -> [ErrorDeclaration; COUNT] {
    let mut all = [error("", "", "", (false, false), &[]); COUNT];
    let (mut part, mut to) = (0, 0);
    while part < parts.len() {
        let mut from = 0;
        while from < parts[part].len() {
            all[to] = parts[part][from];
            from += 1;
            to += 1;
        }
        part += 1;
    }
    all
}

/// The code for an argument that does not decode, which an included enum may declare.
pub const fn invalid_argument(errors: &[ErrorDeclaration]) -> &'static str {
    let mut at = 0;
    while at < errors.len() {
        if errors[at].invalid_argument {
            return errors[at].code;
        }
        at += 1;
    }
    crate::error::codes::INVALID_ARGUMENT
}

/// Evaluated at compile time, it fails at the call if an error of one part, which is included, is declared by another, too.
#[track_caller]
pub const fn stands_apart(parts: &[&[ErrorDeclaration]], included: usize) {
    let mut part = 0;
    while part < parts.len() {
        if part != included {
            stand_apart(parts[part], parts[included]);
        }
        part += 1;
    }
}

#[track_caller]
const fn stand_apart(some: &[ErrorDeclaration], included: &[ErrorDeclaration]) {
    let mut a = 0;
    while a < some.len() {
        let mut b = 0;
        while b < included.len() {
            assert!(
                !equal(some[a].code, included[b].code),
                "an included error has a code that another one has already: give one of them another with `#[amp(code = \"..\")]`"
            );
            assert!(
                !(some[a].invalid_argument && included[b].invalid_argument),
                "two errors are that for invalid arguments, and one of them is included: keep one `invalid_argument`"
            );
            b += 1;
        }
        a += 1;
    }
}
