//! Conditions that decide whether a part of an item is compiled: `cfg`, also the one that a `cfg_attr` makes.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Meta, MetaList};

/// The conditions of one part, as attributes for everything that is generated from it.
#[derive(Default)]
pub(crate) struct Conditions(Vec<TokenStream>);

impl Conditions {
    /// The conditions among the attributes. Anything else that a `cfg_attr` makes stays where the user wrote it.
    pub(crate) fn of(attributes: &[Attribute]) -> Self {
        let kept = attributes.iter().filter_map(|attribute| match &attribute.meta {
            Meta::List(MetaList { path, tokens, .. }) => {
                let (kept, at) = (condition(path.get_ident()?, tokens)?, path.span());
                Some(quote_spanned!(at=> #[#kept]))
            }
            _ => None,
        });
        Self(kept.collect())
    }

    /// Whether the part is compiled in any case.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl ToTokens for Conditions {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().cloned());
    }
}

/// The attribute `word(within)` with nothing in it but conditions; `None` when it has none.
fn condition(word: &Ident, within: &TokenStream) -> Option<TokenStream> {
    if word == "cfg" {
        return Some(quote!(#word(#within)));
    }
    if word != "cfg_attr" {
        return None;
    }
    let parts = split_at_commas(within);
    let (when, attributes) = parts.split_first()?;
    let kept: Vec<TokenStream> = attributes.iter().filter_map(|attribute| condition_of(attribute)).collect();
    (!kept.is_empty()).then(|| quote!(#word(#(#when)*, #(#kept),*)))
}

fn condition_of(attribute: &[TokenTree]) -> Option<TokenStream> {
    match attribute {
        [TokenTree::Ident(word), TokenTree::Group(within)] => condition(word, &within.stream()),
        _ => None,
    }
}

fn split_at_commas(tokens: &TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    for tree in tokens.clone() {
        match (&tree, parts.last_mut()) {
            (TokenTree::Punct(punct), _) if punct.as_char() == ',' => parts.push(Vec::new()),
            (_, Some(last)) => last.push(tree),
            (_, None) => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn of_a_cfg_attr_only_the_conditions_are_kept() {
        let function: syn::ItemFn = parse_quote! {
            #[cfg(unix)]
            /// Docs.
            #[cfg_attr(all(a, b), doc = "x", cfg(c), cfg_attr(d, inline, cfg(e, f)), instrument(skip(self), cfg(no)))]
            #[cfg_attr(g, inline)]
            fn function() {}
        };
        let written = |tokens: &Conditions| tokens.to_token_stream().to_string().replace(' ', "");
        let conditions = Conditions::of(&function.attrs);
        assert_eq!(written(&conditions), "#[cfg(unix)]#[cfg_attr(all(a,b),cfg(c),cfg_attr(d,cfg(e,f)))]");
        assert!(Conditions::of(&[]).is_empty());
    }
}
