//! What every expansion is written with.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Ident;
use syn::spanned::Spanned;

/// `quote!` whose local names cannot meet the user's own.
macro_rules! code {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}

pub(crate) use code;

/// The same tokens, standing where the user's `place` stands: there the compiler points when they do not fit.
pub(crate) fn standing_at(place: impl ToTokens, tokens: TokenStream) -> TokenStream {
    move_to(place.to_token_stream().span(), tokens)
}

/// A parameter of a generated function: without a name when nothing uses it.
pub(crate) fn parameter(name: &str, used: bool) -> TokenStream {
    let name = Ident::new(name, Span::mixed_site());
    if used { code!(#name) } else { code!(_) }
}

fn move_to(place: Span, tokens: TokenStream) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut tree| {
            if let TokenTree::Group(group) = &tree {
                tree = Group::new(group.delimiter(), move_to(place, group.stream())).into();
            }
            tree.set_span(tree.span().located_at(place));
            tree
        })
        .collect()
}
