//! `#[derive(Command)]`.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;
use syn::{DeriveInput, Type};

use crate::arguments::Struct;
use crate::errors::Errors;
use crate::stub;

/// A command: the struct of its arguments, and what it says about its answer.
struct Command<'a> {
    arguments: Struct<'a>,
    name: String,
    doc: String,
    response: Option<Type>,
    errors: Option<Type>,
    answered: bool,
    detached: bool,
}

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let command = Command::of(input, &mut errors);
    let Some(report) = errors.report() else {
        return [command.arguments.arguments(), command.command()].into_iter().collect();
    };
    let Struct { ident, generics, krate, deprecated, .. } = &command.arguments;
    [report, stub::arguments(ident, generics, krate, deprecated.as_ref()), command.stub()].into_iter().collect()
}
