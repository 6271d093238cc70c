//! Names on the wire: the rules for them, and the names that follow from a Rust name.

use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Ident, LitStr};

use crate::errors::Errors;

/// Maximum bytes of a key.
const MAX_KEY: usize = 255;
/// Maximum bytes of a value: a command's name and an error's code are values.
pub(crate) const MAX_VALUE: usize = 65_535;

/// The key of a field: `given` with `#[amp(name = "..")]`, or the field's own name.
pub(crate) fn key(given: Option<&LitStr>, field: &Ident, errors: &mut Errors) -> String {
    let name = given.map_or_else(|| field.unraw().to_string(), LitStr::value);
    let place = place(given, field);
    length(&name, "a field's name on the wire", MAX_KEY, &place, errors);
    if name.starts_with('_') {
        let remedy = if given.is_some() { "choose another" } else { "give it one with `#[amp(name = \"..\")]`" };
        errors.push(place, format!("names that begin with `_` belong to AMP itself: {remedy}"));
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

/// The code of an error.
pub(crate) fn code(given: Option<&LitStr>, variant: &Ident, errors: &mut Errors) -> String {
    let code = given.map_or_else(|| screaming_snake(&variant.unraw().to_string()), LitStr::value);
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

/// `ZeroDivision` to `ZERO_DIVISION`, `HTTPError` to `HTTP_ERROR`, `Utf8Invalid` to `UTF8_INVALID`.
fn screaming_snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(at + 1);
        let word_ended = before.is_some_and(|c| c.is_lowercase() || c.is_numeric());
        let acronym_ended = before.is_some_and(|c| c.is_uppercase()) && after.is_some_and(|c| c.is_lowercase());
        if letter.is_uppercase() && (word_ended || acronym_ended) {
            snake.push('_');
        }
        snake.extend(letter.to_uppercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_variants_name_in_screaming_snake_case() {
        for (name, code) in [
            ("ZeroDivision", "ZERO_DIVISION"),
            ("Broken", "BROKEN"),
            ("HTTPError", "HTTP_ERROR"),
            ("NotHTTP", "NOT_HTTP"),
            ("Utf8Invalid", "UTF8_INVALID"),
            ("Code404", "CODE404"),
            ("V2", "V2"),
            ("A", "A"),
            ("Snake_Case", "SNAKE_CASE"),
            ("SCREAMING_SNAKE", "SCREAMING_SNAKE"),
            ("ÄrgerÜber", "ÄRGER_ÜBER"),
        ] {
            assert_eq!(screaming_snake(name), code, "{name}");
        }
    }
}
