//! A broken rule in words, for the peer and for schemas.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;

use super::{Constraint, Rule, peeled};

/// Maximum number of characters of the user's tokens that are shown.
const MAX: usize = 96;

impl Constraint {
    /// The message for a value that breaks it.
    pub(super) fn words(&self) -> String {
        match &self.rule {
            Rule::InSet(set) => format!("not in {}", text(set)),
            Rule::NotInSet(set) => format!("in {}", text(set)),
            Rule::Range(range) => format!("not in {}", text(range)),
            Rule::Length(length) if is_number(length) => format!("length not {}", text(length)),
            Rule::LengthInBytes(length) if is_number(length) => format!("length in bytes not {}", text(length)),
            Rule::Length(lengths) => format!("length not in {}", text(lengths)),
            Rule::LengthInBytes(lengths) => format!("length in bytes not in {}", text(lengths)),
            Rule::Pattern(pattern) => format!("does not match {}", cut(&pattern.value())),
            Rule::NonEmpty => "empty".to_owned(),
            Rule::With(rule) => format!("does not hold: {}", text(rule)),
        }
    }
}

fn is_number(expr: &Expr) -> bool {
    matches!(peeled(expr), Expr::Lit(_))
}

/// Tokens as a person writes them, cut to a sensible length.
pub(super) fn text(tokens: &impl ToTokens) -> String {
    let mut text = String::new();
    write(tokens.to_token_stream(), &mut text);
    cut(text.trim())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The last token written, which decides on the space before the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Word,
    /// An operator after which an operand follows at once.
    Joining,
    /// An operator with space around it.
    Spaced,
}

fn write(tokens: TokenStream, text: &mut String) {
    let mut last = Last::Nothing;
    let mut operator = String::new();
    for tree in tokens {
        match tree {
            TokenTree::Punct(punct) => {
                operator.push(punct.as_char());
                if punct.spacing() == Spacing::Alone {
                    last = write_operators(&operator, last, text);
                    operator.clear();
                }
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{ ", " }"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(if last == Last::Spaced || (last == Last::Word && open == "{ ") { " " } else { "" });
                text.push_str(open);
                write(group.stream(), text);
                text.push_str(close);
                last = Last::Word;
            }
            word => {
                text.push_str(if matches!(last, Last::Word | Last::Spaced) { " " } else { "" });
                text.push_str(&word.to_string());
                last = Last::Word;
            }
        }
    }
}

/// Writes punctuation without space in between, which may be several operators: `..=-1`.
fn write_operators(mut joint: &str, mut last: Last, text: &mut String) -> Last {
    const LONG: [&str; 10] = ["..=", "..", "::", "&&", "||", "==", "!=", "<=", ">=", "->"];
    while !joint.is_empty() {
        let long = LONG.iter().find(|operator| joint.starts_with(**operator));
        let (operator, rest) = joint.split_at(long.map_or(1, |operator| operator.len()));
        last = write_operator(operator, last, text);
        joint = rest;
    }
    last
}

fn write_operator(operator: &str, last: Last, text: &mut String) -> Last {
    let prefix = last != Last::Word && matches!(operator, "-" | "!" | "&" | "*" | "&&");
    let tight = prefix || matches!(operator, ".." | "..=" | "::" | "." | "?" | "<" | ">" | "!" | "|" | "'");
    if matches!(operator, "," | ";" | ":") {
        text.push_str(operator);
        return Last::Spaced;
    }
    text.push_str(if last == Last::Spaced || !tight { " " } else { "" });
    text.push_str(operator);
    if tight { Last::Joining } else { Last::Spaced }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_written_as_a_person_writes_them() {
        for written in [
            "1..=65535",
            "..=10",
            "-5..-1",
            "0..=-1",
            "-1.5..=-0.5",
            "LOW..=HIGH",
            "limits::LOW..",
            r#"["a", "b"]"#,
            "[-1, b'a', 0x10]",
            "DivisibleBy(11)",
            "Vec::<u8>::new()",
            "A + 1..B * 2",
            "Limits { low: 1, high: -2 }",
            "&COLORS",
            "f64::MAX",
            "!flag",
        ] {
            let tokens: TokenStream = written.parse().unwrap_or_default();
            assert_eq!(text(&tokens), written);
        }
        let long: TokenStream = format!("[{}]", "1, ".repeat(100)).parse().unwrap_or_default();
        assert_eq!(text(&long).chars().count(), MAX + 1);
    }
}
