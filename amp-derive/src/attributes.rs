//! The one parser for `#[amp(..)]` and for the settings of `#[responder(..)]`.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, LitStr, Meta, Path, Token, Type, WherePredicate, parenthesized, parse_quote, token};

use crate::errors::Errors;
use crate::notation::{ModPath, error, flag, once, separated, skip_to_comma, type_within, value};
use crate::spelling;

/// The items that a setting can be attached to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Command,
    Arguments,
    Field,
    ErrorCodes,
    Variant,
    Description,
    Responder,
    Method,
}

/// The subject of a setting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Name,
    Response,
    Errors,
    NoAnswer,
    Detached,
    New,
    Code,
    Fatal,
    InvalidArgument,
    Include,
    Spawn,
    Extends,
    Dyn,
    Bound,
    Crate,
}

/// A known setting.
struct Known {
    key: Key,
    word: &'static str,
    example: &'static str,
    /// Its place, in words.
    home: &'static str,
    places: &'static [Place],
}

impl Known {
    const fn of_command(key: Key, word: &'static str, example: &'static str) -> Self {
        Self { key, word, example, home: "a struct with `#[derive(Command)]`", places: &[Place::Command] }
    }

    const fn of_variant(key: Key, word: &'static str, example: &'static str) -> Self {
        Self {
            key,
            word,
            example,
            home: "a variant of an enum with `#[derive(ErrorCodes)]`",
            places: &[Place::Variant],
        }
    }
}

