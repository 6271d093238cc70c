//! Helpers that every expansion is written with.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Ident;
use syn::spanned::Spanned;

/// `quote!` whose local names cannot collide with the user's own.
macro_rules! code {
    ($($tokens:tt)*) => {
        ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($tokens)*)
    };
}

pub(crate) use code;

/// The same tokens, with the span of the user's `place`: there the compiler points when they do not fit.
pub(crate) fn standing_at(place: impl ToTokens, tokens: TokenStream) -> TokenStream {
    move_to(place.to_token_stream().span(), tokens)
}

/// The same tokens, spanning from the first of the user's `place` to its last, as if the user had written them there: the
/// compiler reports all of them as one error.
pub(crate) fn reaching_over(place: impl ToTokens, tokens: TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let place: Vec<TokenTree> = place.to_token_stream().into_iter().collect();
    if let Some((end, place)) = tokens.last_mut().zip(place.last()) {
        end.set_span(place.span());
    }
    if let Some((begin, place)) = tokens.first_mut().zip(place.first()) {
        begin.set_span(place.span());
    }
    tokens.into_iter().collect()
}

/// A parameter of a generated function: without a name if it is unused.
pub(crate) fn parameter(name: &str, used: bool) -> TokenStream {
    let name = Ident::new(name, Span::mixed_site());
    if used { code!(#name) } else { code!(_) }
}

/// `<Type as Trait>`, so that the compiler points at the user's type if it does not implement the trait.
pub(crate) fn as_trait(ty: &impl ToTokens, name: &TokenStream) -> TokenStream {
    let [open, close] = [code!(<), code!(>)].map(|bracket| standing_at(ty, bracket));
    let name = standing_at(ty, code!(as #name));
    code!(#open #ty #name #close)
}

/// `(arguments)`, where the parentheses have the span of the user's `place` and the arguments keep theirs.
pub(crate) fn call_at(place: impl ToTokens, arguments: TokenStream) -> TokenTree {
    group_at(place, Delimiter::Parenthesis, arguments)
}

/// `{ body }`, where the braces have the span of the user's `place` and the body keeps its own.
pub(crate) fn block_at(place: impl ToTokens, body: TokenStream) -> TokenTree {
    group_at(place, Delimiter::Brace, body)
}

fn group_at(place: impl ToTokens, delimiter: Delimiter, within: TokenStream) -> TokenTree {
    let mut group = Group::new(delimiter, within);
    group.set_span(Span::mixed_site().located_at(place.to_token_stream().span()));
    group.into()
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
