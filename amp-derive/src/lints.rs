//! The lints that an expansion allows. A crate may forbid a lint, and then an `allow` is an error.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput, Meta};

use crate::code::code;

/// Allows the use of deprecated items where the user names them: marks a part, or allows it there.
///
/// Elsewhere such a use is in the user's own tokens and is reported there, once.
pub(crate) fn deprecated<'a>(attributes: impl IntoIterator<Item = &'a [Attribute]>) -> Option<TokenStream> {
    let is_deprecation = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) if !list.path.is_ident("doc") => mentions(attribute.meta.to_token_stream()),
        meta => meta.path().is_ident("deprecated"),
    };
    let any = attributes.into_iter().flatten().any(is_deprecation);
    any.then(|| code!(#[allow(deprecated)]))
}

/// The attributes of an item, of its variants and of their fields.
pub(crate) fn parts(input: &DeriveInput) -> Vec<&[Attribute]> {
    let mut parts = vec![input.attrs.as_slice()];
    let of_fields = |fields| syn::Fields::iter(fields).map(|field| field.attrs.as_slice());
    match &input.data {
        Data::Struct(data) => parts.extend(of_fields(&data.fields)),
        Data::Enum(data) => {
            for variant in &data.variants {
                parts.push(&variant.attrs);
                parts.extend(of_fields(&variant.fields));
            }
        }
        Data::Union(_) => {}
    }
    parts
}

fn mentions(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(word) => word == "deprecated",
        TokenTree::Group(group) => mentions(group.stream()),
        _ => false,
    })
}
