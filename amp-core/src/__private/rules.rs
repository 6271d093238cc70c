use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use crate::command::constraint::{Bounds, Encoded, HasLength, InSet, Length, Lengths, NonEmpty, NotInSet, Range, Set};
use crate::command::{Argument, Constrained, Constraint, judge_count};
use crate::schema::Rule;
use crate::value::{BoxReader, DecodeError, Key};
use crate::violation::{Place, Violations};

/// The part of a field of the type `F` that a constraint checks: the [`Whole`] value, or its [`Items`].
pub trait Look<F> {
    type Target;

    /// Passes every value that there is, and its place, to `see`.
    fn look(field: &F, place: Place<'_>, see: impl FnMut(&Self::Target, Place<'_>));

    /// Converts the rule for the values to a rule for the field.
    fn declared(rule: Rule) -> Rule;
}

/// The value of a field.
#[derive(Debug)]
pub struct Whole;

impl<F: Constrained> Look<F> for Whole {
    type Target = F::Target;

    fn look(field: &F, place: Place<'_>, mut see: impl FnMut(&F::Target, Place<'_>)) {
        if let Some(value) = field.target() {
            see(value, place);
        }
    }

    fn declared(rule: Rule) -> Rule {
        rule
    }
}

/// A whole struct.
#[derive(Debug)]
pub struct Entire;

impl<F> Look<F> for Entire {
    type Target = F;

    fn look(field: &F, place: Place<'_>, mut see: impl FnMut(&F, Place<'_>)) {
        see(field, place);
    }

    fn declared(rule: Rule) -> Rule {
        rule
    }
}

/// A rule about several fields, as each of them declares it: only the program knows its meaning.
pub fn of_several((code, _): (&'static str, Rule)) -> (&'static str, Rule) {
    (code, Rule::Opaque)
}

/// `each`: the items of the lists that `L` selects.
#[derive(Debug)]
pub struct Items<L>(PhantomData<L>);

impl<F, L: Look<F, Target: List>> Look<F> for Items<L> {
    type Target = <L::Target as List>::Item;

    fn look(field: &F, place: Place<'_>, mut see: impl FnMut(&Self::Target, Place<'_>)) {
        L::look(field, place, |list, place| {
            for (index, item) in list.items().iter().enumerate() {
                see(item, place.index(index));
            }
        });
    }

    fn declared(rule: Rule) -> Rule {
        L::declared(Rule::Each(Box::new(rule)))
    }
}

/// A type with items for `each`.
#[diagnostic::on_unimplemented(
    message = "`each` is for the items of a list, and `{Self}` is not one",
    label = "not for a list",
    note = "a `Vec` and an array are lists; rules for the value itself stand outside of `each`"
)]
pub trait List {
    type Item;

    fn items(&self) -> &[Self::Item];
}

impl<T> List for Vec<T> {
    type Item = T;

    fn items(&self) -> &[T] {
        self
    }
}

impl<T> List for Box<[T]> {
    type Item = T;

    fn items(&self) -> &[T] {
        self
    }
}

impl<T> List for Arc<[T]> {
    type Item = T;

    fn items(&self) -> &[T] {
        self
    }
}

impl<T, const N: usize> List for [T; N] {
    type Item = T;

    fn items(&self) -> &[T] {
        self
    }
}

/// A constraint for the values that `L` selects in a field of the type `F`: for the value [`Itself`], or for the type that it is
/// [`Lent`] as.
#[diagnostic::on_unimplemented(
    message = "this constraint does not fit a field of the type `{F}`",
    label = "does not fit `{F}`",
    note = "`pattern` and `length(bytes = ..)` take text; `with` takes a `fn(&T) -> bool` or a type that implements `Constraint<T>`, where `T` is the type of the value; functions may also take `&str` and `&[T]`"
)]
pub trait Fits<F, L, As> {
    /// Notes every value that breaks it.
    fn check(&self, field: &F, words: &'static str, place: Place<'_>, found: &mut Violations);

    /// Its code and the values that it compares with.
    fn declare(&self) -> (&'static str, Rule);
}

/// A constraint for the value's own type.
#[derive(Debug)]
pub struct Itself;

impl<F, L: Look<F>, C: Constraint<L::Target>> Fits<F, L, Itself> for C {
    fn check(&self, field: &F, words: &'static str, place: Place<'_>, found: &mut Violations) {
        L::look(field, place, |value, place| {
            if !self.holds(value) {
                found.add(place, C::CODE, words);
            }
        });
    }

    fn declare(&self) -> (&'static str, Rule) {
        (C::CODE, L::declared(self.rule()))
    }
}

/// A function that takes a `&str` of a `String`, or a `&[T]` of a `Vec<T>`.
#[derive(Debug)]
pub struct Lent;

impl<F, L: Look<F, Target: Deref>, C: Fn(&<L::Target as Deref>::Target) -> bool> Fits<F, L, Lent> for C {
    fn check(&self, field: &F, words: &'static str, place: Place<'_>, found: &mut Violations) {
        Fits::<F, L, Itself>::check(&|value: &L::Target| self(value), field, words, place, found);
    }

    fn declare(&self) -> (&'static str, Rule) {
        Fits::<F, L, Itself>::declare(&|value: &L::Target| self(value))
    }
}

/// The same for a rule whose parts report themselves what they do not fit: here the compiler shows their message.
pub trait Takes<F, C> {
    /// Checks the length of a list that is not decoded yet; any other rule is checked afterwards.
    fn judge(rule: &C, words: &'static str, key: Key, from: &BoxReader<'_>) -> Result<(), DecodeError>
    where
        F: Argument;
    fn check(rule: &C, field: &F, words: &'static str, place: Place<'_>, found: &mut Violations);
    fn declare(rule: &C) -> (&'static str, Rule);
}

impl<F, L: Look<F>, C: BuiltIn<L::Target>> Takes<F, C> for L {
    fn judge(rule: &C, words: &'static str, key: Key, from: &BoxReader<'_>) -> Result<(), DecodeError>
    where
        F: Argument,
    {
        let Some(count) = F::COUNT else { return Ok(()) };
        judge_count(key, from, count, |length| rule.allows(length), [C::CODE, words])
    }

    fn check(rule: &C, field: &F, words: &'static str, place: Place<'_>, found: &mut Violations) {
        Fits::<F, L, Itself>::check(rule, field, words, place, found);
    }

    fn declare(rule: &C) -> (&'static str, Rule) {
        Fits::<F, L, Itself>::declare(rule)
    }
}

/// A rule of ours. Every function of the right type is a [`Constraint`], so for a type that does not fit the compiler says only
/// that it is none; for a rule of ours it says which part is wrong.
pub trait BuiltIn<T>: Constraint<T> {
    /// Whether a list may have `length` items.
    fn allows(&self, length: usize) -> bool {
        let _ = length;
        true
    }
}

impl<T, S: Set<T>> BuiltIn<T> for InSet<S> {}
impl<T, S: Set<T>> BuiltIn<T> for NotInSet<S> {}
impl<T: Encoded, R: Bounds<T>> BuiltIn<T> for Range<R> {}

impl<T: HasLength, R: Lengths> BuiltIn<T> for Length<R> {
    fn allows(&self, length: usize) -> bool {
        self.0.hold(length)
    }
}

impl<T: HasLength> BuiltIn<T> for NonEmpty {
    fn allows(&self, length: usize) -> bool {
        length > 0
    }
}
