//! `#[constrain(..)]`: conditions on a field beyond being well-formed.

mod check;
mod expand;
mod numbers;
mod parse;
mod pattern;
mod whole;
mod words;

use syn::{Expr, Ident, LitStr};

pub(crate) use parse::refuse_constraints;
pub(crate) use whole::WholeRule;

/// The error for a constraint on an error.
pub(crate) const NOT_CHECKED: &str = "errors are not checked: constraints stand on the fields of commands, of responses \
                                      and of what is nested in them";

/// One rule for a field.
pub(crate) struct Constraint {
    /// The word that the user wrote for it: there the compiler points if it does not fit the field.
    key: Ident,
    /// The number of `each(..)` around it.
    depth: usize,
    rule: Rule,
    /// The mistake that the rule is if the field is one value, which the type of the field decides.
    too_long: Option<String>,
}

enum Rule {
    InSet(Expr),
    NotInSet(Expr),
    Range(Expr),
    Length(Expr),
    LengthInBytes(Expr),
    Pattern(LitStr),
    NonEmpty,
    With(Expr),
}

/// The expression as written, without parentheses and the invisible ones that `macro_rules!` adds.
fn peeled(expr: &Expr) -> &Expr {
    match expr {
        Expr::Group(group) => peeled(&group.expr),
        Expr::Paren(paren) => peeled(&paren.expr),
        other => other,
    }
}
