use crate::command::Arguments;
use crate::schema::{AmpType, BoxDeclaration, ConstraintDeclaration, ErrorDeclaration, FieldDeclaration, Rule};

/// Declares one field, of [`Field::DECLARED`](super::Field::DECLARED).
pub const fn field(
    name: &'static str,
    doc: &'static str,
    (value, optional): (AmpType, bool),
    constraints: &'static [ConstraintDeclaration],
) -> FieldDeclaration {
    FieldDeclaration { name, doc, value, optional, constraints }
}

/// Declares the fields of one struct.
pub const fn fields(name: &'static str, fields: &'static [FieldDeclaration]) -> BoxDeclaration {
    BoxDeclaration { name, fields }
}

/// Declares one constraint.
pub const fn constraint(words: &'static str, rule: fn() -> (&'static str, Rule)) -> ConstraintDeclaration {
    ConstraintDeclaration { words, rule }
}

/// The fields of a nested struct, when somebody asks.
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
