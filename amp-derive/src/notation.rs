//! The notation of settings and rules: `key`, `key = value`, with commas in between.

use std::fmt::Display;

use proc_macro2::TokenTree;
use quote::ToTokens;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, LitStr, Path, Token, Type, parenthesized, token};

use crate::errors::Errors;

/// A mistake on its tokens.
pub(crate) fn error(at: impl ToTokens, message: impl Display) -> syn::Error {
    syn::Error::new_spanned(at, message)
}

/// Fills a setting that may be given once.
pub(crate) fn once<T>(slot: &mut Option<T>, key: &Ident, value: T) -> syn::Result<()> {
    if slot.is_some() {
        return Err(error(key, format!("`{key}` is given twice; keep one")));
    }
    *slot = Some(value);
    Ok(())
}

/// The value behind `=`.
pub(crate) fn value<T: Parse>(key: &Ident, example: &str, what: &str, input: ParseStream<'_>) -> syn::Result<T> {
    let message = format!("`{key}` takes {what}: `{example}`");
    if !input.peek(Token![=]) || input.peek2(Token![,]) {
        return Err(error(key, message));
    }
    let equals: Token![=] = input.parse()?;
    if input.is_empty() {
        return Err(error(equals, message));
    }
    // Read ahead: the rest of a group that was begun would be reported too, with another message.
    let (ahead, wrong) = (input.fork(), input.fork());
    if let Ok(value) = ahead.parse() {
        input.advance_to(&ahead);
        return Ok(value);
    }
    Err(match wrong.parse::<Expr>() {
        Ok(wrong) => error(wrong, message),
        Err(_) => error(input.fork().parse::<TokenTree>()?, message),
    })
}

/// A setting without a value.
pub(crate) fn flag(key: &Ident, input: ParseStream<'_>) -> syn::Result<Ident> {
    if input.peek(Token![=]) || input.peek(token::Paren) {
        return Err(error(key, format!("`{key}` stands alone, without a value")));
    }
    Ok(key.clone())
}

/// Reads everything between the commas with `one`; after a mistake it continues behind the next comma.
pub(crate) fn separated(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut one: impl FnMut(ParseStream<'_>, &mut Errors) -> syn::Result<()>,
) -> syn::Result<()> {
    while !input.is_empty() {
        if let Err(error) = one(input, errors) {
            errors.add(error);
            skip_to_comma(input)?;
        }
        let _: Option<Token![,]> = input.parse()?;
    }
    Ok(())
}

/// Skips the rest of a setting that was not understood.
pub(crate) fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _: TokenTree = input.parse()?;
    }
    Ok(())
}

/// A type behind `=`, `:`, `(` or nothing, perhaps in quotes.
pub(crate) fn type_within(input: ParseStream<'_>) -> syn::Result<Type> {
    if input.peek(token::Paren) {
        let within;
        parenthesized!(within in input);
        return within.parse();
    }
    let _: Option<Token![=]> = input.parse()?;
    let _: Option<Token![:]> = input.parse()?;
    if input.peek(LitStr) { input.parse::<LitStr>()?.parse() } else { input.parse() }
}

/// A path as in `use`.
pub(crate) struct ModPath(pub(crate) Path);

impl Parse for ModPath {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Path::parse_mod_style(input).map(Self)
    }
}
