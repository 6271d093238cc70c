use crate::schema::WireValue;
use crate::value::{Value, ValueWriter};

/// A set that values are looked up in: slices, arrays and `Vec`s of comparable items, and functions that return one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set in which a value of the type `{T}` can be looked up",
    label = "not a set for `{T}`",
    note = "a set is an array, slice or `Vec` whose items compare with the value, or a function that gives one"
)]
pub trait Set<T: ?Sized> {
    /// Whether the value is in the set.
    fn has(&self, value: &T) -> bool;

    /// The items as they travel, for schemas.
    fn items(&self) -> Vec<WireValue>;
}

impl<T: PartialEq<S> + ?Sized, S: Encoded> Set<T> for [S] {
    fn has(&self, value: &T) -> bool {
        self.iter().any(|item| value == item)
    }

    fn items(&self) -> Vec<WireValue> {
        self.iter().map(Encoded::encoded).collect()
    }
}

impl<T: PartialEq<S> + ?Sized, S: Encoded> Set<T> for &[S] {
    fn has(&self, value: &T) -> bool {
        (**self).has(value)
    }

    fn items(&self) -> Vec<WireValue> {
        Set::<T>::items(*self)
    }
}

impl<T: PartialEq<S> + ?Sized, S: Encoded, const N: usize> Set<T> for [S; N] {
    fn has(&self, value: &T) -> bool {
        self.as_slice().has(value)
    }

    fn items(&self) -> Vec<WireValue> {
        Set::<T>::items(self.as_slice())
    }
}

impl<T: PartialEq<S> + ?Sized, S: Encoded, const N: usize> Set<T> for &[S; N] {
    fn has(&self, value: &T) -> bool {
        self.as_slice().has(value)
    }

    fn items(&self) -> Vec<WireValue> {
        Set::<T>::items(self.as_slice())
    }
}

impl<T: PartialEq<S> + ?Sized, S: Encoded> Set<T> for Vec<S> {
    fn has(&self, value: &T) -> bool {
        self.as_slice().has(value)
    }

    fn items(&self) -> Vec<WireValue> {
        Set::<T>::items(self.as_slice())
    }
}

#[diagnostic::do_not_recommend]
impl<T: ?Sized, S: Set<T>, F: Fn() -> S> Set<T> for F {
    fn has(&self, value: &T) -> bool {
        self().has(value)
    }

    fn items(&self) -> Vec<WireValue> {
        self().items()
    }
}

/// A type with a form on the wire: values, and texts and bytes that values are compared with.
pub trait Encoded {
    /// The bytes as they travel; empty when the value has no such form.
    fn encoded(&self) -> WireValue;
}

impl<T: Value> Encoded for T {
    fn encoded(&self) -> WireValue {
        let mut bytes = Vec::new();
        let mut out = ValueWriter::new(&mut bytes);
        if self.encode(&mut out).is_err() {
            bytes.clear();
        }
        WireValue(bytes)
    }
}

impl Encoded for &str {
    fn encoded(&self) -> WireValue {
        WireValue(self.as_bytes().to_vec())
    }
}

impl Encoded for &[u8] {
    fn encoded(&self) -> WireValue {
        WireValue(self.to_vec())
    }
}
