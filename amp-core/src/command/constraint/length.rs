use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;

/// A type with a length: bytes of a byte string, characters of a text, items of a list, entries of a map.
#[diagnostic::on_unimplemented(
    message = "a value of the type `{Self}` has no length",
    label = "has no length",
    note = "`length` and `non_empty` take text, byte strings, lists and maps; for numbers there is `range`"
)]
pub trait HasLength {
    /// The length in its unit.
    fn length(&self) -> usize;

    /// Whether the length is 0, without counting.
    fn has_nothing(&self) -> bool {
        self.length() == 0
    }
}

impl HasLength for str {
    fn length(&self) -> usize {
        self.chars().count()
    }

    fn has_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl<T> HasLength for [T] {
    fn length(&self) -> usize {
        self.len()
    }
}

/// What holds a value is as long as the value.
macro_rules! holders {
    ($([$($bounds:tt)*] $holder:ty;)*) => {$(
        impl<$($bounds)*> HasLength for $holder {
            fn length(&self) -> usize {
                (**self).length()
            }

            fn has_nothing(&self) -> bool {
                (**self).has_nothing()
            }
        }
    )*};
}

holders! {
    [] String;
    [T] Vec<T>;
    [T: HasLength + ?Sized] Box<T>;
    [T: HasLength + ?Sized] Arc<T>;
    [T: HasLength + ToOwned + ?Sized] Cow<'static, T>;
}

impl<T, const N: usize> HasLength for [T; N] {
    fn length(&self) -> usize {
        N
    }
}

impl<K, V> HasLength for BTreeMap<K, V> {
    fn length(&self) -> usize {
        self.len()
    }
}

impl<K, V, S> HasLength for HashMap<K, V, S> {
    fn length(&self) -> usize {
        self.len()
    }
}

impl HasLength for Bytes {
    fn length(&self) -> usize {
        self.len()
    }
}
