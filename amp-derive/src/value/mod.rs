//! `#[derive(Value)]`.

mod check;
mod expand;
mod expand_enum;
mod parse;

use proc_macro2::TokenStream;
use syn::{DeriveInput, Generics, Ident, Member, Path, Type, WherePredicate};

use crate::constraints::Constraint;
use crate::errors::Errors;
use crate::fields::Fields;
use crate::stub;
use crate::with::With;

/// A type that travels as one value.
struct Item<'a> {
    ident: &'a Ident,
    generics: &'a Generics,
    bound: Option<Vec<WherePredicate>>,
    krate: Path,
    shape: Shape<'a>,
    /// An `allow` for deprecated parts, if there are any.
    deprecated: Option<TokenStream>,
}

enum Shape<'a> {
    Newtype(Box<Newtype<'a>>),
    /// A text, the code of a variant.
    Codes(Vec<Variant<'a>>),
    /// A box, with the code of a variant under the key `tag`.
    Tagged {
        tag: String,
        variants: Vec<Variant<'a>>,
    },
    /// None of them, which is reported.
    Wrong,
}

/// A struct that is encoded as its one field.
struct Newtype<'a> {
    member: Member,
    ty: &'a Type,
    constraints: Vec<Constraint>,
    /// The type that writes and reads it, if it is no value itself.
    with: Option<With>,
}

struct Variant<'a> {
    ident: &'a Ident,
    /// `None` where it holds the code itself.
    code: Option<String>,
    doc: String,
    data: Data<'a>,
}

/// What a variant has beside its code.
enum Data<'a> {
    Nothing,
    /// A code that is not known.
    Other(&'a Type),
    /// The fields of another type.
    Held(&'a Type),
    Fields(Fields<'a>),
}

impl Shape<'_> {
    fn variants(&self) -> &[Variant<'_>] {
        match self {
            Self::Codes(variants) | Self::Tagged { variants, .. } => variants,
            _ => &[],
        }
    }
}

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let item = Item::of(input, &mut errors);
    let Some(report) = errors.report() else { return item.expand() };
    let stub = stub::value(item.ident, item.generics, &item.krate, item.deprecated.as_ref());
    [report, stub].into_iter().collect()
}
