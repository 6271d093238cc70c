use super::{Count, DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;
use crate::violation::{Place, Violations};

impl<T: Value> Value for Vec<T> {
    const TYPE: AmpType = T::LIST_TYPE;
    const COUNT: Option<Count> = T::COUNT_LIST;

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

/// A list of exactly so many items; bytes if it is of `u8`.
impl<T: Value, const N: usize> Value for [T; N] {
    const TYPE: AmpType = AmpType::Array(&T::LIST_TYPE, N);

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        T::encode_list(self, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        T::decode_array(raw)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        for (index, item) in self.iter().enumerate() {
            item.check(place.index(index), found);
        }
    }
}

/// Decodes a list of exactly `N` items. Their number is looked at first: another one is refused before it takes memory.
pub(super) fn decode_array<T: Value, const N: usize>(raw: RawValue<'_>) -> Result<[T; N], DecodeError> {
    let other_length = |actual| DecodeErrorKind::Items { expected: N, actual };
    if let Some(actual) = T::COUNT_LIST.and_then(|count| count(raw)).filter(|actual| *actual != N) {
        return Err(other_length(actual).into());
    }
    T::decode_list(raw)?.try_into().map_err(|items: Vec<T>| other_length(items.len()).into())
}

/// Encodes a `ListOf`: each item behind its length, nothing at the end.
pub(super) fn encode<T: Value>(items: &[T], out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| out.put_item(|out| item.encode(out)).map_err(|error| error.at_index(index)))
}

pub(crate) fn count(raw: RawValue<'_>) -> Option<usize> {
    raw.count_items()
}

pub(super) fn decode<T: Value>(raw: RawValue<'_>) -> Result<Vec<T>, DecodeError> {
    collect(raw, raw.items().map(|item| item.and_then(T::decode)))
}

/// Collects the items of a value into a list. Its memory is charged before it grows.
pub(crate) fn collect<T>(
    raw: RawValue<'_>,
    items: impl Iterator<Item = Result<T, DecodeError>>,
) -> Result<Vec<T>, DecodeError> {
    let mut list = Vec::new();
    for item in items {
        let at = list.len();
        let item = item.map_err(|error| error.at_index(at))?;
        if at == list.capacity() {
            grow(&mut list, raw).map_err(|error| error.at_index(at))?;
        }
        list.push(item);
    }
    Ok(list)
}

/// Doubles the list, but to no more than the value has items: each takes two bytes at least. It charges exactly the memory that
/// it allocates.
#[cold]
fn grow<T>(list: &mut Vec<T>, raw: RawValue<'_>) -> Result<(), DecodeError> {
    let most = (raw.as_bytes().len() / 2).saturating_sub(list.len());
    let more = list.len().max(4).min(most).max(1);
    raw.charge_allocation(more.saturating_mul(size_of::<T>()))?;
    list.reserve_exact(more);
    Ok(())
}
