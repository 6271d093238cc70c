//! What `split` on a field expands to.

use super::Incomplete;
use crate::command::{Argument, take_required};
use crate::schema::AmpType;
use crate::value::{Big, BoxReader, BoxWriter, DecodeError, EncodeError, Key, KeyNumbers, Value};
use crate::violation::{Place, Violations};

/// A field that is split over several keys, as a [`Big`]: a value, or an `Option` of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be split over several keys",
    label = "not a value",
    note = "`split` stands on a field that is one value, such as a text, bytes, a list or a struct with `#[derive(Arguments)]`, or an `Option` of one"
)]
pub trait SplitField<const MAX: usize, N>: Sized {
    const DECLARED: (AmpType, bool);
    const OPTIONAL_TWICE: bool;
    const ONE_VALUE: bool = false;

    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError>;
    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Self, DecodeError>;
    fn take_or(key: Key, from: &mut BoxReader<'_>, default: impl FnOnce() -> Self) -> Result<Self, DecodeError>;
    fn take_of_error(key: Key, from: &mut BoxReader<'_>) -> Result<Self, Incomplete>;
    fn check(&self, place: Place<'_>, found: &mut Violations);
}

impl<T: Value, const MAX: usize, N: KeyNumbers> SplitField<MAX, N> for T {
    const DECLARED: (AmpType, bool) = (Big::<T, MAX, N>::DECLARED, Big::<T, MAX, N>::OPTIONAL);
    const OPTIONAL_TWICE: bool = false;

    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        out.put_split(key, N::NUMBERING, MAX, self)
    }

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Self, DecodeError> {
        take_required::<Big<T, MAX, N>>(key, from).map(Big::into_inner)
    }

    fn take_or(key: Key, from: &mut BoxReader<'_>, default: impl FnOnce() -> Self) -> Result<Self, DecodeError> {
        Ok(Big::<T, MAX, N>::take(key, from)?.map_or_else(default, Big::into_inner))
    }

    fn take_of_error(key: Key, from: &mut BoxReader<'_>) -> Result<Self, Incomplete> {
        let taken = Big::<T, MAX, N>::take(key, from).map_err(Incomplete::Broken)?;
        taken.map(Big::into_inner).ok_or(Incomplete::Missing)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        Value::check(self, place, found);
    }
}

impl<T: Value, const MAX: usize, N: KeyNumbers> SplitField<MAX, N> for Option<T> {
    const DECLARED: (AmpType, bool) = (Big::<T, MAX, N>::DECLARED, true);
    const OPTIONAL_TWICE: bool = Big::<T, MAX, N>::OPTIONAL;

    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        const { crate::command::optional_once(<Self as SplitField<MAX, N>>::OPTIONAL_TWICE) };
        self.as_ref().map_or(Ok(()), |value| out.put_split(key, N::NUMBERING, MAX, value))
    }

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Self, DecodeError> {
        Ok(Big::<T, MAX, N>::take(key, from)?.map(Big::into_inner))
    }

    fn take_or(key: Key, from: &mut BoxReader<'_>, _: impl FnOnce() -> Self) -> Result<Self, DecodeError> {
        <Self as SplitField<MAX, N>>::take(key, from)
    }

    fn take_of_error(key: Key, from: &mut BoxReader<'_>) -> Result<Self, Incomplete> {
        <Self as SplitField<MAX, N>>::take(key, from).map_err(Incomplete::Broken)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        if let Some(value) = self {
            Value::check(value, place, found);
        }
    }
}
