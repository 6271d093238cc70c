//! Reads the rules.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, Ident, Meta, Token, parenthesized, token};

use super::{Constraint, Rule, check};
use crate::errors::Errors;
use crate::notation::{error, flag, separated, value};
use crate::spelling;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    InSet,
    NotInSet,
    Range,
    Length,
    Pattern,
    NonEmpty,
    With,
    Each,
}

/// A known rule: its key, its argument, and an example.
const KNOWN: [(Word, &str, &str, &str); 8] = [
    (Word::InSet, "in_set", "an array or the path of a set", "in_set = [..]"),
    (Word::NotInSet, "not_in_set", "an array or the path of a set", "not_in_set = [..]"),
    (Word::Range, "range", "a range", "range = 0..=100"),
    (Word::Length, "length", "a length or a range of lengths", "length = 1..=64"),
    (Word::Pattern, "pattern", "a regular expression in quotes", "pattern = \"..\""),
    (Word::NonEmpty, "non_empty", "", "non_empty"),
    (Word::With, "with", "a function or a constraint", "with = path"),
    (Word::Each, "each", "", "each(..)"),
];

/// What other libraries call a rule.
const ALSO_CALLED: [(&str, &str); 12] = [
    ("len", "length"),
    ("size", "length"),
    ("min_length", "length"),
    ("max_length", "length"),
    ("min", "range"),
    ("max", "range"),
    ("between", "range"),
    ("regex", "pattern"),
    ("matches", "pattern"),
    ("one_of", "in_set"),
    ("custom", "with"),
    ("inner", "each"),
];

const IN_BYTES: &str = "length(bytes = 1..=64)";

impl Constraint {
    /// The rules of every `#[constrain(..)]` among the attributes of a field.
    pub(crate) fn all(attributes: &[Attribute], errors: &mut Errors) -> Vec<Self> {
        let mut rules = Rules::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("constrain")) {
            let message = || format!("rules stand in parentheses: `#[constrain(..)]`; known: {}", examples());
            match &attribute.meta {
                Meta::List(list) if !list.tokens.is_empty() => {
                    let read = |input: ParseStream<'_>| rules.read(input, 0, errors);
                    if let Err(error) = read.parse2(list.tokens.clone()) {
                        errors.add(error);
                    }
                }
                other => errors.push(other, message()),
            }
        }
        rules.found
    }
}

/// `#[constrain(..)]` where there is no field that could have it.
pub(crate) fn refuse_constraints(attributes: &[Attribute], message: &str, errors: &mut Errors) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("constrain")) {
        errors.push(attribute, message);
    }
}

/// The rules of one field, as far as they are read.
#[derive(Default)]
struct Rules {
    found: Vec<Constraint>,
    /// Rules that may be given once, each with the number of `each(..)` around it.
    once: Vec<(usize, String)>,
}

impl Rules {
    fn read(&mut self, input: ParseStream<'_>, depth: usize, errors: &mut Errors) -> syn::Result<()> {
        separated(input, errors, |input, errors| self.read_one(input, depth, errors))
    }

    fn read_one(&mut self, input: ParseStream<'_>, depth: usize, errors: &mut Errors) -> syn::Result<()> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error(format!("a rule begins with its key; known: {}", examples())));
        }
        let key = Ident::parse_any(input)?;
        let Some((word, name, what, example)) = KNOWN.iter().find(|(_, name, ..)| key == name) else {
            let hint = meant(&key.to_string())
                .map_or_else(|| format!("known: {}", examples()), |meant| format!("did you mean `{meant}`?"));
            return Err(error(&key, format!("`{key}` is no rule; {hint}")));
        };
        let rule = match word {
            Word::Each => {
                self.once(&key, name, depth)?;
                return self.read_each(&key, input, depth, errors);
            }
            Word::InSet => Rule::InSet(value(&key, example, what, input)?),
            Word::NotInSet => Rule::NotInSet(value(&key, example, what, input)?),
            Word::Range => Rule::Range(value(&key, example, what, input)?),
            Word::Length if input.peek(token::Paren) => in_bytes(&key, input)?,
            Word::Length => Rule::Length(value(&key, example, what, input)?),
            Word::Pattern => Rule::Pattern(value(&key, example, what, input)?),
            Word::NonEmpty => flag(&key, input).map(|_| Rule::NonEmpty)?,
            Word::With => Rule::With(value(&key, example, what, input)?),
        };
        if !(input.is_empty() || input.peek(Token![,])) {
            return Err(input.error(format!("expected `,` or the end after `{example}`")));
        }
        match &rule {
            Rule::With(_) => {}
            Rule::LengthInBytes(_) => self.once(&key, "length(bytes)", depth)?,
            _ => self.once(&key, name, depth)?,
        }
        let too_long = check::rule(&rule, &key, errors);
        self.found.push(Constraint { key, depth, rule, too_long });
        Ok(())
    }

    fn read_each(&mut self, key: &Ident, input: ParseStream<'_>, depth: usize, errors: &mut Errors) -> syn::Result<()> {
        const MESSAGE: &str = "`each` takes the rules for the items of a list: `each(length = 1..=64)`";
        if !input.peek(token::Paren) {
            return Err(error(key, MESSAGE));
        }
        let rules;
        parenthesized!(rules in input);
        if rules.is_empty() {
            return Err(error(key, MESSAGE));
        }
        self.read(&rules, depth + 1, errors)
    }

    /// Two rules of one kind are one rule, or contradict each other.
    fn once(&mut self, key: &Ident, name: &str, depth: usize) -> syn::Result<()> {
        let this = (depth, name.to_owned());
        if self.once.contains(&this) {
            return Err(error(key, format!("`{name}` is given twice for one field; make one of the two")));
        }
        self.once.push(this);
        Ok(())
    }
}

/// `length(bytes = ..)`.
fn in_bytes(key: &Ident, input: ParseStream<'_>) -> syn::Result<Rule> {
    let unit;
    parenthesized!(unit in input);
    let lengths = lengths_in_bytes(key, &unit);
    // The rest of a mistaken setting is not reported again.
    let _: TokenStream = unit.parse()?;
    lengths.map(Rule::LengthInBytes)
}

fn lengths_in_bytes(key: &Ident, unit: ParseStream<'_>) -> syn::Result<Expr> {
    if !unit.peek(Ident::peek_any) {
        return Err(error(key, format!("in parentheses `length` takes its unit: `{IN_BYTES}`")));
    }
    let word = Ident::parse_any(unit)?;
    if word != "bytes" {
        return Err(error(&word, format!("`{word}` is no unit of a length: `{IN_BYTES}`, or `length = 1..=64`")));
    }
    let lengths = value(&word, IN_BYTES, "a length or a range of lengths", unit)?;
    if unit.is_empty() { Ok(lengths) } else { Err(unit.error(format!("expected the end after `{IN_BYTES}`"))) }
}

/// The rule that was meant by another key, as an example.
fn meant(key: &str) -> Option<&'static str> {
    let also = ALSO_CALLED.iter().find(|(other, _)| *other == key).map(|(_, name)| *name);
    let name = also.or_else(|| spelling::meant(key, KNOWN.iter().map(|(_, name, ..)| *name)))?;
    // A misspelt key needs no example: its value is there.
    let example = KNOWN.iter().find(|(_, known, ..)| *known == name).map(|(.., example)| *example);
    if also.is_some() { example } else { Some(name) }
}

/// All rules, as a list for people.
fn examples() -> String {
    let examples: Vec<String> = KNOWN.iter().map(|(.., example)| format!("`{example}`")).collect();
    examples.join(", ")
}
