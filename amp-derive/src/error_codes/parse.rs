//! Reads declared errors and holds the rules for them.

use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput};

use super::{ErrorCodes, Shape, Variant};
use crate::attributes::{Place, Settings};
use crate::constraints::{NOT_CHECKED, refuse_constraints};
use crate::errors::Errors;
use crate::fields::{Fields, refuse_exposed};
use crate::generics::refuse_lifetimes;
use crate::{docs, lints, wire_name};

impl<'a> ErrorCodes<'a> {
    pub(super) fn of(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let mut settings = Settings::of(&input.attrs, Place::ErrorCodes, errors);
        refuse_exposed(&input.attrs, errors);
        refuse_constraints(&input.attrs, NOT_CHECKED, errors);
        refuse_lifetimes(
            &input.generics,
            "what arrives owns its parts: use owned types, such as `String` for `&str`",
            errors,
        );
        let variants = variants(&input.data, errors);
        let deprecated = lints::deprecated(parts(input));
        Self {
            ident: &input.ident,
            generics: &input.generics,
            bound: settings.bound.take(),
            krate: settings.krate(),
            variants,
            deprecated,
        }
    }
}

/// The attributes of the enum, of its variants and of their fields.
fn parts(input: &DeriveInput) -> Vec<&[Attribute]> {
    let mut parts = vec![input.attrs.as_slice()];
    if let Data::Enum(data) = &input.data {
        for variant in &data.variants {
            parts.push(&variant.attrs);
            parts.extend(variant.fields.iter().map(|field| field.attrs.as_slice()));
        }
    }
    parts
}

fn variants<'a>(data: &'a Data, errors: &mut Errors) -> Vec<Variant<'a>> {
    let mut variants = Vec::new();
    match data {
        Data::Enum(data) => {
            for written in &data.variants {
                let variant = variant(written, &variants, errors);
                variants.push(variant);
            }
        }
        Data::Struct(data) => errors.push(data.struct_token, WRONG_ITEM),
        Data::Union(data) => errors.push(data.union_token, WRONG_ITEM),
    }
    variants
}

const WRONG_ITEM: &str = "`#[derive(ErrorCodes)]` stands on an enum: each variant is one declared error";

fn variant<'a>(written: &'a syn::Variant, earlier: &[Variant<'_>], errors: &mut Errors) -> Variant<'a> {
    let settings = Settings::of(&written.attrs, Place::Variant, errors);
    refuse_exposed(&written.attrs, errors);
    refuse_constraints(&written.attrs, NOT_CHECKED, errors);
    let variant = Variant {
        ident: &written.ident,
        code: wire_name::code(settings.code.as_ref(), &written.ident, errors),
        doc: docs::of(&written.attrs),
        fatal: settings.fatal.is_some(),
        invalid_argument: settings.invalid_argument.is_some(),
        shape: shape(&written.fields, errors),
    };
    let code_at = settings.code.as_ref().map_or(variant.ident as &dyn ToTokens, |code| code);
    check_unique(&variant, earlier, code_at, errors);
    if let Some(word) = &settings.invalid_argument {
        check_invalid_argument(&variant, earlier, word, errors);
    }
    variant
}

fn shape<'a>(fields: &'a syn::Fields, errors: &mut Errors) -> Shape<'a> {
    match fields {
        syn::Fields::Unit => Shape::Unit,
        syn::Fields::Named(fields) => Shape::Fields(Fields::of(fields, Place::Variant, errors)),
        syn::Fields::Unnamed(fields) => match (fields.unnamed.first(), fields.unnamed.len()) {
            (Some(field), 1) => {
                let _ = Settings::of(&field.attrs, Place::Description, errors);
                refuse_exposed(&field.attrs, errors);
                refuse_constraints(&field.attrs, NOT_CHECKED, errors);
                Shape::Description(&field.ty)
            }
            _ => {
                errors.push(
                    fields,
                    "a declared error carries nothing, one `String` that is its description, \
                     or fields with names: `{ name: Type, .. }`",
                );
                Shape::Unit
            }
        },
    }
}

fn check_unique(variant: &Variant<'_>, earlier: &[Variant<'_>], at: &dyn ToTokens, errors: &mut Errors) {
    if let Some(Variant { ident, code, .. }) = earlier.iter().find(|other| other.code == variant.code) {
        errors
            .push(at, format!("`{ident}` already has the code `{code}`: choose another with `#[amp(code = \"..\")]`"));
    }
}

fn check_invalid_argument(variant: &Variant<'_>, earlier: &[Variant<'_>], word: &syn::Ident, errors: &mut Errors) {
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
