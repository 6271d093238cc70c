use super::{DecodeError, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;
use crate::violation::{Place, Violations};

impl<T: Value> Value for Vec<T> {
    const TYPE: AmpType = T::LIST_TYPE;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        T::encode_list(self, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        T::decode_list(raw)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        for (index, item) in self.iter().enumerate() {
            item.check(place.index(index), found);
        }
    }
}

/// A `ListOf`: each item behind its length, nothing at the end.
pub(super) fn encode<T: Value>(items: &[T], out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| out.put_item(|out| item.encode(out)).map_err(|error| error.at_index(index)))
}

pub(super) fn decode<T: Value>(raw: RawValue<'_>) -> Result<Vec<T>, DecodeError> {
    raw.items()
        .enumerate()
        .map(|(index, item)| item.and_then(T::decode).map_err(|error| error.at_index(index)))
        .collect()
}
