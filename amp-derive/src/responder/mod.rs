//! `#[responder]` on a trait and on an inherent `impl` block.

mod check;
mod dispatch;
mod expand_impl;
mod expand_object;
mod expand_trait;
mod names;
mod parse;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Ident, Item, ItemImpl, ItemTrait, Path, Signature, Type};

use crate::attributes::Settings;
use crate::conditions::Conditions;
use crate::errors::Errors;

/// A responder: its methods, each for one command.
struct Responder<'a> {
    krate: Path,
    methods: Vec<Method<'a>>,
    /// The responder traits whose commands are answered and called, too.
    extends: Vec<Path>,
    /// Whether there is a form of the trait for trait objects.
    has_object: bool,
    /// Whether each method is a task of its own from the beginning.
    spawned: bool,
    mistaken: Vec<Mistaken<'a>>,
    /// An `allow` for deprecated parts, if there are any.
    deprecated: Option<TokenStream>,
}

/// A mistaken part behind a condition: it is reported where the condition holds.
struct Mistaken<'a> {
    conditions: Conditions,
    report: TokenStream,
    signature: Option<&'a Signature>,
}

/// The item that the methods are declared in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Trait,
    Impl,
}

/// One method that answers one command.
struct Method<'a> {
    conditions: Conditions,
    ident: &'a Ident,
    command: &'a Type,
    /// The types of the parameters after the command.
    exposed: Vec<&'a Type>,
    reply: &'a Type,
    /// Whether it is a task of its own from the beginning.
    spawned: bool,
}

pub(crate) fn attribute(settings: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let settings = Settings::of_responder(settings, &mut errors);
    match syn::parse2(item.clone()) {
        Ok(Item::Trait(item)) => on_trait(&item, &settings, errors),
        Ok(Item::Impl(item)) => on_impl(&item, &settings, errors),
        Ok(_) => {
            errors.push(TokenStream::new(), "`#[responder]` stands on a trait or on an `impl` block");
            with_report(errors, item)
        }
        Err(error) => {
            errors.add(error);
            with_report(errors, item)
        }
    }
}

/// Only the report: the generated code would name connections, which are not there.
pub(crate) fn without_tokio() -> TokenStream {
    let mut errors = Errors::default();
    errors.push(
        TokenStream::new(),
        "`#[responder]` needs the feature `tokio` of `amp-rpc`: add `features = [\"tokio\"]` beside `default-features = false`; \
         without it there are commands, values and boxes, and no connections",
    );
    errors.report().unwrap_or_default()
}

fn on_trait(item: &ItemTrait, settings: &Settings, mut errors: Errors) -> TokenStream {
    let responder = Responder::of_trait(item, settings, &mut errors);
    let Some(report) = errors.report() else { return responder.expand_trait(item) };
    let mut stub = item.clone();
    // The client would have to satisfy it.
    stub.generics.where_clause = None;
    check::leave_out_misplaced(&mut stub.attrs);
    stub.items.iter_mut().for_each(names::leave_out_settings);
    names::leave_out_taken(&mut stub.items, Form::Trait);
    [report, responder.without_methods().stub_trait(&stub)].into_iter().collect()
}

fn on_impl(item: &ItemImpl, settings: &Settings, mut errors: Errors) -> TokenStream {
    let responder = Responder::of_impl(item, settings, &mut errors);
    let Some(report) = errors.report() else { return responder.expand_impl(item) };
    let inherent = item.trait_.is_none() && item.generics.lifetimes().next().is_none();
    let expanded = if inherent {
        let mut stub = item.clone();
        check::leave_out_misplaced(&mut stub.attrs);
        stub.items.iter_mut().for_each(names::leave_out_settings);
        names::leave_out_taken(&mut stub.items, Form::Impl);
        responder.without_methods().expand_impl(&stub)
    } else {
        quote!(#item)
    };
    [report, expanded].into_iter().collect()
}

impl Responder<'_> {
    /// Beside a report a locator answers nothing: the mistake in a method was reported.
    fn without_methods(self) -> Self {
        Self { methods: Vec::new(), ..self }
    }
}

fn with_report(errors: Errors, item: &TokenStream) -> TokenStream {
    let report = errors.report();
    quote!(#report #item)
}
