//! The one parser for `#[amp(..)]` and for the settings of `#[responder(..)]`.

mod known;

use proc_macro2::{TokenStream, TokenTree};
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, LitStr, Meta, Path, Token, Type, WherePredicate, parenthesized, parse_quote, token};

use known::{KNOWN, examples, known};
pub(crate) use known::{Key, Place};

use crate::errors::Errors;
use crate::notation::{ModPath, error, flag, once, separated, skip_to_comma, type_within, value};
use crate::wire_name::Case;
use crate::with::With;

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
    /// The spelling of the names that are not given.
    pub(crate) rename_all: Option<Case>,
    /// The key of the variant's code.
    pub(crate) tag: Option<LitStr>,
    /// Whether the variant keeps the codes that are not known.
    pub(crate) other: Option<Ident>,
    /// What writes and reads the field.
    pub(crate) with: Option<With>,
    /// What an absent field is.
    pub(crate) default: Option<Absent>,
    /// The other names under which a field is read.
    pub(crate) aliases: Vec<LitStr>,
    /// Whether the fields of the field's type stand in its place.
    pub(crate) flatten: Option<Ident>,
    /// The maximum of a field that is split over several keys.
    pub(crate) split: Option<Expr>,
    /// Whether the numbers of its keys begin at 0.
    pub(crate) from_zero: Option<Ident>,
    krate: Option<Path>,
    /// Every setting as it is written.
    given: Vec<(Key, TokenStream)>,
}

/// `default`, or `default = expression`.
pub(crate) struct Absent {
    pub(crate) word: Ident,
    pub(crate) value: Option<Expr>,
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
    pub(crate) fn are_made_by(attribute: &Attribute) -> bool {
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

    /// The setting as it is written.
    pub(crate) fn written(&self, key: Key) -> Option<&TokenStream> {
        self.given.iter().find(|(given, _)| *given == key).map(|(_, written)| written)
    }

    /// All others as they are written, for what allows no others.
    pub(crate) fn others(&self, than: &[Key]) -> impl Iterator<Item = &TokenStream> {
        self.given.iter().filter(|(key, _)| !than.contains(key)).map(|(_, written)| written)
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
        let (example, written, begin) = (known.example, input.fork(), input.cursor());
        if let Err(error) = self.set(known.key, &key, example, input) {
            self.guess(known.key, &written);
            return Err(error);
        }
        let value = tokens_between(begin, input.cursor());
        self.given.push((known.key, [TokenTree::from(key.clone())].into_iter().chain(value).collect()));
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

    /// One of `with`, `text` and `json`.
    fn set_with(&mut self, at: &Ident, with: With) -> syn::Result<()> {
        match &self.with {
            Some(other) if other.word() != with.word() => {
                Err(error(at, format!("`{}` already says how the field is written; keep one of the two", other.word())))
            }
            _ => once(&mut self.with, at, with),
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
            Key::RenameAll => {
                let case = Case::of(&value(at, example, "a case in quotes", input)?)?;
                once(&mut self.rename_all, at, case)
            }
            Key::Tag => once(&mut self.tag, at, value(at, example, "text in quotes", input)?),
            Key::Other => once(&mut self.other, at, flag(at, input)?),
            Key::With => {
                let ty = value(at, example, "a type", input)?;
                self.set_with(at, With::Type(Box::new(ty)))
            }
            Key::Text => {
                let word = flag(at, input)?;
                self.set_with(at, With::Text(word))
            }
            Key::Json => {
                let word = flag(at, input)?;
                self.set_with(at, With::Json(word))
            }
            Key::Default => {
                let given = input.peek(Token![=]);
                let value = given.then(|| value(at, "default = 0", "an expression", input)).transpose()?;
                if input.peek(token::Paren) {
                    return Err(error(at, "`default` stands alone, or takes an expression: `default = 0`"));
                }
                once(&mut self.default, at, Absent { word: at.clone(), value })
            }
            Key::Alias => {
                self.aliases.push(value(at, example, "text in quotes", input)?);
                Ok(())
            }
            Key::Flatten => once(&mut self.flatten, at, flag(at, input)?),
            Key::Split => once(&mut self.split, at, value(at, example, "the most bytes", input)?),
            Key::FromZero => once(&mut self.from_zero, at, flag(at, input)?),
            Key::Crate => {
                let ModPath(path) = value(at, example, "a path", input)?;
                once(&mut self.krate, at, path)
            }
        }
    }
}

fn tokens_between(begin: Cursor<'_>, end: Cursor<'_>) -> impl Iterator<Item = TokenTree> {
    let mut at = begin;
    std::iter::from_fn(move || {
        let (token, next) = at.token_tree().filter(|_| at != end)?;
        at = next;
        Some(token)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cfg_attr_that_makes_settings_is_one() {
        let is = |attribute: Attribute| Settings::are_made_by(&attribute);
        assert!(is(parse_quote!(#[cfg_attr(test, amp(spawn))])));
        assert!(is(parse_quote!(#[cfg_attr(test, inline, amp)])));
        assert!(is(parse_quote!(#[cfg_attr(test, amp, inline)])));
        assert!(!is(parse_quote!(#[cfg_attr(test, amp::error::something)])), "another macro, by its path");
        assert!(!is(parse_quote!(#[cfg_attr(amp, inline)])), "a condition");
        assert!(!is(parse_quote!(#[retry(3, amp(x))])), "another macro, which has its own words");
        assert!(!is(parse_quote!(#[retry(3, amp::error::codes::BUSY)])));
    }
}
