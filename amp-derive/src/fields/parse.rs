//! Reads fields and holds the rules for them.

use quote::ToTokens;
use syn::{Attribute, FieldsNamed, Meta};

use super::{Exposed, Field, Fields};
use crate::attributes::{Place, Settings};
use crate::constraints::{Constraint, NOT_CHECKED, refuse_constraints};
use crate::errors::Errors;
use crate::{docs, wire_name};

impl<'a> Fields<'a> {
    /// The fields of an item at `place`.
    pub(crate) fn of(written: &'a FieldsNamed, place: Place, errors: &mut Errors) -> Self {
        let (mut carried, mut exposed): (Vec<Field<'a>>, _) = (Vec::new(), Vec::new());
        for field in &written.named {
            let Some(member) = &field.ident else { continue };
            let settings = Settings::of(&field.attrs, Place::Field, errors);
            if place == Place::Variant {
                refuse_constraints(&field.attrs, NOT_CHECKED, errors);
            }
            if let Some(attribute) = exposed_attribute(&field.attrs, errors) {
                check_exposed(attribute, &settings, place, errors);
                if place == Place::Command {
                    refuse_constraints(&field.attrs, EXPOSED, errors);
                }
                exposed.push(Exposed { member, ty: &field.ty });
                continue;
            }
            let name = wire_name::key(settings.name.as_ref(), member, errors);
            check_unique(&name, &carried, settings.name.as_ref().map_or(member as &dyn ToTokens, |name| name), errors);
            let constraints =
                if place == Place::Variant { Vec::new() } else { Constraint::all(&field.attrs, &field.ty, errors) };
            carried.push(Field { member, ty: &field.ty, name, doc: docs::of(&field.attrs), constraints });
        }
        Self::new(carried, exposed)
    }
}

const EXPOSED: &str = "an exposed field never travels, so nothing checks it: remove the constraint";

/// The first `#[exposed]` of a field.
fn exposed_attribute<'a>(attributes: &'a [Attribute], errors: &mut Errors) -> Option<&'a Attribute> {
    let mut all = attributes.iter().filter(|attribute| attribute.path().is_ident("exposed"));
    let first = all.next()?;
    for again in all {
        errors.push(again, "`#[exposed]` is given twice; keep one");
    }
    if !matches!(first.meta, Meta::Path(_)) {
        errors.push(&first.meta, "`#[exposed]` stands alone, without a value");
    }
    Some(first)
}

fn check_exposed(attribute: &Attribute, settings: &Settings, place: Place, errors: &mut Errors) {
    if place != Place::Command {
        errors.push(
            attribute,
            "only a command has exposed fields: `#[exposed]` belongs in a struct with `#[derive(Command)]`",
        );
    }
    if let Some(name) = &settings.name {
        errors.push(name, "an exposed field never travels, so it has no name on the wire: remove `name`");
    }
}

fn check_unique(name: &str, earlier: &[Field<'_>], at: &dyn ToTokens, errors: &mut Errors) {
    if let Some(Field { member, .. }) = earlier.iter().find(|field| field.name == name) {
        errors.push(
            at,
            format!(
                "the field `{member}` already has the name `{name}` on the wire: \
                 choose another with `#[amp(name = \"..\")]`"
            ),
        );
    }
}

/// `#[exposed]` on anything but a field.
pub(crate) fn refuse_exposed(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("exposed")) {
        errors.push(attribute, "`#[exposed]` belongs on a field of a struct with `#[derive(Command)]`");
    }
}
