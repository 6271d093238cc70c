//! What `split` on a field expands to.

use super::Incomplete;
use crate::command::Argument;
use crate::schema::AmpType;
use crate::value::{Big, BoxReader, BoxWriter, DecodeError, DecodeErrorKind, EncodeError, Key, KeyNumbers, Value};
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

    /// Reads it; `None` if it is absent, and that has no meaning.
    fn take_present(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError>;

    fn check(&self, place: Place<'_>, found: &mut Violations);

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Self, DecodeError> {
        let missing = || DecodeError::from(DecodeErrorKind::Missing).at_key(key.name());
        Self::take_present(key, from)?.ok_or_else(missing)
    }

    fn take_or(key: Key, from: &mut BoxReader<'_>, default: impl FnOnce() -> Self) -> Result<Self, DecodeError> {
        Ok(Self::take_present(key, from)?.unwrap_or_else(default))
    }

    fn take_of_error(key: Key, from: &mut BoxReader<'_>) -> Result<Self, Incomplete> {
        Self::take_present(key, from)?.ok_or(Incomplete::Missing)
    }
}

impl<T: Value, const MAX: usize, N: KeyNumbers> SplitField<MAX, N> for T {
    const DECLARED: (AmpType, bool) = (Big::<T, MAX, N>::DECLARED, Big::<T, MAX, N>::OPTIONAL);
    const OPTIONAL_TWICE: bool = false;

    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        out.put_split(key, N::NUMBERING, MAX, self)
    }

    fn take_present(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        Ok(Big::<T, MAX, N>::take(key, from)?.map(Big::into_inner))
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

    fn take_present(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        <T as SplitField<MAX, N>>::take_present(key, from).map(Some)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        if let Some(value) = self {
            Value::check(value, place, found);
        }
    }
}
