//! Reads a struct.

use syn::{Data, DeriveInput};

use super::{Struct, check};
use crate::attributes::{Place, Settings};
use crate::constraints::WholeRule;
use crate::errors::Errors;
use crate::fields::{Fields, no_parameters_beside};
use crate::lints;

impl<'a> Struct<'a> {
    /// The struct that a macro of `place` is attached to; without fields if it is no struct.
    pub(crate) fn of(input: &'a DeriveInput, settings: &mut Settings, place: Place, errors: &mut Errors) -> Self {
        check::item(input, place, errors);
        let fields = match &input.data {
            Data::Struct(syn::DataStruct { fields: syn::Fields::Named(fields), .. }) => {
                Fields::of(fields, place, settings.rename_all, errors)
            }
            _ => Fields::default(),
        };
        no_parameters_beside(&fields, &input.generics, errors);
        let rules = WholeRule::all(&input.attrs, &fields, errors);
        let deprecated = lints::deprecated(lints::parts(input));
        Self {
            ident: &input.ident,
            generics: &input.generics,
            bound: settings.bound.take(),
            krate: settings.krate(),
            fields,
            rules,
            deprecated,
        }
    }
}
