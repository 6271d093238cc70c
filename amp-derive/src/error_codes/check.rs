//! The rules for declared errors.

use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput, FieldsUnnamed, Generics, Ident};

use super::{Shape, Variant};
use crate::attributes::{Key, Settings};
use crate::constraints::{NOT_CHECKED, refuse_constraints};
use crate::errors::Errors;
use crate::fields::refuse_exposed;
use crate::generics::refuse_lifetimes;

/// The item is an enum that owns its parts.
pub(super) fn item(input: &DeriveInput, errors: &mut Errors) {
    only_settings(&input.attrs, errors);
    refuse_lifetimes(
        &input.generics,
        "what arrives owns its parts: use owned types, such as `String` for `&str`",
        errors,
    );
    match &input.data {
        Data::Enum(_) => {}
        Data::Struct(data) => errors.push(data.struct_token, WRONG_ITEM),
        Data::Union(data) => errors.push(data.union_token, WRONG_ITEM),
    }
}

const WRONG_ITEM: &str = "`#[derive(ErrorCodes)]` stands on an enum: each variant is one declared error";

/// Of the macro's attributes only `#[amp(..)]` is allowed here.
pub(super) fn only_settings(attributes: &[Attribute], errors: &mut Errors) {
    refuse_exposed(attributes, errors);
    refuse_constraints(attributes, NOT_CHECKED, errors);
}

/// Several fields have names.
pub(super) fn no_tuple(fields: &FieldsUnnamed, errors: &mut Errors) {
    errors.push(
        fields,
        "a declared error carries nothing, one `String` that is its description, \
         or fields with names: `{ name: Type, .. }`",
    );
}

/// The case is for the names of fields.
pub(super) fn has_field_names(shape: &Shape<'_>, settings: &Settings, errors: &mut Errors) {
    if let (Some(word), false) = (settings.written(Key::RenameAll), matches!(shape, Shape::Fields(_))) {
        errors
            .push(word, "this variant has no named fields: on the enum `rename_all` spells the codes of the variants");
    }
}

/// An included enum declares everything about its errors itself.
pub(super) fn only_include(settings: &Settings, errors: &mut Errors) {
    // A case is told in `has_field_names` where it belongs.
    for other in settings.others(&[Key::Include, Key::RenameAll]) {
        errors.push(other, "the included errors have codes and settings of their own: remove this");
    }
}

/// There is an enum to include.
pub(super) fn nothing_to_include(word: &Ident, variant: &Ident, errors: &mut Errors) {
    errors.push(
        word,
        format!("`include` stands on a variant that holds another enum of errors: `{variant}(OtherError)`"),
    );
}

/// The codes of an enum with parameters, which includes others, are not known at compile time.
pub(super) fn no_parameters_beside(variants: &[Variant<'_>], generics: &Generics, errors: &mut Errors) {
    if generics.params.is_empty() {
        return;
    }
    for variant in variants.iter().filter(|variant| matches!(variant.shape, Shape::Included(_))) {
        errors.push(
            variant.ident,
            "an enum with parameters cannot include another: the codes are compared when the enum is compiled",
        );
    }
}

/// No two errors have one code.
pub(super) fn unique(variant: &Variant<'_>, earlier: &[Variant<'_>], at: &dyn ToTokens, errors: &mut Errors) {
    let Some(code) = &variant.code else { return };
    if let Some(Variant { ident, .. }) = earlier.iter().find(|other| other.code.as_ref() == Some(code)) {
        errors
            .push(at, format!("`{ident}` already has the code `{code}`: choose another with `#[amp(code = \"..\")]`"));
    }
}

/// One error is the one for invalid arguments, and can be made from a text.
pub(super) fn invalid_argument(variant: &Variant<'_>, earlier: &[Variant<'_>], word: &Ident, errors: &mut Errors) {
    if let Some(Variant { ident, .. }) = earlier.iter().find(|other| other.invalid_argument) {
        errors.push(word, format!("`{ident}` already is the error for invalid arguments; keep one"));
    }
    if let Shape::Fields(_) = variant.shape {
        errors.push(
            word,
            "the error for invalid arguments carries nothing, or one `String` that says which argument and why",
        );
    }
}
