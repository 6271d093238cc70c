use crate::command::{Constrained, Constraint};
use crate::schema::Rule;
use crate::violation::{Place, Violations};

/// What a rule looks at: the value of a field, or with [`Items`] what is in it.
#[diagnostic::on_unimplemented(
    message = "a constraint cannot look at a value of the type `{Self}`",
    label = "not an AMP value",
    note = "constraints look at values and at `Option`s of values; implement `Constrained` for an `Argument` of your own"
)]
pub trait Look {
    type Field;
    type Target;

    /// Shows every value that there is, and its place.
    fn look(field: &Self::Field, place: Place<'_>, see: impl FnMut(&Self::Target, Place<'_>));

    /// The rule for the values, as a rule for the field.
    fn declared(rule: Rule) -> Rule;
}

impl<T: Constrained> Look for T {
    type Field = T;
    type Target = T::Target;

    fn look(field: &T, place: Place<'_>, mut see: impl FnMut(&T::Target, Place<'_>)) {
        if let Some(value) = field.target() {
            see(value, place);
        }
    }

    fn declared(rule: Rule) -> Rule {
        rule
    }
}

/// `each`: the items of the lists that `L` looks at.
#[derive(Debug)]
pub struct Items<L>(std::marker::PhantomData<L>);

impl<L: Look<Target: List>> Look for Items<L> {
    type Field = L::Field;
    type Target = <L::Target as List>::Item;

    fn look(field: &L::Field, place: Place<'_>, mut see: impl FnMut(&Self::Target, Place<'_>)) {
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

/// What has items for `each`.
#[diagnostic::on_unimplemented(
    message = "`each` is for the items of a list, and `{Self}` is not one",
    label = "not a list",
    note = "a `Vec` is a list; write the rules for the value itself without `each`"
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

/// A rule that fits what `L` looks at.
#[diagnostic::on_unimplemented(
    message = "this constraint does not fit the field",
    label = "does not fit",
    note = "`with` takes a `fn(&T) -> bool` or a type that implements `Constraint<T>`, where `T` is the field's type"
)]
pub trait Fits<L: Look> {
    /// Notes every value that breaks it.
    fn check(&self, field: &L::Field, words: &'static str, place: Place<'_>, found: &mut Violations);

    /// Its code and what it compares with.
    fn declare(&self) -> (&'static str, Rule);
}

impl<L: Look, C: Constraint<L::Target>> Fits<L> for C {
    fn check(&self, field: &L::Field, words: &'static str, place: Place<'_>, found: &mut Violations) {
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
