//! The one parser for `#[amp(..)]` and for the settings of `#[responder(..)]`.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Meta, Path, Token, Type, parse_quote, token};

use crate::errors::Errors;
use crate::notation::{ModPath, error, flag, once, separated, skip_to_comma, type_within, value};
use crate::spelling;

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

const KNOWN: [Known; 9] = [
    Known {
        key: "name",
        example: "name = \"..\"",
        home: "a struct with `#[derive(Command)]` or a field",
        places: &[Place::Command, Place::Field],
    },
    Known::of_command("response", "response = Type"),
    Known::of_command("errors", "errors = Type"),
    Known::of_command("no_answer", "no_answer"),
    Known::of_command("detached", "detached"),
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
    pub(crate) detached: Option<Ident>,
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
        let all =
            |input: ParseStream<'_>| separated(input, errors, |input, errors| self.read_one(input, place, errors));
        if let Err(error) = all.parse2(tokens) {
            errors.add(error);
        }
    }

    fn read_one(&mut self, input: ParseStream<'_>, place: Place, errors: &mut Errors) -> syn::Result<()> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error(format!("a setting begins with its key; known here: {}", examples(place))));
        }
        let key = Ident::parse_any(input)?;
        let Known { key: name, example, .. } = known(&key, place, errors)?;
        let written = input.fork();
        if let Err(error) = self.set(name, &key, example, input) {
            self.guess(name, &written);
            return Err(error);
        }
        if !(input.is_empty() || input.peek(Token![,])) {
            errors.add(input.error(format!("expected `,` or the end after `{example}`")));
            // A setting that only the comma is missing before is read all the same.
            let next = input.fork().call(Ident::parse_any);
            if !next.is_ok_and(|next| next != key && KNOWN.iter().any(|known| next == known.key)) {
                skip_to_comma(input)?;
            }
        }
        Ok(())
    }

    /// The type that may have been meant where none could be read. It is for the stub only: beside the mistake nobody
    /// should be told that the answer has another type.
    fn guess(&mut self, name: &str, written: ParseStream<'_>) {
        let slot = match name {
            "response" => &mut self.response,
            "errors" => &mut self.errors,
            _ => return,
        };
        if slot.is_none() {
            *slot = type_within(written).ok();
        }
    }

    fn set(&mut self, name: &str, key: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<()> {
        match name {
            "name" => once(&mut self.name, key, value(key, example, "text in quotes", input)?),
            "response" => once(&mut self.response, key, value(key, example, "a type", input)?),
            "errors" => match several(input) {
                Some(several) => Err(error(several, ONE_ENUM)),
                None => once(&mut self.errors, key, value(key, example, "a type", input)?),
            },
            "code" => once(&mut self.code, key, value(key, example, "text in quotes", input)?),
            "crate" => {
                let ModPath(path) = value(key, example, "a path", input)?;
                once(&mut self.krate, key, path)
            }
            "no_answer" => once(&mut self.no_answer, key, flag(key, input)?),
            "detached" => once(&mut self.detached, key, flag(key, input)?),
            "fatal" => once(&mut self.fatal, key, flag(key, input)?),
            _ => once(&mut self.invalid_argument, key, flag(key, input)?),
        }
    }
}

const ONE_ENUM: &str = "one enum declares all errors of a command: give it a variant for each of these";

/// What stands behind `=` where one type is expected, when it is a list: `[A, B]` or `(A, B)`.
fn several(input: ParseStream<'_>) -> Option<TokenTree> {
    let ahead = input.fork();
    let _: Token![=] = ahead.parse().ok()?;
    let one = ahead.fork().parse();
    let list = ahead.peek(token::Bracket) || matches!(one, Ok(Type::Tuple(types)) if !types.elems.is_empty());
    list.then(|| ahead.parse().ok())?
}

/// The setting with this key, or the one that is meant by it; an error when it belongs elsewhere.
fn known(key: &Ident, place: Place, errors: &mut Errors) -> syn::Result<&'static Known> {
    if let Some(known) = KNOWN.iter().find(|known| key == known.key) {
        let message = || format!("`{key}` belongs on {}; known here: {}", known.home, examples(place));
        return if known.places.contains(&place) { Ok(known) } else { Err(error(key, message())) };
    }
    let here = || KNOWN.iter().filter(|known| known.places.contains(&place));
    let meant = spelling::meant(&key.to_string(), here().map(|known| known.key));
    let Some(known) = here().find(|known| Some(known.key) == meant) else {
        return Err(error(key, format!("`{key}` is no setting; known here: {}", examples(place))));
    };
    errors.push(key, format!("`{key}` is no setting; did you mean `{}`?", known.key));
    Ok(known)
}

/// What may stand at a place, as a list for people.
fn examples(place: Place) -> String {
    let here = KNOWN.iter().filter(|known| known.places.contains(&place));
    let examples: Vec<String> = here.map(|known| format!("`{}`", known.example)).collect();
    if examples.is_empty() { "nothing".into() } else { examples.join(", ") }
}
