//! `#[constrain(with = .., at = [..])]` on a struct: a rule for several fields together.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, Meta, Path, Token, bracketed, token};

use super::peeled;
use super::words::text;
use crate::code::{call_at, code, standing_at};
use crate::errors::Errors;
use crate::fields::{Field, Fields};
use crate::notation::{error, once, separated, value};
use crate::spelling;

/// A rule for a struct.
pub(crate) struct WholeRule {
    /// The word that the user wrote for it: there the compiler points if it does not fit the struct.
    key: Ident,
    rule: Expr,
    /// The names of its fields on the wire.
    at: Vec<String>,
}

const EXAMPLE: &str = "#[constrain(with = path, at = [from, to])]";

/// A rule as it is read.
#[derive(Default)]
struct Read {
    with: Option<(Ident, Expr)>,
    at: Option<Vec<Ident>>,
}

impl WholeRule {
    /// The rules among the attributes of a struct, one in each.
    pub(crate) fn all(attributes: &[Attribute], fields: &Fields<'_>, errors: &mut Errors) -> Vec<Self> {
        let of_struct = attributes.iter().filter(|attribute| attribute.path().is_ident("constrain"));
        of_struct.filter_map(|attribute| Self::of(attribute, fields, errors)).collect()
    }

    fn of(attribute: &Attribute, fields: &Fields<'_>, errors: &mut Errors) -> Option<Self> {
        let before = errors.count();
        let mut read = Read::default();
        if let Meta::List(list) = &attribute.meta {
            let all = |input: ParseStream<'_>| separated(input, errors, |input, _| read.one(input));
            if let Err(error) = all.parse2(list.tokens.clone()) {
                errors.add(error);
            }
        }
        if errors.count() > before {
            return None;
        }
        let (Some((key, rule)), Some(at)) = (read.with, read.at) else {
            errors.push(
                &attribute.meta,
                format!("a rule for a struct names a function, and the fields that it is about: `{EXAMPLE}`"),
            );
            return None;
        };
        let at = at.iter().filter_map(|member| named(member, fields, errors)).collect();
        Some(Self { key, rule, at })
    }

    /// Checks the rule.
    pub(crate) fn check(&self, krate: &Path) -> TokenStream {
        let (rule, words, at) = (&self.rule, self.words(), self.at.join(", "));
        let place = code!(#krate::__private::Place::key(&place, #at));
        let check = self.through("check", krate);
        let arguments = call_at(&self.key, code!(&#rule, self, #words, #place, found));
        code!(#check #arguments;)
    }

    /// The rule in a schema, if it is about the field.
    pub(crate) fn declaration(&self, field: &Field<'_>, krate: &Path) -> Option<TokenStream> {
        let rule = &self.rule;
        let words = format!("{} ({})", self.words(), self.at.join(", "));
        let declare = self.through("declare", krate);
        let arguments = call_at(&self.key, code!(&#rule));
        let private = code!(#krate::__private);
        let declared = || code!(#private::constraint(#words, || #private::of_several(#declare #arguments)));
        self.at.contains(&field.name).then(declared)
    }

    fn words(&self) -> String {
        format!("does not hold: {}", text(&self.rule))
    }

    fn through(&self, function: &str, krate: &Path) -> TokenStream {
        let function = Ident::new(function, proc_macro2::Span::mixed_site());
        let private = code!(#krate::__private);
        standing_at(&self.key, code!(<_ as #private::Fits<Self, #private::Entire, _>>::#function))
    }
}

impl Read {
    fn one(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        if !input.peek(Ident::peek_any) {
            return Err(input
                .error(format!("a rule for a struct names a function, and the fields that it is about: `{EXAMPLE}`")));
        }
        let key = Ident::parse_any(input)?;
        if key == "with" {
            let rule: Expr = value(&key, "with = path", "a function or a constraint", input)?;
            if let Expr::Lit(_) = peeled(&rule) {
                return Err(error(rule, "`with` takes a function or a constraint: `with = path`"));
            }
            once(&mut self.with, &key, (key.clone(), rule))
        } else if key == "at" {
            let members = members(&key, input)?;
            once(&mut self.at, &key, members)
        } else {
            let about =
                format!("`{key}` is no rule for a struct: `{EXAMPLE}`; a rule for one field stands on that field");
            Err(error(&key, about))
        }
    }
}

/// The fields in brackets.
fn members(key: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let message = || error(key, "`at` takes the fields that the rule is about: `at = [from, to]`");
    let _: Token![=] = input.parse().map_err(|_| message())?;
    if !input.peek(token::Bracket) {
        return Err(message());
    }
    let within;
    bracketed!(within in input);
    let member = |input: ParseStream<'_>| {
        let name = Ident::parse_any(input).map_err(|_| "`at` takes the names of fields, as in `at = [from, to]`");
        let name = name.map_err(|message| match input.parse::<TokenTree>() {
            Ok(other) => error(other, message),
            Err(_) => input.error(message),
        })?;
        let is_last = input.is_empty() || input.peek(Token![,]);
        if is_last { Ok(name) } else { Err(input.error("a comma is missing between the names: `at = [from, to]`")) }
    };
    let found = Punctuated::<Ident, Token![,]>::parse_terminated_with(&within, member);
    // A report of what is left would be a second one.
    let members = found.inspect_err(|_| drop(within.parse::<TokenStream>()))?;
    if members.is_empty() { Err(message()) } else { Ok(members.into_iter().collect()) }
}

/// The name of a field on the wire.
fn named(member: &Ident, fields: &Fields<'_>, errors: &mut Errors) -> Option<String> {
    let found = fields.carried().iter().find(|field| field.member.unraw() == member.unraw());
    if found.is_none() {
        let names: Vec<String> = fields.carried().iter().map(|field| field.member.unraw().to_string()).collect();
        let meant = spelling::meant(&member.to_string(), names.iter().map(String::as_str));
        let hint = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
        errors.push(member, format!("`{member}` is no field of this struct that travels{hint}"));
    }
    found.map(|field| field.name.clone())
}
