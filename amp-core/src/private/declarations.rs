use crate::command::{Argument, Arguments, Constrained, Constraint};
use crate::schema::{BoxDeclaration, ConstraintDeclaration, ErrorDeclaration, FieldDeclaration, Rule};
use crate::violation::{Place, Violations};

/// Checks what is declared within one field.
pub fn check<T: Argument>(value: &T, place: Place<'_>, found: &mut Violations) {
    value.check(place, found);
}

/// Checks one constraint of one field.
pub fn constrain<T, C>(value: &T, constraint: &C, words: &'static str, place: Place<'_>, found: &mut Violations)
where
    T: Constrained,
    C: Constraint<T::Target>,
{
    if value.target().is_some_and(|value| !constraint.holds(value)) {
        found.add(place, C::CODE, words);
    }
}

/// Checks the items of one list.
pub fn each<T, I>(value: &T, place: Place<'_>, found: &mut Violations, check: impl Fn(&I, Place<'_>, &mut Violations))
where
    T: Constrained<Target = Vec<I>>,
{
    for (index, item) in value.target().into_iter().flatten().enumerate() {
        check(item, place.index(index), found);
    }
}

/// Declares one field.
pub const fn field<T: Argument>(
    name: &'static str,
    doc: &'static str,
    constraints: &'static [ConstraintDeclaration],
) -> FieldDeclaration {
    FieldDeclaration { name, doc, value: T::DECLARED, optional: T::OPTIONAL, constraints }
}

/// Declares the fields of one struct.
pub const fn fields(name: &'static str, fields: &'static [FieldDeclaration]) -> BoxDeclaration {
    BoxDeclaration { name, fields }
}

/// Declares one constraint.
pub const fn constraint(words: &'static str, rule: fn() -> (&'static str, Rule)) -> ConstraintDeclaration {
    ConstraintDeclaration { words, rule }
}

/// What a constraint on a field of the type `T` compares with.
pub fn rule<T: Constrained, C: Constraint<T::Target>>(constraint: &C) -> (&'static str, Rule) {
    (C::CODE, constraint.rule())
}

/// The same for a constraint on the items of a list.
pub fn each_rule<T, I, C>(constraint: &C) -> (&'static str, Rule)
where
    T: Constrained<Target = Vec<I>>,
    C: Constraint<I>,
{
    (C::CODE, Rule::Each(Box::new(constraint.rule())))
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