const KNOWN: [Known; 15] = [
    Known {
        key: Key::Name,
        word: "name",
        example: "name = \"..\"",
        home: "a struct with `#[derive(Command)]` or a field",
        places: &[Place::Command, Place::Field],
    },
    Known::of_command(Key::Response, "response", "response = Type"),
    Known::of_command(Key::Errors, "errors", "errors = Type"),
    Known::of_command(Key::NoAnswer, "no_answer", "no_answer"),
    Known::of_command(Key::Detached, "detached", "detached"),
    Known::of_command(Key::New, "new", "new"),
    Known::of_variant(Key::Code, "code", "code = \"..\""),
    Known::of_variant(Key::Fatal, "fatal", "fatal"),
    Known::of_variant(Key::InvalidArgument, "invalid_argument", "invalid_argument"),
    Known::of_variant(Key::Include, "include", "include"),
    Known {
        key: Key::Spawn,
        word: "spawn",
        example: "spawn",
        home: "a trait or an `impl` block with `#[responder(..)]`, or a method of one",
        places: &[Place::Responder, Place::Method],
    },
    Known {
        key: Key::Extends,
        word: "extends",
        example: "extends(Trait)",
        home: "a trait with `#[responder(..)]`",
        places: &[Place::Responder],
    },
    Known {
        key: Key::Dyn,
        word: "dyn",
        example: "dyn",
        home: "a trait with `#[responder(..)]`",
        places: &[Place::Responder],
    },
    Known {
        key: Key::Bound,
        word: "bound",
        example: "bound = \"T: Value\"",
        home: "a struct or an enum with type parameters",
        places: &[Place::Command, Place::Arguments, Place::ErrorCodes],
    },
    Known {
        key: Key::Crate,
        word: "crate",
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
    pub(crate) new: Option<Ident>,
    pub(crate) code: Option<LitStr>,
    pub(crate) fatal: Option<Ident>,
    pub(crate) invalid_argument: Option<Ident>,
    pub(crate) include: Option<Ident>,
    pub(crate) spawn: Option<Ident>,
    /// Whether the trait gets a form for trait objects.
    pub(crate) object: Option<Ident>,
    /// The responder traits that this one extends.
    pub(crate) extends: Option<Vec<Path>>,
    /// The bounds of the impls on the type parameters, in place of those that follow from the fields.
    pub(crate) bound: Option<Vec<WherePredicate>>,
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

    /// Whether a `cfg_attr` makes an `#[amp(..)]`.
    pub(crate) fn stand_behind(attribute: &Attribute) -> bool {
        let Meta::List(list) = &attribute.meta else { return false };
        if !list.path.is_ident("cfg_attr") {
            return false;
        }
        let trees: Vec<TokenTree> = list.tokens.clone().into_iter().collect();
        let is_comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ',');
        // Not the beginning of a path, as `amp::something`.
        let ends =
            |tree: Option<&TokenTree>| tree.is_none_or(|tree| is_comma(tree) || matches!(tree, TokenTree::Group(_)));
        (1..trees.len()).any(|at| {
            let is_amp = matches!(&trees[at], TokenTree::Ident(word) if word == "amp");
            is_amp && is_comma(&trees[at - 1]) && ends(trees.get(at + 1))
        })
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
        let known = known(&key, place, errors)?;
        let (example, written) = (known.example, input.fork());
        if let Err(error) = self.set(known.key, &key, example, input) {
            self.guess(known.key, &written);
            return Err(error);
        }
        if !(input.is_empty() || input.peek(Token![,])) {
            errors.add(input.error(format!("expected `,` or the end after `{example}`")));
            // A setting after a missing comma is read all the same.
            let next = input.fork().call(Ident::parse_any);
            if !next.is_ok_and(|next| next != key && KNOWN.iter().any(|known| next == known.word)) {
                skip_to_comma(input)?;
            }
        }
        Ok(())
    }

    /// The type that may have been meant where none could be read. It is for the stub only: beside the mistake no further error
    /// about the type of the answer should appear.
    fn guess(&mut self, key: Key, written: ParseStream<'_>) {
        let slot = match key {
            Key::Response => &mut self.response,
            Key::Errors => &mut self.errors,
            _ => return,
        };
        if slot.is_none() {
            *slot = type_within(written).ok();
        }
    }

    fn set(&mut self, key: Key, at: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<()> {
        match key {
            Key::Name => once(&mut self.name, at, value(at, example, "text in quotes", input)?),
            Key::Response => once(&mut self.response, at, value(at, example, "a type", input)?),
            Key::Errors => match several(input) {
                Some(several) => Err(error(several, ONE_ENUM)),
                None => once(&mut self.errors, at, value(at, example, "a type", input)?),
            },
            Key::NoAnswer => once(&mut self.no_answer, at, flag(at, input)?),
            Key::Detached => once(&mut self.detached, at, flag(at, input)?),
            Key::New => once(&mut self.new, at, flag(at, input)?),
            Key::Code => once(&mut self.code, at, value(at, example, "text in quotes", input)?),
            Key::Fatal => once(&mut self.fatal, at, flag(at, input)?),
            Key::InvalidArgument => once(&mut self.invalid_argument, at, flag(at, input)?),
            Key::Include => once(&mut self.include, at, flag(at, input)?),
            Key::Spawn => once(&mut self.spawn, at, flag(at, input)?),
            Key::Extends => once(&mut self.extends, at, paths(at, example, input)?),
            Key::Dyn => once(&mut self.object, at, flag(at, input)?),
            Key::Bound => {
                let bounds = predicates(&value(at, example, "bounds in quotes", input)?, example)?;
                once(&mut self.bound, at, bounds)
            }
            Key::Crate => {
                let ModPath(path) = value(at, example, "a path", input)?;
                once(&mut self.krate, at, path)
            }
        }
    }
}

/// The paths in parentheses.
fn paths(at: &Ident, example: &str, input: ParseStream<'_>) -> syn::Result<Vec<Path>> {
    let message = || error(at, format!("`{at}` takes the responder traits that this one extends: `{example}`"));
    if !input.peek(token::Paren) {
        return Err(message());
    }
    let within;
    parenthesized!(within in input);
    let paths = Punctuated::<Path, Token![,]>::parse_terminated_with(&within, Path::parse_mod_style)?;
    if paths.is_empty() { Err(message()) } else { Ok(paths.into_iter().collect()) }
}

/// The bounds in quotes, as in a `where` clause.
fn predicates(text: &LitStr, example: &str) -> syn::Result<Vec<WherePredicate>> {
    let read = text.parse_with(Punctuated::<WherePredicate, Token![,]>::parse_terminated);
    let read = read.map_err(|_| error(text, format!("these are no bounds as in a `where` clause: `{example}`")));
    read.map(|predicates| predicates.into_iter().collect())
}

const ONE_ENUM: &str = "one enum declares all errors of a command: give it a variant for each of these";

/// The list behind `=` where one type is expected: `[A, B]` or `(A, B)`.
fn several(input: ParseStream<'_>) -> Option<TokenTree> {
    let ahead = input.fork();
    let _: Token![=] = ahead.parse().ok()?;
    let one = ahead.fork().parse();
    let list = ahead.peek(token::Bracket) || matches!(one, Ok(Type::Tuple(types)) if !types.elems.is_empty());
    list.then(|| ahead.parse().ok())?
}

/// The setting with this key, or the one that was probably meant; an error if it belongs elsewhere.
fn known(key: &Ident, place: Place, errors: &mut Errors) -> syn::Result<&'static Known> {
    if let Some(known) = KNOWN.iter().find(|known| key == known.word) {
        let message = || format!("`{key}` belongs on {}; known here: {}", known.home, examples(place));
        return if known.places.contains(&place) { Ok(known) } else { Err(error(key, message())) };
    }
    let here = || KNOWN.iter().filter(|known| known.places.contains(&place));
    let meant = spelling::meant(&key.to_string(), here().map(|known| known.word));
    let Some(known) = here().find(|known| Some(known.word) == meant) else {
        return Err(error(key, format!("`{key}` is no setting; known here: {}", examples(place))));
    };
    errors.push(key, format!("`{key}` is no setting; did you mean `{}`?", known.word));
    Ok(known)
}

/// The settings that a place allows, as a list for people.
fn examples(place: Place) -> String {
    let here = KNOWN.iter().filter(|known| known.places.contains(&place));
    let examples: Vec<String> = here.map(|known| format!("`{}`", known.example)).collect();
    if examples.is_empty() { "nothing".into() } else { examples.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cfg_attr_that_makes_settings_is_one() {
        let is = |attribute: Attribute| Settings::stand_behind(&attribute);
        assert!(is(parse_quote!(#[cfg_attr(test, amp(spawn))])));
        assert!(is(parse_quote!(#[cfg_attr(test, inline, amp)])));
        assert!(is(parse_quote!(#[cfg_attr(test, amp, inline)])));
        assert!(!is(parse_quote!(#[cfg_attr(test, amp::error::something)])), "another macro, by its path");
        assert!(!is(parse_quote!(#[cfg_attr(amp, inline)])), "a condition");
        assert!(!is(parse_quote!(#[retry(3, amp(x))])), "another macro, which has its own words");
        assert!(!is(parse_quote!(#[retry(3, amp::error::codes::BUSY)])));
    }
}
