//! Names on the wire: the rules for them, and the names that follow from a Rust name.

mod case;

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Ident, LitStr};

pub(crate) use case::Case;

use crate::errors::Errors;

/// Maximum bytes of a key.
const MAX_KEY: usize = 255;
/// Maximum bytes of a value: a command's name and an error's code are values.
pub(crate) const MAX_VALUE: usize = 65_535;

/// The key of a field: `given` with `#[amp(name = "..")]`, or the field's own name in the item's `case`.
pub(crate) fn key(given: Option<&LitStr>, field: &Ident, case: Option<Case>, errors: &mut Errors) -> String {
    let own = || field.unraw().to_string();
    let name = given.map_or_else(|| case.map_or_else(own, |case| case.spell(&own())), LitStr::value);
    let place = place(given, field);
    length(&name, "a field's name on the wire", MAX_KEY, &place, errors);
    if name.starts_with('_') {
        let remedy = if given.is_some() { "choose another" } else { "give it one with `#[amp(name = \"..\")]`" };
        errors.push(place, format!("names that begin with `_` belong to AMP itself: {remedy}"));
    }
    name
}

/// Another key under which a field is read.
pub(crate) fn alias(given: &LitStr, errors: &mut Errors) -> String {
    let name = given.value();
    length(&name, "a field's name on the wire", MAX_KEY, given, errors);
    if name.starts_with('_') {
        errors.push(given, "names that begin with `_` belong to AMP itself: choose another");
    }
    name
}

/// The name of a command.
pub(crate) fn command(given: Option<&LitStr>, item: &Ident, errors: &mut Errors) -> String {
    let name = given.map_or_else(|| item.unraw().to_string(), LitStr::value);
    let place = place(given, item);
    length(&name, "a command's name", MAX_VALUE, &place, errors);
    if name.starts_with("amp.") {
        errors.push(place, "names of commands that begin with `amp.` belong to this library: choose another");
    }
    name
}

/// The key of a variant's code.
pub(crate) fn tag(given: Option<&LitStr>, errors: &mut Errors) -> String {
    let Some(given) = given else { return "type".to_owned() };
    let name = given.value();
    length(&name, "the key of a variant's code", MAX_KEY, given, errors);
    if name.starts_with('_') {
        errors.push(given, "names that begin with `_` belong to AMP itself: choose another");
    }
    name
}

/// The code of a variant that is a value.
pub(crate) fn variant(given: Option<&LitStr>, variant: &Ident, case: Option<Case>, errors: &mut Errors) -> String {
    let own = || case.unwrap_or(Case::Snake).spell(&variant.unraw().to_string());
    let code = given.map_or_else(own, LitStr::value);
    length(&code, "the code of a variant", MAX_VALUE, &place(given, variant), errors);
    code
}

/// The code of an error.
pub(crate) fn code(given: Option<&LitStr>, variant: &Ident, case: Option<Case>, errors: &mut Errors) -> String {
    let own = || case.unwrap_or(Case::ScreamingSnake).spell(&variant.unraw().to_string());
    let code = given.map_or_else(own, LitStr::value);
    length(&code, "an error code", MAX_VALUE, &place(given, variant), errors);
    code
}

/// The place where the name was written.
fn place<'a>(given: Option<&'a LitStr>, ident: &'a Ident) -> &'a dyn ToTokens {
    match given {
        Some(given) => given,
        None => ident,
    }
}

fn length(name: &str, what: &str, most: usize, place: &dyn ToTokens, errors: &mut Errors) {
    match name.len() {
        0 => errors.push(place, format!("{what} must not be empty")),
        length if length > most => errors.push(place, format!("{what} has at most {most} bytes, this has {length}")),
        _ => {}
    }
}
