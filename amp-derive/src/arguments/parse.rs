//! Reads a struct and holds the rules for it.

use syn::{Attribute, Data, DeriveInput};

use super::Struct;
use crate::attributes::{Place, Settings};
use crate::constraints::refuse_constraints;
use crate::errors::Errors;
use crate::fields::{Fields, refuse_exposed};
use crate::generics::refuse_lifetimes;
use crate::lints;

impl<'a> Struct<'a> {
    /// The struct that a macro of `place` stands on; without fields when it is none.
    pub(crate) fn of(input: &'a DeriveInput, settings: &mut Settings, place: Place, errors: &mut Errors) -> Self {
        refuse_exposed(&input.attrs, errors);
        refuse_constraints(&input.attrs, "`#[constrain(..)]` belongs on the field that it is about", errors);
        refuse_lifetimes(
            &input.generics,
            "what arrives owns its parts: use owned types, such as `String` for `&str`",
            errors,
        );
        let fields = fields(&input.data, place, errors).unwrap_or_default();
        let deprecated = lints::deprecated(parts(input));
        Self {
            ident: &input.ident,
            generics: &input.generics,
            bound: settings.bound.take(),
            krate: settings.krate(),
            fields,
            deprecated,
        }
    }
}

/// The attributes of the struct and of its fields.
fn parts(input: &DeriveInput) -> Vec<&[Attribute]> {
    let mut parts = vec![input.attrs.as_slice()];
    if let Data::Struct(data) = &input.data {
        parts.extend(data.fields.iter().map(|field| field.attrs.as_slice()));
    }
    parts
}

fn fields<'a>(data: &'a Data, place: Place, errors: &mut Errors) -> Option<Fields<'a>> {
    let (this, what) = match place {
        Place::Command => ("#[derive(Command)]", "arguments"),
        _ => ("#[derive(Arguments)]", "pairs of the box"),
    };
    match data {
        Data::Struct(data) => match &data.fields {
            syn::Fields::Named(fields) => return Some(Fields::of(fields, place, errors)),
            syn::Fields::Unit => {}
            syn::Fields::Unnamed(fields) => {
                errors.push(fields, "what travels in a box has names: write `{ name: Type, .. }`, or nothing at all");
            }
        },
        Data::Enum(data) => {
            errors.push(data.enum_token, format!("`{this}` stands on a struct, whose fields are the {what}"));
        }
        Data::Union(data) => {
            errors.push(data.union_token, format!("`{this}` stands on a struct, whose fields are the {what}"));
        }
    }
    None
}
