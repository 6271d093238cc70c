//! The rules for fields.

use quote::ToTokens;
use syn::{Attribute, Generics, Ident, LitStr, Meta};

use super::{Field, Fields};
use crate::attributes::{Key, Place, Settings};
use crate::constraints::{NOT_CHECKED, refuse_constraints};
use crate::errors::Errors;

const EXPOSED: &str = "an exposed field never travels, so nothing checks it: remove the constraint";

/// Constraints are allowed only where they are checked.
pub(super) fn constraints(attributes: &[Attribute], place: Place, is_exposed: bool, errors: &mut Errors) {
    if place == Place::Variant {
        refuse_constraints(attributes, NOT_CHECKED, errors);
    } else if is_exposed && place == Place::Command {
        refuse_constraints(attributes, EXPOSED, errors);
    }
}

/// `#[exposed]` is given once, and is nothing but that word.
pub(super) fn exposed_once<'a>(first: &Attribute, others: impl Iterator<Item = &'a Attribute>, errors: &mut Errors) {
    for again in others {
        errors.push(again, "`#[exposed]` is given twice; keep one");
    }
    if !matches!(first.meta, Meta::Path(_)) {
        errors.push(&first.meta, "`#[exposed]` stands alone, without a value");
    }
}

/// The exposed field is one of a command, and has no name on the wire.
pub(super) fn exposed(attribute: &Attribute, settings: &Settings, place: Place, errors: &mut Errors) {
    if place != Place::Command {
        errors.push(
            attribute,
            "only a command has exposed fields: `#[exposed]` belongs in a struct with `#[derive(Command)]`",
        );
    }
    if let Some(name) = settings.written(Key::Name) {
        errors.push(name, "an exposed field never travels, so it has no name on the wire: remove `name`");
    }
    for other in settings.others(&[Key::Name]) {
        errors.push(other, "an exposed field never travels: remove this");
    }
}

/// The fields in place of the field have names and settings of their own, and a struct to stand in.
pub(super) fn flattened(
    word: &Ident,
    settings: &Settings,
    attributes: &[Attribute],
    place: Place,
    errors: &mut Errors,
) {
    if !matches!(place, Place::Command | Place::Arguments) {
        errors.push(
            word,
            "only a struct with `#[derive(Command)]` or `#[derive(Arguments)]` has the fields of another: write them out here",
        );
    }
    for other in settings.others(&[Key::Flatten]) {
        errors.push(other, "the fields in place of this one have settings of their own: remove this");
    }
    refuse_constraints(attributes, "the fields in place of this one have rules of their own: write them there", errors);
}

/// What is split is a value, and only what is split has numbered keys.
pub(super) fn split(settings: &Settings, errors: &mut Errors) {
    match (&settings.split, &settings.from_zero, &settings.with) {
        (None, Some(word), _) => {
            errors.push(
                word,
                "`from_zero` says how the keys of a field are numbered that is split: add `split = 500_000`",
            );
        }
        (Some(_), _, Some(with)) => {
            errors.push(
                with,
                "a field that is split is a value itself: wrap it in a newtype with `#[derive(Value)]` and this setting",
            );
        }
        _ => {}
    }
}

/// With parameters the fields of the other types are not known at compile time.
pub(crate) fn no_parameters_beside(fields: &Fields<'_>, generics: &Generics, errors: &mut Errors) {
    if generics.params.is_empty() {
        return;
    }
    for field in &fields.flattened {
        errors.push(
            field.member,
            "a struct with parameters cannot have the fields of another: their names are compared when it is compiled",
        );
    }
}

/// No two fields have one name on the wire.
pub(super) fn unique(name: &str, earlier: &[Field<'_>], at: &dyn ToTokens, errors: &mut Errors) {
    let has = |field: &&Field<'_>| field.name == name || field.aliases.iter().any(|alias| alias == name);
    if let Some(Field { member, .. }) = earlier.iter().find(has) {
        errors.push(
            at,
            format!(
                "the field `{member}` already has the name `{name}` on the wire: \
                 choose another with `#[amp(name = \"..\")]`"
            ),
        );
    }
}

/// An alias is no name that the field has already.
pub(super) fn another_name(alias: &str, name: &str, earlier: &[String], at: &LitStr, errors: &mut Errors) {
    if alias == name || earlier.iter().any(|earlier| earlier == alias) {
        errors.push(at, format!("the field is already read under the name `{alias}`: remove this"));
    }
}

/// `#[exposed]` on anything but a field.
pub(crate) fn refuse_exposed(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("exposed")) {
        errors.push(attribute, "`#[exposed]` belongs on a field of a struct with `#[derive(Command)]`");
    }
}
