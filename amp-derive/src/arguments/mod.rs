//! `#[derive(Arguments)]`, and the parts that it shares with `#[derive(Command)]`: a struct that travels as a box.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;
use syn::{DeriveInput, Generics, Ident, Path, WherePredicate};

use crate::attributes::{Place, Settings};
use crate::constraints::WholeRule;
use crate::errors::Errors;
use crate::fields::Fields;
use crate::stub;

/// A struct that travels as a box.
pub(crate) struct Struct<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    pub(crate) bound: Option<Vec<WherePredicate>>,
    pub(crate) krate: Path,
    pub(crate) fields: Fields<'a>,
    /// The rules for several fields together.
    rules: Vec<WholeRule>,
    /// An `allow` for deprecated parts, if there are any.
    pub(crate) deprecated: Option<TokenStream>,
}

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let mut settings = Settings::of(&input.attrs, Place::Arguments, &mut errors);
    let item = Struct::of(input, &mut settings, Place::Arguments, &mut errors);
    let Some(report) = errors.report() else {
        return [item.arguments(), item.value()].into_iter().collect();
    };
    let Struct { ident, generics, krate, deprecated, .. } = &item;
    let deprecated = deprecated.as_ref();
    let stubs = [stub::arguments(ident, generics, krate, deprecated), stub::value(ident, generics, krate, deprecated)];
    [report].into_iter().chain(stubs).collect()
}
