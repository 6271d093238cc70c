//! Smart pointers and borrowed values: on the wire they are what they hold.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::text::utf8;
use super::{Count, DecodeError, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;
use crate::violation::{Place, Violations};

macro_rules! holders {
    ($($holder:ident)*) => {$(
        /// The value that it holds, on the wire and in schemas.
        impl<T: Value> Value for $holder<T> {
            const TYPE: AmpType = T::TYPE;
            const LIST_TYPE: AmpType = T::LIST_TYPE;
            const COUNT: Option<Count> = T::COUNT;
            const COUNT_LIST: Option<Count> = T::COUNT_LIST;

            fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
                T::encode(self, out)
            }

            fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
                raw.charge_allocation(size_of::<T>())?;
                T::decode(raw).map(Self::new)
            }

            fn check(&self, place: Place<'_>, found: &mut Violations) {
                T::check(self, place, found);
            }

            /// Every form of a list is its items, one behind the other: a list is as many lists of one.
            fn encode_list(items: &[Self], out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
                items.iter().enumerate().try_for_each(|(index, item)| {
                    T::encode_list(std::slice::from_ref(&**item), out).map_err(|error| error.moved_to_index(index))
                })
            }

            fn decode_list(raw: RawValue<'_>) -> Result<Vec<Self>, DecodeError> {
                let items = T::decode_list(raw)?;
                items.iter().try_for_each(|_| raw.charge_allocation(size_of::<T>()))?;
                raw.charge_allocation(items.len().saturating_mul(size_of::<Self>()))?;
                Ok(items.into_iter().map(Self::new).collect())
            }
        }

        /// A text.
        impl Value for $holder<str> {
            const TYPE: AmpType = AmpType::Unicode;

            fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
                out.write(self.as_bytes());
                Ok(())
            }

            fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
                let text = utf8(raw)?;
                raw.charge_allocation(text.len())?;
                Ok(text.into())
            }
        }

        /// A list, as `Vec<T>` is one; bytes if it is of `u8`.
        impl<T: Value> Value for $holder<[T]> {
            const TYPE: AmpType = T::LIST_TYPE;
            const COUNT: Option<Count> = T::COUNT_LIST;

            fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
                T::encode_list(self, out)
            }

            fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
                let items = T::decode_list(raw)?;
                // A list with spare capacity is copied.
                raw.charge_allocation(items.len().saturating_mul(size_of::<T>()))?;
                Ok(items.into())
            }

            fn check(&self, place: Place<'_>, found: &mut Violations) {
                check_items(self, place, found);
            }
        }
    )*};
}

holders! { Box Arc }

fn check_items<T: Value>(items: &[T], place: Place<'_>, found: &mut Violations) {
    for (index, item) in items.iter().enumerate() {
        item.check(place.index(index), found);
    }
}

/// A text that may be a constant of the program. A received one is owned.
impl Value for Cow<'static, str> {
    const TYPE: AmpType = AmpType::Unicode;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(self.as_bytes());
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        String::decode(raw).map(Cow::Owned)
    }
}

/// A list, or bytes, that may be a constant of the program. A received one is owned.
impl<T: Value + Clone> Value for Cow<'static, [T]> {
    const TYPE: AmpType = T::LIST_TYPE;
    const COUNT: Option<Count> = T::COUNT_LIST;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        T::encode_list(self, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        T::decode_list(raw).map(Cow::Owned)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        check_items(self, place, found);
    }
}

/// A path, as `PathBuf` is one. A received one is owned.
impl Value for Cow<'static, Path> {
    const TYPE: AmpType = AmpType::Path;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        super::path::encode(self, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        PathBuf::decode(raw).map(Cow::Owned)
    }
}
