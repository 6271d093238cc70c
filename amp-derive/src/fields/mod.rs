//! The fields of a struct or of an error variant, as the wire sees them.

mod check;
mod expand;
mod flattened;
mod parse;

use syn::{Expr, Ident, Type};

use crate::attributes::Absent;
use crate::constraints::Constraint;
use crate::with::With;

pub(crate) use check::{no_parameters_beside, refuse_exposed};
pub(crate) use expand::key_of;
pub(crate) use flattened::half;

/// A field that travels.
pub(crate) struct Field<'a> {
    pub(crate) member: &'a Ident,
    pub(crate) ty: &'a Type,
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) constraints: Vec<Constraint>,
    /// The type that writes and reads it, if it is no value itself.
    pub(crate) with: Option<With>,
    /// How it is split over several keys.
    pub(crate) split: Option<Split>,
    /// What it is where it is absent.
    pub(crate) default: Option<Absent>,
    /// Other names under which it is read.
    pub(crate) aliases: Vec<String>,
    /// Its position among the fields that travel.
    pub(crate) position: usize,
}

impl Field<'_> {
    /// Its name and its aliases.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.name).chain(&self.aliases)
    }

    /// Its names of which `key` may be a part, if it is a `Big`.
    fn names_before<'f>(&'f self, key: &'f str) -> impl Iterator<Item = &'f String> {
        self.names().filter(move |name| key.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.')))
    }
}

/// The maximum of a field that is split over several keys, and whether their numbers begin at 0.
pub(crate) struct Split {
    maximum: Expr,
    from_zero: bool,
}

/// A field that is filled in where the command is answered.
pub(crate) struct Exposed<'a> {
    pub(crate) member: &'a Ident,
    pub(crate) ty: &'a Type,
}

/// A field whose type's fields stand in its place.
pub(crate) struct Flattened<'a> {
    pub(crate) member: &'a Ident,
    pub(crate) ty: &'a Type,
    /// Its position among the fields that travel.
    pub(crate) position: usize,
}

/// All fields; those that travel in bytewise order of their names on the wire.
#[derive(Default)]
pub(crate) struct Fields<'a> {
    carried: Vec<Field<'a>>,
    pub(crate) flattened: Vec<Flattened<'a>>,
    pub(crate) exposed: Vec<Exposed<'a>>,
}

impl<'a> Fields<'a> {
    fn new(mut carried: Vec<Field<'a>>, flattened: Vec<Flattened<'a>>, exposed: Vec<Exposed<'a>>) -> Self {
        carried.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
        Self { carried, flattened, exposed }
    }

    /// The fields that travel.
    pub(crate) fn carried(&self) -> &[Field<'a>] {
        &self.carried
    }

    /// Those of them that are written and read by their own types.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Field<'a>> {
        self.carried.iter().filter(|field| field.with.is_none())
    }

    /// All members that travel and their types, in the order in which they were written.
    pub(crate) fn in_order(&self) -> Vec<(&'a Ident, &'a Type)> {
        let carried = self.carried.iter().map(|field| (field.position, field.member, field.ty));
        let flattened = self.flattened.iter().map(|field| (field.position, field.member, field.ty));
        let mut all: Vec<_> = carried.chain(flattened).collect();
        all.sort_by_key(|(position, ..)| *position);
        all.into_iter().map(|(_, member, ty)| (member, ty)).collect()
    }

    /// Whether nothing travels.
    pub(crate) fn travel_empty(&self) -> bool {
        self.carried.is_empty() && self.flattened.is_empty()
    }

    /// The fields whose names sort before `_`, where AMP's own keys are.
    pub(crate) fn leading(&self) -> &[Field<'a>] {
        self.halves().0
    }

    /// The other fields.
    pub(crate) fn trailing(&self) -> &[Field<'a>] {
        self.halves().1
    }

    /// The fields with a name that a field may use for one of its parts, if it is a `Big`: that name, and the one of the field.
    fn among_parts<'f>(&'f self, of: &'f Field<'_>) -> impl Iterator<Item = (&'f Ident, &'f String, &'f String)> {
        let named = self.carried.iter().flat_map(|field| field.names().map(|name| (field.member, name)));
        named.flat_map(move |(member, name)| of.names_before(name).map(move |whole| (member, name, whole)))
    }

    fn halves(&self) -> (&[Field<'a>], &[Field<'a>]) {
        self.carried.split_at(self.carried.partition_point(|field| field.name.as_bytes() < b"_".as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;
    use crate::attributes::Place;
    use crate::errors::Errors;

    fn names(fields: &[Field<'_>]) -> Vec<String> {
        fields.iter().map(|field| field.name.clone()).collect()
    }

    #[test]
    fn fields_stand_in_bytewise_order_around_amps_own_keys() {
        let written: syn::FieldsNamed =
            parse_quote!({ b: u8, Upper: u8, a: u8, r#type: u8, #[amp(name = "foo-bar")] x: u8, Z9: u8 });
        let mut errors = Errors::default();
        let fields = Fields::of(&written, Place::Arguments, None, &mut errors);
        assert!(errors.report().is_none());
        assert_eq!(names(fields.leading()), ["Upper", "Z9"]);
        assert_eq!(names(fields.trailing()), ["a", "b", "foo-bar", "type"]);
        assert_eq!(names(fields.carried()), ["Upper", "Z9", "a", "b", "foo-bar", "type"]);
    }
}
