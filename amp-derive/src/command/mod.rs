//! `#[derive(Command)]`.

mod check;
mod expand;
mod parse;

use proc_macro2::TokenStream;
use syn::{DeriveInput, Ident, Type, Visibility};

use crate::arguments::Struct;
use crate::errors::Errors;
use crate::stub;

/// A command: the struct of its arguments, and the settings about its answer.
struct Command<'a> {
    arguments: Struct<'a>,
    name: String,
    doc: String,
    response: Option<Type>,
    errors: Option<Type>,
    answered: bool,
    detached: bool,
    /// The constructor that the user asked for.
    constructor: Option<Constructor<'a>>,
}

/// `new`: makes the command from the fields that travel.
struct Constructor<'a> {
    word: Ident,
    vis: &'a Visibility,
}

pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::default();
    let command = Command::of(input, &mut errors);
    let Some(report) = errors.report() else {
        let parts = [Some(command.arguments.arguments()), Some(command.command()), command.constructor()];
        return parts.into_iter().flatten().collect();
    };
    let Struct { ident, generics, krate, deprecated, .. } = &command.arguments;
    let stub = stub::arguments(ident, generics, krate, deprecated.as_ref());
    [Some(report), Some(stub), Some(command.stub()), command.constructor()].into_iter().flatten().collect()
}
