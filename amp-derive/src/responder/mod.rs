//! `#[responder]` on a trait and on an inherent `impl` block.

mod check;
mod dispatch;
mod expand_impl;
mod expand_trait;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Ident, Item, ItemImpl, ItemTrait, Path, Type};

use crate::attributes::Settings;
use crate::errors::Errors;

/// What answers: its methods, each for one command.
struct Responder<'a> {
    krate: Path,
    methods: Vec<Method<'a>>,
}

/// One method that answers one command.
struct Method<'a> {
    cfgs: Vec<&'a Attribute>,
    ident: &'a Ident,
    command: &'a Type,
    reply: &'a Type,
}

pub(crate) fn attribute(settings: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let krate = Settings::of_responder(settings, &mut errors).krate();
    match syn::parse2(item.clone()) {
        Ok(Item::Trait(item)) => on_trait(&item, krate, errors),
        Ok(Item::Impl(item)) => on_impl(&item, krate, errors),
        Ok(_) => {
            errors.push(TokenStream::new(), "`#[responder]` stands on a trait or on an `impl` block");
            with_report(errors, &item)
        }
        Err(error) => {
            errors.add(error);
            with_report(errors, &item)
        }
    }
}

fn on_trait(item: &ItemTrait, krate: Path, mut errors: Errors) -> TokenStream {
    let responder = Responder::of_trait(item, krate, &mut errors);
    match errors.report() {
        None => responder.expand_trait(item),
        // The signatures are `async` until they are rewritten, and that is not the user's mistake.
        Some(report) => quote!(#report #[allow(async_fn_in_trait)] #item),
    }
}

fn on_impl(item: &ItemImpl, krate: Path, mut errors: Errors) -> TokenStream {
    let responder = Responder::of_impl(item, krate, &mut errors);
    match errors.report() {
        None => responder.expand_impl(item),
        Some(report) => quote!(#report #item),
    }
}

fn with_report(errors: Errors, item: &TokenStream) -> TokenStream {
    let report = errors.report();
    quote!(#report #item)
}
