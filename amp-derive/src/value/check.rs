//! The rules for a type that travels as one value.

use quote::ToTokens;
use syn::{Attribute, DeriveInput, FieldsUnnamed, Ident, Type};

use super::{Data, Variant};
use crate::attributes::{Key, Place, Settings};
use crate::constraints::refuse_constraints;
use crate::errors::Errors;
use crate::fields::Fields;
use crate::generics::refuse_lifetimes;

pub(super) use crate::fields::refuse_exposed as no_exposed;

/// The item owns its parts, and is no union.
pub(super) fn item(input: &DeriveInput, errors: &mut Errors) {
    no_exposed(&input.attrs, errors);
    no_constraints(&input.attrs, errors);
    refuse_lifetimes(
        &input.generics,
        "what arrives owns its parts: use owned types, such as `String` for `&str`",
        errors,
    );
    if let syn::Data::Union(data) = &input.data {
        errors.push(data.union_token, "`#[derive(Value)]` stands on a struct with one field, or on an enum");
    }
}

/// Constraints stand on fields.
pub(super) fn no_constraints(attributes: &[Attribute], errors: &mut Errors) {
    refuse_constraints(attributes, "`#[constrain(..)]` belongs on the field that it is about", errors);
}

/// A struct has no variants.
pub(super) fn no_enum(settings: &Settings, errors: &mut Errors) {
    if let Some(tag) = &settings.tag {
        errors.push(tag, "`tag` is the key of a variant's code: it belongs on an enum");
    }
    if let Some(word) = settings.written(Key::RenameAll) {
        errors.push(word, "a newtype has no names on the wire: `rename_all` belongs on an enum");
    }
}

/// A struct has one field, which is its value.
pub(super) fn not_one_field(ident: &Ident, fields: &syn::Fields, errors: &mut Errors) {
    const REMEDY: &str = "for a box of named values there is `#[derive(Arguments)]`";
    if fields.is_empty() {
        errors.push(ident, format!("a value is what the struct's one field holds, and this has none: {REMEDY}"));
    } else {
        errors.push(fields, format!("a value is what the struct's one field holds, and these are several: {REMEDY}"));
    }
}

/// An enum has a value.
pub(super) fn no_variant(ident: &Ident, errors: &mut Errors) {
    errors.push(ident, "an enum without variants has no value that could travel: give it one");
}

/// Several fields have names.
pub(super) fn no_tuple(fields: &FieldsUnnamed, errors: &mut Errors) {
    errors.push(
        fields,
        "a variant has nothing, one type with `#[derive(Arguments)]`, or fields with names: `{ name: Type, .. }`",
    );
}

/// No two variants have one code.
pub(super) fn unique(code: &str, earlier: &[Variant<'_>], at: &dyn ToTokens, errors: &mut Errors) {
    if let Some(Variant { ident, .. }) = earlier.iter().find(|other| other.code.as_deref() == Some(code)) {
        errors
            .push(at, format!("`{ident}` already has the code `{code}`: choose another with `#[amp(name = \"..\")]`"));
    }
}

/// The code of the variant stands among its fields.
pub(super) fn apart_from_tag(fields: &Fields<'_>, tag: &str, errors: &mut Errors) {
    if let Some(field) = fields.carried().iter().find(|field| field.names().any(|name| name == tag)) {
        errors.push(
            field.member,
            format!(
                "`{tag}` is the key of the variant's code: give the field other names with `name` or `alias`, \
                 or the key another with `#[amp(tag = \"..\")]` on the enum"
            ),
        );
    }
}

/// The case is for the names of fields.
pub(super) fn has_field_names(settings: &Settings, errors: &mut Errors) {
    if let Some(word) = settings.written(Key::RenameAll) {
        errors
            .push(word, "this variant has no named fields: on the enum `rename_all` spells the codes of the variants");
    }
}

/// One variant keeps codes that are not known, and nothing else. Returns the type that holds them.
pub(super) fn other<'a>(
    written: &'a syn::Variant,
    word: &Ident,
    settings: &Settings,
    earlier: &[Variant<'_>],
    errors: &mut Errors,
) -> Option<&'a Type> {
    if let Some(Variant { ident, .. }) = earlier.iter().find(|variant| matches!(variant.data, Data::Other(_))) {
        errors.push(word, format!("`{ident}` already keeps the codes that are not known; keep one"));
    }
    if let Some(name) = settings.written(Key::Name) {
        errors.push(name, "this variant keeps codes of others, and has none of its own: remove `name`");
    }
    for other in settings.others(&[Key::Other, Key::Name]) {
        errors.push(other, "this variant keeps codes of others, and has no fields: remove this");
    }
    let field = match &written.fields {
        syn::Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
        _ => None,
    };
    let Some(field) = field else {
        let variant = &written.ident;
        errors.push(word, format!("`other` stands on a variant that keeps the code: `{variant}(String)`"));
        return None;
    };
    let _ = Settings::of(&field.attrs, Place::Description, errors);
    no_exposed(&field.attrs, errors);
    no_constraints(&field.attrs, errors);
    Some(&field.ty)
}
