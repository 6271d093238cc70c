//! `#[derive(ErrorCodes)]`.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, Generics, Ident, Path, Type, WherePredicate};

use crate::errors::Errors;
use crate::fields::Fields;
use crate::stub;

/// The errors that a command declares.
struct ErrorCodes<'a> {
    ident: &'a Ident,
    generics: &'a Generics,
    bound: Option<Vec<WherePredicate>>,
    krate: Path,
    variants: Vec<Variant<'a>>,
    /// An `allow` for deprecated parts, if there are any.
    deprecated: Option<TokenStream>,
}

/// One declared error.
struct Variant<'a> {
    ident: &'a Ident,
    /// `None` where errors of another enum are included, which have their own.
    code: Option<String>,
    doc: String,
    fatal: bool,
    invalid_argument: bool,
    shape: Shape<'a>,
}

/// The data of a declared error.
enum Shape<'a> {
    /// Nothing: `Display` is the description.
    Unit,
    /// The description itself.
    Description(&'a Type),
    /// Further keys of the error box.
    Fields(Fields<'a>),
    /// An error of another enum, whose codes are declared here, too.
    Included(&'a Type),
}

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let codes = ErrorCodes::of(input, &mut errors);
    let Some(report) = errors.report() else { return codes.expand() };
    let is_error = if let Data::Enum(_) = input.data { codes.is_error() } else { None };
    let stub = stub::error_codes(codes.ident, codes.generics, &codes.krate, codes.deprecated.as_ref());
    [Some(report), is_error, Some(stub)].into_iter().flatten().collect()
}
