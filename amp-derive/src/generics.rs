//! The type parameters of an item and the bounds of its impls on them.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericParam, Generics, Ident, Type, WherePredicate};

use crate::code::code;
use crate::errors::Errors;

/// Everything that travels is owned by its receiver, and so is a responder.
pub(crate) fn refuse_lifetimes(generics: &Generics, message: &str, errors: &mut Errors) {
    for lifetime in generics.lifetimes() {
        errors.push(lifetime, message);
    }
}

/// The where clause of an impl: the user's own predicates, `every` for each type parameter, and `needs` for the
/// types that use one, unless bounds are `given` in their place.
pub(crate) fn where_clause<'a>(
    generics: &Generics,
    own: &Ident,
    given: Option<&[WherePredicate]>,
    every: &TokenStream,
    needs: impl Iterator<Item = (&'a Type, TokenStream)>,
) -> TokenStream {
    let written = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let parameters: Vec<&Ident> = generics.type_params().map(|parameter| &parameter.ident).collect();
    let needs = needs
        .filter(|_| given.is_none())
        .filter(|(ty, _)| mentions(ty, &|word| parameters.contains(&word)) && !mentions(ty, &|word| word == own))
        .map(|(ty, needed)| code!(#ty: #needed,));
    let given = given.into_iter().flatten();
    let predicates = code!(#(#written,)* #(#parameters: #every,)* #(#given,)* #(#needs)*);
    if predicates.is_empty() { predicates } else { code!(where #predicates) }
}

/// Whether a type is the same wherever it is written: it is none of the parameters, nor made from one, nor from `Self`.
pub(crate) fn stands_alone(ty: &Type, generics: &Generics) -> bool {
    let parameters: Vec<&Ident> = generics
        .params
        .iter()
        .filter_map(|parameter| match parameter {
            GenericParam::Type(ty) => Some(&ty.ident),
            GenericParam::Const(number) => Some(&number.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    !mentions(ty, &|word| word == "Self" || parameters.contains(&word))
}

/// Whether a word of the type is one of the wanted ones. A type that names the item itself gets no bound in the item's own where
/// clause: the compiler would go round in circles.
pub(crate) fn mentions(ty: &Type, wanted: &dyn Fn(&Ident) -> bool) -> bool {
    fn within(tokens: TokenStream, wanted: &dyn Fn(&Ident) -> bool) -> bool {
        tokens.into_iter().any(|tree| match tree {
            TokenTree::Ident(word) => wanted(&word),
            TokenTree::Group(group) => within(group.stream(), wanted),
            _ => false,
        })
    }
    within(ty.to_token_stream(), wanted)
}
