//! Reads declared errors.

use quote::ToTokens;
use syn::{Data, DeriveInput, Ident};

use super::{ErrorCodes, Shape, Variant, check};
use crate::attributes::{Place, Settings};
use crate::errors::Errors;
use crate::fields::Fields;
use crate::wire_name::Case;
use crate::{docs, lints, wire_name};

impl<'a> ErrorCodes<'a> {
    pub(super) fn of(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let mut settings = Settings::of(&input.attrs, Place::ErrorCodes, errors);
        check::item(input, errors);
        let variants = variants(&input.data, settings.rename_all, errors);
        check::no_parameters_beside(&variants, &input.generics, errors);
        let deprecated = lints::deprecated(lints::parts(input));
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

fn variants<'a>(data: &'a Data, case: Option<Case>, errors: &mut Errors) -> Vec<Variant<'a>> {
    let mut variants = Vec::new();
    if let Data::Enum(data) = data {
        for written in &data.variants {
            let variant = variant(written, &variants, case, errors);
            variants.push(variant);
        }
    }
    variants
}

fn variant<'a>(
    written: &'a syn::Variant,
    earlier: &[Variant<'_>],
    case: Option<Case>,
    errors: &mut Errors,
) -> Variant<'a> {
    let settings = Settings::of(&written.attrs, Place::Variant, errors);
    check::only_settings(&written.attrs, errors);
    if let Some(word) = &settings.include {
        return included(written, &settings, word, errors);
    }
    let variant = Variant {
        ident: &written.ident,
        code: Some(wire_name::code(settings.code.as_ref(), &written.ident, case, errors)),
        doc: docs::of(&written.attrs),
        fatal: settings.fatal.is_some(),
        invalid_argument: settings.invalid_argument.is_some(),
        shape: shape(&written.fields, settings.rename_all, errors),
    };
    check::has_field_names(&variant.shape, &settings, errors);
    let code_at = settings.code.as_ref().map_or(variant.ident as &dyn ToTokens, |code| code);
    check::unique(&variant, earlier, code_at, errors);
    if let Some(word) = &settings.invalid_argument {
        check::invalid_argument(&variant, earlier, word, errors);
    }
    variant
}

/// A variant that stands for all errors of another enum.
fn included<'a>(written: &'a syn::Variant, settings: &Settings, word: &Ident, errors: &mut Errors) -> Variant<'a> {
    check::only_include(settings, errors);
    check::has_field_names(&Shape::Unit, settings, errors);
    let shape = match &written.fields {
        syn::Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first().map(|field| {
            let _ = Settings::of(&field.attrs, Place::Description, errors);
            check::only_settings(&field.attrs, errors);
            Shape::Included(&field.ty)
        }),
        _ => None,
    };
    if shape.is_none() {
        check::nothing_to_include(word, &written.ident, errors);
    }
    Variant {
        ident: &written.ident,
        code: None,
        doc: String::new(),
        fatal: false,
        invalid_argument: false,
        shape: shape.unwrap_or(Shape::Unit),
    }
}

fn shape<'a>(fields: &'a syn::Fields, case: Option<Case>, errors: &mut Errors) -> Shape<'a> {
    match fields {
        syn::Fields::Unit => Shape::Unit,
        syn::Fields::Named(fields) => Shape::Fields(Fields::of(fields, Place::Variant, case, errors)),
        syn::Fields::Unnamed(fields) => match (fields.unnamed.first(), fields.unnamed.len()) {
            (Some(field), 1) => {
                let _ = Settings::of(&field.attrs, Place::Description, errors);
                check::only_settings(&field.attrs, errors);
                Shape::Description(&field.ty)
            }
            _ => {
                check::no_tuple(fields, errors);
                Shape::Unit
            }
        },
    }
}
