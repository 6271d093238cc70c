use std::ops::Bound;

use super::{Bounds, Encoded, HasLength, Lengths, Set};
use crate::schema::Rule;

/// A rule for values of `T`. Any `fn(&T) -> bool` is one; implement it for a type to carry parameters.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::constraint::Constraint;
///
/// struct DivisibleBy(i64);
///
/// impl Constraint<i64> for DivisibleBy {
///     const CODE: &'static str = "divisible_by";
///
///     fn holds(&self, value: &i64) -> bool {
///         value % self.0 == 0
///     }
/// }
///
/// assert!(DivisibleBy(11).holds(&121));
/// // On a field: #[constrain(with = DivisibleBy(11))]
/// ```
#[diagnostic::on_unimplemented(
    message = "this constraint does not fit a value of the type `{T}`",
    label = "does not fit `{T}`",
    note = "`range` takes numbers, `length` and `non_empty` take text, byte strings and lists, `pattern` and `length(bytes = ..)` take text, `with` takes a `fn(&{T}) -> bool` or a type that implements `Constraint<{T}>`"
)]
#[doc(alias("ConstrainedArgument"))]
pub trait Constraint<T: ?Sized> {
    /// The rule's stable name, for programs.
    const CODE: &'static str = "with";

    /// Whether the value is allowed.
    fn holds(&self, value: &T) -> bool;

    /// The values that the rule compares with, for schemas.
    fn rule(&self) -> Rule {
        Rule::Opaque
    }
}

impl<T: ?Sized, F: Fn(&T) -> bool> Constraint<T> for F {
    fn holds(&self, value: &T) -> bool {
        self(value)
    }
}

/// `in_set`: the value is one of these.
#[doc(alias("in_set", "inSet"))]
#[derive(Clone, Copy, Debug)]
pub struct InSet<S>(pub S);

impl<T: ?Sized, S: Set<T>> Constraint<T> for InSet<S> {
    const CODE: &'static str = "in_set";

    fn holds(&self, value: &T) -> bool {
        self.0.has(value)
    }

    fn rule(&self) -> Rule {
        Rule::InSet(self.0.items())
    }
}

/// `not_in_set`: the value is none of these.
#[doc(alias("not_in_set", "notInSet"))]
#[derive(Clone, Copy, Debug)]
pub struct NotInSet<S>(pub S);

impl<T: ?Sized, S: Set<T>> Constraint<T> for NotInSet<S> {
    const CODE: &'static str = "not_in_set";

    fn holds(&self, value: &T) -> bool {
        !self.0.has(value)
    }

    fn rule(&self) -> Rule {
        Rule::NotInSet(self.0.items())
    }
}

/// `range`: the value lies within. A NaN lies in no range.
#[derive(Clone, Copy, Debug)]
pub struct Range<R>(pub R);

impl<T: Encoded, R: Bounds<T>> Constraint<T> for Range<R> {
    const CODE: &'static str = "range";

    fn holds(&self, value: &T) -> bool {
        self.0.holds(value)
    }

    fn rule(&self) -> Rule {
        let (start, end) = self.0.bounds();
        Rule::Range(start.map(Encoded::encoded), end.map(Encoded::encoded))
    }
}

/// `length`: number of bytes of a byte string, characters of a text, items of a list.
#[derive(Clone, Copy, Debug)]
pub struct Length<R>(pub R);

impl<T: HasLength, R: Lengths> Constraint<T> for Length<R> {
    const CODE: &'static str = "length";

    fn holds(&self, value: &T) -> bool {
        self.0.hold(value.length())
    }

    fn rule(&self) -> Rule {
        let (start, end) = self.0.bounds();
        Rule::Length(start, end)
    }
}

/// `length(bytes = ..)`: number of bytes of a text.
#[derive(Clone, Copy, Debug)]
pub struct LengthInBytes<R>(pub R);

impl<T: AsRef<str>, R: Lengths> Constraint<T> for LengthInBytes<R> {
    const CODE: &'static str = "length";

    fn holds(&self, value: &T) -> bool {
        self.0.hold(value.as_ref().len())
    }

    fn rule(&self) -> Rule {
        let (start, end) = self.0.bounds();
        Rule::LengthInBytes(start, end)
    }
}

/// `non_empty`: a text, byte string or list that is not empty.
#[derive(Clone, Copy, Debug)]
pub struct NonEmpty;

impl<T: HasLength> Constraint<T> for NonEmpty {
    const CODE: &'static str = "non_empty";

    fn holds(&self, value: &T) -> bool {
        !value.has_nothing()
    }

    fn rule(&self) -> Rule {
        Rule::Length(Bound::Included(1), Bound::Unbounded)
    }
}
