//! Reads a type that travels as one value.

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{DeriveInput, Index, Member};

use super::{Data, Item, Newtype, Shape, Variant, check};
use crate::attributes::{Place, Settings};
use crate::constraints::Constraint;
use crate::errors::Errors;
use crate::fields::Fields;
use crate::{docs, lints, wire_name};

impl<'a> Item<'a> {
    pub(super) fn of(input: &'a DeriveInput, errors: &mut Errors) -> Self {
        let mut settings = Settings::of(&input.attrs, Place::Value, errors);
        check::item(input, errors);
        let shape = match &input.data {
            syn::Data::Struct(data) => {
                check::no_enum(&settings, errors);
                newtype(&input.ident, &data.fields, errors)
                    .map_or(Shape::Wrong, |newtype| Shape::Newtype(Box::new(newtype)))
            }
            syn::Data::Enum(data) => of_enum(&input.ident, data, &settings, errors),
            syn::Data::Union(_) => Shape::Wrong,
        };
        Self {
            ident: &input.ident,
            generics: &input.generics,
            bound: settings.bound.take(),
            krate: settings.krate(),
            shape,
            deprecated: lints::deprecated(lints::parts(input)),
        }
    }
}

fn newtype<'a>(ident: &syn::Ident, fields: &'a syn::Fields, errors: &mut Errors) -> Option<Newtype<'a>> {
    let field = fields.iter().next().filter(|_| fields.len() == 1);
    let Some(field) = field else {
        check::not_one_field(ident, fields, errors);
        return None;
    };
    let settings = Settings::of(&field.attrs, Place::Held, errors);
    check::no_exposed(&field.attrs, errors);
    let member = match &field.ident {
        Some(name) => Member::Named(name.clone()),
        None => Member::Unnamed(Index { index: 0, span: field.ty.span() }),
    };
    let constraints = Constraint::all(&field.attrs, errors);
    Some(Newtype { member, ty: &field.ty, constraints, with: settings.with })
}

fn of_enum<'a>(ident: &syn::Ident, data: &'a syn::DataEnum, settings: &Settings, errors: &mut Errors) -> Shape<'a> {
    if data.variants.is_empty() {
        check::no_variant(ident, errors);
        return Shape::Wrong;
    }
    let tag = wire_name::tag(settings.tag.as_ref(), errors);
    let mut variants = Vec::new();
    for written in &data.variants {
        let variant = variant(written, settings, &tag, &variants, errors);
        variants.push(variant);
    }
    let has_data = variants.iter().any(|variant| matches!(variant.data, Data::Held(_) | Data::Fields(_)));
    if has_data || settings.tag.is_some() { Shape::Tagged { tag, variants } } else { Shape::Codes(variants) }
}

fn variant<'a>(
    written: &'a syn::Variant,
    outer: &Settings,
    tag: &str,
    earlier: &[Variant<'_>],
    errors: &mut Errors,
) -> Variant<'a> {
    let settings = Settings::of(&written.attrs, Place::ValueVariant, errors);
    check::no_exposed(&written.attrs, errors);
    check::no_constraints(&written.attrs, errors);
    let ident = &written.ident;
    let doc = docs::of(&written.attrs);
    if let Some(word) = &settings.other {
        let ty = check::other(written, word, &settings, earlier, errors);
        let data = ty.map_or(Data::Nothing, Data::Other);
        return Variant { ident, code: None, doc, data };
    }
    let code = wire_name::variant(settings.name.as_ref(), ident, outer.rename_all, errors);
    let at = settings.name.as_ref().map_or(ident as &dyn ToTokens, |name| name);
    check::unique(&code, earlier, at, errors);
    Variant { ident, code: Some(code), doc, data: data(written, &settings, tag, errors) }
}

fn data<'a>(written: &'a syn::Variant, settings: &Settings, tag: &str, errors: &mut Errors) -> Data<'a> {
    match &written.fields {
        syn::Fields::Named(written) => {
            let fields = Fields::of(written, Place::ValueVariant, settings.rename_all, errors);
            check::apart_from_tag(&fields, tag, errors);
            Data::Fields(fields)
        }
        fields => {
            check::has_field_names(settings, errors);
            held(fields, errors)
        }
    }
}

fn held<'a>(fields: &'a syn::Fields, errors: &mut Errors) -> Data<'a> {
    let syn::Fields::Unnamed(fields) = fields else { return Data::Nothing };
    match (fields.unnamed.first(), fields.unnamed.len()) {
        (Some(field), 1) => {
            let _ = Settings::of(&field.attrs, Place::Description, errors);
            check::no_exposed(&field.attrs, errors);
            check::no_constraints(&field.attrs, errors);
            Data::Held(&field.ty)
        }
        _ => {
            check::no_tuple(fields, errors);
            Data::Nothing
        }
    }
}
