//! Doc comments as text, for schemas.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The lines of the doc comment among the attributes, without their common indentation.
pub(crate) fn of(attributes: &[Attribute]) -> String {
    let written: Vec<String> = attributes.iter().filter_map(text).collect();
    let lines: Vec<&str> = written.iter().flat_map(|text| lines(text)).map(str::trim_end).collect();
    let indentation = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let common = lines.iter().filter(|line| !line.is_empty()).map(indentation).min().unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line.get(common..).unwrap_or_default()).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// The lines of one attribute; those of a block comment lose the column of stars.
fn lines(text: &str) -> Vec<&str> {
    let starred = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('*');
    let stars = text.contains('\n') && text.split('\n').skip(1).all(starred);
    let unstarred = |line| if stars { str::trim_start(line).trim_start_matches('*') } else { line };
    let mut lines = text.split('\n');
    lines.next().into_iter().chain(lines.map(unstarred)).collect()
}

/// The text of one attribute; text from a macro is not known yet.
fn text(attribute: &Attribute) -> Option<String> {
    match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn a_doc_comment_loses_its_common_indentation() {
        let item: syn::ItemStruct = parse_quote! {
            /// One.
            ///
            ///   - indented
            #[derive(Debug)]
            /// Last.
            struct Item;
        };
        assert_eq!(of(&item.attrs), "One.\n\n  - indented\nLast.");
        assert_eq!(of(&[]), "");
        let item: syn::ItemStruct = parse_quote! {
            /** One.
             *
             *   - indented
             */
            struct Item;
        };
        assert_eq!(of(&item.attrs), "One.\n\n  - indented");
    }
}
