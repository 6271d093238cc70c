//! Reads fields.

use quote::ToTokens;
use syn::{Attribute, FieldsNamed, LitStr};

use super::{Exposed, Field, Fields, Flattened, Split, check};
use crate::attributes::{Place, Settings};
use crate::constraints::Constraint;
use crate::errors::Errors;
use crate::wire_name::Case;
use crate::{docs, wire_name};

impl<'a> Fields<'a> {
    /// The fields of an item at `place`, whose names are spelt in its `case`.
    pub(crate) fn of(written: &'a FieldsNamed, place: Place, case: Option<Case>, errors: &mut Errors) -> Self {
        let (mut carried, mut exposed): (Vec<Field<'a>>, _) = (Vec::new(), Vec::new());
        let mut flattened = Vec::new();
        for field in &written.named {
            let Some(member) = &field.ident else { continue };
            let settings = Settings::of(&field.attrs, Place::Field, errors);
            if let Some(attribute) = exposed_attribute(&field.attrs, errors) {
                check::constraints(&field.attrs, place, true, errors);
                check::exposed(attribute, &settings, place, errors);
                exposed.push(Exposed { member, ty: &field.ty });
                continue;
            }
            let position = carried.len() + flattened.len();
            if let Some(word) = &settings.flatten {
                check::flattened(word, &settings, &field.attrs, place, errors);
                flattened.push(Flattened { member, ty: &field.ty, position });
                continue;
            }
            check::constraints(&field.attrs, place, false, errors);
            let name = wire_name::key(settings.name.as_ref(), member, case, errors);
            check::unique(&name, &carried, settings.name.as_ref().map_or(member as &dyn ToTokens, |name| name), errors);
            let aliases = aliases(&settings.aliases, &name, &carried, errors);
            let constraints = if place == Place::Variant { Vec::new() } else { Constraint::all(&field.attrs, errors) };
            let doc = docs::of(&field.attrs);
            check::split(&settings, errors);
            let Settings { with, default, split, from_zero, .. } = settings;
            let split = split.map(|maximum| Split { maximum, from_zero: from_zero.is_some() });
            carried.push(Field {
                member,
                ty: &field.ty,
                name,
                doc,
                constraints,
                with,
                split,
                default,
                aliases,
                position,
            });
        }
        Self::new(carried, flattened, exposed)
    }
}

/// The other names of a field.
fn aliases(given: &[LitStr], name: &str, earlier: &[Field<'_>], errors: &mut Errors) -> Vec<String> {
    let mut aliases: Vec<String> = Vec::new();
    for given in given {
        let alias = wire_name::alias(given, errors);
        check::unique(&alias, earlier, given, errors);
        check::another_name(&alias, name, &aliases, given, errors);
        aliases.push(alias);
    }
    aliases
}

/// The first `#[exposed]` of a field.
fn exposed_attribute<'a>(attributes: &'a [Attribute], errors: &mut Errors) -> Option<&'a Attribute> {
    let mut all = attributes.iter().filter(|attribute| attribute.path().is_ident("exposed"));
    let first = all.next()?;
    check::exposed_once(first, all, errors);
    Some(first)
}
