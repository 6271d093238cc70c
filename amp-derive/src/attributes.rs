//! The one parser for `#[amp(..)]` and for the settings of `#[responder(..)]`.

use std::fmt::Display;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Expr, Ident, LitStr, Meta, Path, Token, Type, parse_quote, token};

use crate::errors::Errors;

/// What a setting can stand on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Command,
    Arguments,
    Field,
    ErrorCodes,
    Variant,
    Description,
    Responder,
}

/// A setting that there is.
struct Known {
    key: &'static str,
    example: &'static str,
    /// Where it belongs, in words.
    home: &'static str,
    places: &'static [Place],
}

impl Known {
    const fn of_command(key: &'static str, example: &'static str) -> Self {
        Self { key, example, home: "a struct with `#[derive(Command)]`", places: &[Place::Command] }
    }

    const fn of_variant(key: &'static str, example: &'static str) -> Self {
        Self { key, example, home: "a variant of an enum with `#[derive(ErrorCodes)]`", places: &[Place::Variant] }
    }
}

const KNOWN: [Known; 8] = [
    Known {
        key: "name",
        example: "name = \"..\"",
        home: "a struct with `#[derive(Command)]` or a field",
        places: &[Place::Command, Place::Field],
    },
    Known::of_command("response", "response = Type"),
    Known::of_command("errors", "errors = Type"),
    Known::of_command("no_answer", "no_answer"),
    Known::of_variant("code", "code = \"..\""),
    Known::of_variant("fatal", "fatal"),
    Known::of_variant("invalid_argument", "invalid_argument"),
    Known {
        key: "crate",
        example: "crate = path",
        home: "the item",
        places: &[Place::Command, Place::Arguments, Place::ErrorCodes, Place::Responder],
    },
];

/// The settings of one item, field or variant. Flags keep the word that set them.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) name: Option<LitStr>,
    pub(crate) response: Option<Type>,
    pub(crate) errors: Option<Type>,
    pub(crate) no_answer: Option<Ident>,
    pub(crate) code: Option<LitStr>,
    pub(crate) fatal: Option<Ident>,
    pub(crate) invalid_argument: Option<Ident>,
    krate: Option<Path>,
}

impl Settings {
    /// The settings of every `#[amp(..)]` among the attributes.
    pub(crate) fn of(attributes: &[Attribute], place: Place, errors: &mut Errors) -> Self {
        let mut settings = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("amp")) {
            match &attribute.meta {
                Meta::List(list) => settings.read(list.tokens.clone(), place, errors),
                other => errors.push(
                    other,
                    format!("settings stand in parentheses: `#[amp(..)]`; known here: {}", examples(place)),
                ),
            }
        }
        settings
    }

    /// The settings in the parentheses of `#[responder(..)]`.
    pub(crate) fn of_responder(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut settings = Self::default();
        settings.read(tokens, Place::Responder, errors);
        settings
    }

    /// The path that leads to this project in the user's crate.
    pub(crate) fn krate(&self) -> Path {
        self.krate.clone().unwrap_or_else(|| parse_quote!(::amp))
    }

    fn read(&mut self, tokens: TokenStream, place: Place, errors: &mut Errors) {
        let all = |input: ParseStream<'_>| separated(input, errors, |input, _| self.read_one(input, place));
        if let Err(error) = all.parse2(tokens) {
            errors.add(error);
        }
    }

    fn read_one(&mut self, input: ParseStream<'_>, place: Place) -> syn::Result<()> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error(format!("a setting begins with its key; known here: {}", examples(place))));
        }
        let key = Ident::parse_any(input)?;
        let Some(Known { example, .. }) = known(&key, place)? else {
            return Err(error(&key, format!("`{key}` is no setting; known here: {}", examples(place))));
        };
        self.set(&key, example, input)?;
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(());
        }
        Err(input.error(format!("expected `,` or the end after `{example}`")))
    }

    fn set(&mut self, key: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<()> {
        match key.to_string().as_str() {
            "name" => once(&mut self.name, key, value(key, example, "text in quotes", input)?),
            "response" => once(&mut self.response, key, value(key, example, "a type", input)?),
            "errors" => once(&mut self.errors, key, value(key, example, "a type", input)?),
            "code" => once(&mut self.code, key, value(key, example, "text in quotes", input)?),
            "crate" => {
                let ModPath(path) = value(key, example, "a path", input)?;
                once(&mut self.krate, key, path)
            }
            "no_answer" => once(&mut self.no_answer, key, flag(key, input)?),
            "fatal" => once(&mut self.fatal, key, flag(key, input)?),
            _ => once(&mut self.invalid_argument, key, flag(key, input)?),
        }
    }
}

/// The setting with this key, if there is one; an error when it belongs elsewhere.
fn known(key: &Ident, place: Place) -> syn::Result<Option<&'static Known>> {
    let Some(known) = KNOWN.iter().find(|known| key == known.key) else { return Ok(None) };
    if known.places.contains(&place) {
        return Ok(Some(known));
    }
    Err(error(key, format!("`{key}` belongs on {}; known here: {}", known.home, examples(place))))
}

/// What may stand at a place, as a list for people.
fn examples(place: Place) -> String {
    let here = KNOWN.iter().filter(|known| known.places.contains(&place));
    let examples: Vec<String> = here.map(|known| format!("`{}`", known.example)).collect();
    if examples.is_empty() { "nothing".into() } else { examples.join(", ") }
}

pub(crate) fn error(at: impl ToTokens, message: impl Display) -> syn::Error {
    syn::Error::new_spanned(at, message)
}

/// Fills a setting that may be given once.
fn once<T>(slot: &mut Option<T>, key: &Ident, value: T) -> syn::Result<()> {
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
    let written = input.fork();
    input.parse().map_err(|_| match written.parse::<Expr>() {
        Ok(wrong) => error(wrong, message),
        Err(_) => written.error(message),
    })
}

/// A setting without a value.
pub(crate) fn flag(key: &Ident, input: ParseStream<'_>) -> syn::Result<Ident> {
    if input.peek(Token![=]) || input.peek(token::Paren) {
        return Err(error(key, format!("`{key}` stands alone, without a value")));
    }
    Ok(key.clone())
}

/// Reads everything between the commas with `one`; after a mistake it goes on behind the next comma.
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

/// Passes over what is left of a setting that was not understood.
fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        let _: TokenTree = input.parse()?;
    }
    Ok(())
}

/// A path as in `use`.
struct ModPath(Path);

impl Parse for ModPath {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Path::parse_mod_style(input).map(Self)
    }
}
