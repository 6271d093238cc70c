//! Regular expressions, parsed at compile time.

use syn::{Ident, LitStr};

use crate::errors::Errors;

#[cfg(not(feature = "regex"))]
pub(super) fn check(_: &LitStr, key: &Ident, errors: &mut Errors) {
    errors.push(key, "`pattern` needs the feature `regex` of `amp-rpc`: enable it in `Cargo.toml`");
}

#[cfg(feature = "regex")]
pub(super) fn check(literal: &LitStr, _: &Ident, errors: &mut Errors) {
    let pattern = literal.value();
    // The whole text must match: with these anchors around it a pattern may still be cut off, by a comment of the flag `x`.
    let whole = format!(r"\A(?:{pattern})\z");
    if let Err(reason) = parse(&pattern).and_then(|()| parse(&whole)) {
        errors.push(literal, format!("this is no regular expression: {reason}"));
    } else if let Err(regex::Error::CompiledTooBig(most)) = regex::Regex::new(&whole) {
        let most = most >> 20;
        errors.push(
            literal,
            format!("this regular expression would need more than {most} MiB: count less, as in `{{1,9}}`"),
        );
    }
}

#[cfg(feature = "regex")]
fn parse(pattern: &str) -> Result<(), String> {
    match regex_syntax::parse(pattern) {
        Ok(_) => Ok(()),
        Err(regex_syntax::Error::Parse(error)) => Err(error.kind().to_string()),
        Err(regex_syntax::Error::Translate(error)) => Err(error.kind().to_string()),
        Err(other) => Err(other.to_string()),
    }
}
