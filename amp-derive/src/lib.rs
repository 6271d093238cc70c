//! The macros of [`amp-rpc`](https://docs.rs/amp-rpc), whose library is `amp`. They only write paths into it.

mod arguments;
mod attributes;
mod code;
mod command;
mod error_codes;
mod errors;
mod fields;
mod generics;
mod responder;
mod stub;
mod wire_name;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// a
#[proc_macro_derive(Arguments, attributes(amp, exposed))]
pub fn derive_arguments(input: TokenStream) -> TokenStream {
    arguments::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// a
#[proc_macro_derive(Command, attributes(amp, exposed))]
pub fn derive_command(input: TokenStream) -> TokenStream {
    command::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// a
#[proc_macro_derive(ErrorCodes, attributes(amp))]
pub fn derive_error_codes(input: TokenStream) -> TokenStream {
    error_codes::derive(&parse_macro_input!(input as DeriveInput)).into()
}

/// a
#[proc_macro_attribute]
pub fn responder(settings: TokenStream, item: TokenStream) -> TokenStream {
    responder::attribute(settings.into(), item.into()).into()
}
