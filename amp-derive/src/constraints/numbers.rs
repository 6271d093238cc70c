//! Literals as numbers, so that reversed bounds are seen where they are written.

use std::cmp::Ordering;

use syn::{Expr, Lit, UnOp};

use super::peeled;

pub(super) enum Number {
    Integer { negative: bool, magnitude: u128 },
    Float(f64),
}

impl Number {
    /// The number of the expression, if it is a literal.
    pub(super) fn of(expr: &Expr) -> Option<Self> {
        match peeled(expr) {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(number) => {
                    number.base10_parse().ok().map(|magnitude| Self::Integer { negative: false, magnitude })
                }
                Lit::Byte(byte) => Some(Self::Integer { negative: false, magnitude: byte.value().into() }),
                Lit::Float(number) => number.base10_parse().ok().map(Self::Float),
                _ => None,
            },
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => Some(match Self::of(&unary.expr)? {
                Self::Integer { negative, magnitude } => {
                    Self::Integer { negative: !negative && magnitude > 0, magnitude }
                }
                Self::Float(number) => Self::Float(-number),
            }),
            _ => None,
        }
    }

    /// The number, if it is a natural one.
    pub(super) const fn natural(&self) -> Option<u128> {
        match self {
            &Self::Integer { negative: false, magnitude } => Some(magnitude),
            _ => None,
        }
    }

    /// Compares it with a number of the same kind.
    pub(super) fn compared_with(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (&Self::Integer { negative: a, magnitude: x }, &Self::Integer { negative: b, magnitude: y }) => {
                Some(match (a, b) {
                    (true, true) => y.cmp(&x),
                    (false, false) => x.cmp(&y),
                    (true, false) => Ordering::Less,
                    (false, true) => Ordering::Greater,
                })
            }
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_with_their_signs() {
        for (less, more) in
            [("-2", "-1"), ("-1", "0"), ("1", "2"), ("-1.5", "0.5"), ("b'a'", "0xff_u8"), ("(1)", "1e0")]
        {
            let [less, more] = [less, more].map(|text| syn::parse_str(text).ok().and_then(|expr| Number::of(&expr)));
            let compared = less.as_ref().zip(more.as_ref()).and_then(|(less, more)| less.compared_with(more));
            assert_ne!(compared, Some(Ordering::Greater));
            assert_ne!(compared, Some(Ordering::Equal));
        }
    }
}
