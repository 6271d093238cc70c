//! The rules for rules: one that no value can keep, or that every value keeps, is a mistake.

use std::cmp::Ordering;

use syn::{Expr, ExprRange, Ident, RangeLimits};

use super::numbers::Number;
use super::words::text;
use super::{Rule, pattern, peeled};
use crate::errors::Errors;
use crate::wire_name::MAX_VALUE;

/// Checks that the rule makes sense as it is written. Returns the mistake that it is if it is for one value.
pub(super) fn rule(rule: &Rule, key: &Ident, errors: &mut Errors) -> Option<String> {
    match rule {
        Rule::InSet(items) => set(items, key, "no value would be allowed", errors),
        Rule::NotInSet(items) => set(items, key, "every value is allowed: remove it", errors),
        Rule::Range(expr) => range(expr, errors),
        Rule::Length(expr) | Rule::LengthInBytes(expr) => return length(expr, errors),
        Rule::Pattern(literal) => pattern::check(literal, key, errors),
        Rule::With(expr) => {
            if let Expr::Lit(_) = peeled(expr) {
                errors.push(expr, "`with` takes a function or a constraint: `with = path`");
            }
        }
        Rule::NonEmpty => {}
    }
    None
}

fn set(items: &Expr, key: &Ident, consequence: &str, errors: &mut Errors) {
    let array = match peeled(items) {
        Expr::Reference(reference) => peeled(&reference.expr),
        other => other,
    };
    match array {
        Expr::Array(array) if array.elems.is_empty() => {
            errors.push(items, format!("this set is empty, so that {consequence}"));
        }
        Expr::Array(array) => {
            for item in array.elems.iter().filter(|item| is_nan(item)) {
                errors.push(item, "NaN equals nothing, not even itself: remove it");
            }
        }
        Expr::Range(_) => {
            errors.push(items, format!("a set is an array: for a range there is `range = {}`", text(items)))
        }
        Expr::Lit(_) | Expr::Unary(_) => errors.push(items, format!("a set is an array: `{key} = [{}]`", text(items))),
        _ => {}
    }
}

fn range(expr: &Expr, errors: &mut Errors) {
    match peeled(expr) {
        Expr::Range(range) => {
            for bound in bounds(range) {
                if is_nan(bound) {
                    errors.push(bound, "NaN bounds nothing: no value is less or greater");
                } else if let (Expr::Lit(literal), None) = (peeled(bound), Number::of(bound)) {
                    errors.push(literal, "the bounds of a range are numbers; for texts there is `in_set = [..]`");
                }
            }
            not_empty(range, "value", errors);
        }
        wrong @ (Expr::Lit(_) | Expr::Unary(_) | Expr::Array(_)) => {
            errors.push(wrong, "`range` takes a range: `range = 0..=100`; for single values there is `in_set = [..]`");
        }
        _ => {}
    }
}

fn length(expr: &Expr, errors: &mut Errors) -> Option<String> {
    match peeled(expr) {
        Expr::Range(range) => {
            let mistakes = errors.count();
            bounds(range).for_each(|bound| one_length(bound, errors));
            if errors.count() == mistakes {
                not_empty(range, "length", errors);
            }
            if errors.count() == mistakes { within_a_value(range, errors) } else { None }
        }
        Expr::Array(wrong) => {
            errors.push(wrong, WRONG_LENGTH);
            None
        }
        one => {
            one_length(one, errors);
            let is_longer = natural(one).is_some_and(|length| length > MAX);
            is_longer.then(|| format!("nothing is as long as this: {A_VALUE}"))
        }
    }
}

const WRONG_LENGTH: &str = "a length is a whole number: `length = 16`, or a range of them: `length = 1..=64`";

fn one_length(expr: &Expr, errors: &mut Errors) {
    match (peeled(expr), Number::of(expr)) {
        (_, Some(Number::Integer { negative: true, .. })) => errors.push(expr, "a length is never negative"),
        (_, Some(Number::Integer { .. })) => {}
        (Expr::Lit(_), _) | (_, Some(_)) => errors.push(expr, WRONG_LENGTH),
        _ => {}
    }
}

/// Checks that some value lies within the range, and some value does not, as far as literals tell.
fn not_empty(range: &ExprRange, what: &str, errors: &mut Errors) {
    let half_open = matches!(range.limits, RangeLimits::HalfOpen(_));
    let [start, end] = [&range.start, &range.end].map(Option::as_deref);
    match (start, end) {
        (None, None) => errors.push(range, format!("every {what} lies within `..`: remove the rule, or give a bound")),
        (None, Some(end)) if half_open && what == "length" && natural(end) == Some(0) => {
            errors.push(range, "no length is less than 0");
        }
        (Some(start), Some(end)) => match Number::of(start).zip(Number::of(end)).and_then(|(a, b)| a.compared_with(&b))
        {
            Some(Ordering::Greater) => {
                errors.push(range, format!("no {what} lies within `{}`: the bounds are reversed", text(range)));
            }
            Some(Ordering::Equal) if half_open => {
                let one = text(start);
                errors.push(range, format!("no {what} lies within `{one}..{one}`: write `{one}..={one}` for that one"));
            }
            _ => {}
        },
        _ => {}
    }
}

/// Checks that some length lies within the range, and not every one. Returns the mistake for values with a maximum length.
fn within_a_value(range: &ExprRange, errors: &mut Errors) -> Option<String> {
    let half_open = matches!(range.limits, RangeLimits::HalfOpen(_));
    let least = range.start.as_deref().map_or(Some(0), natural);
    let most = range.end.as_deref().map(|end| natural(end).map(|end| end.saturating_sub(half_open.into())));
    let written = text(range);
    match (least, most) {
        (Some(0), None) => {
            errors.push(range, format!("every length lies within `{written}`: remove the rule, or give a bound"));
            None
        }
        (Some(0), Some(Some(most))) if most >= MAX => Some(format!(
            "every length lies within `{written}`, because {A_VALUE}: remove the rule, or lower the bound"
        )),
        (Some(least), _) if least > MAX => Some(format!("no length lies within `{written}`: {A_VALUE}")),
        _ => None,
    }
}

/// The maximum number of parts of a value: each takes a byte.
const MAX: u128 = MAX_VALUE as u128;
const A_VALUE: &str = "a value has at most 65,535 bytes";

fn natural(expr: &Expr) -> Option<u128> {
    Number::of(expr)?.natural()
}

fn bounds(range: &ExprRange) -> impl Iterator<Item = &Expr> {
    range.start.iter().chain(&range.end).map(|bound| &**bound)
}

/// A path that ends in `NAN`.
fn is_nan(expr: &Expr) -> bool {
    match peeled(expr) {
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "NAN"),
        Expr::Unary(unary) => is_nan(&unary.expr),
        _ => false,
    }
}
