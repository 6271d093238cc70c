//! Maps: an AmpList of boxes with the keys `key` and `value`.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use super::{Argument, nested_count_list, take_required};
use crate::schema::{AmpType, BoxDeclaration, FieldDeclaration};
use crate::value::{
    BoxReader, BoxWriter, Count, DecodeError, DecodeErrorKind, EncodeError, Key, RawValue, Value, ValueWriter,
};
use crate::violation::{Place, Violations};

const KEY: Key = Key::from_wire(b"\0\x03key");
const VALUE: Key = Key::from_wire(b"\0\x05value");

/// One entry of a map as a box.
struct Entry<K, V>(PhantomData<(K, V)>);

impl<K: Value, V: Argument> Entry<K, V> {
    const FIELDS: &'static [FieldDeclaration] = &[
        FieldDeclaration {
            name: "key",
            doc: "",
            value: K::TYPE,
            optional: false,
            default: None,
            aliases: &[],
            constraints: &[],
        },
        FieldDeclaration {
            name: "value",
            doc: "",
            value: V::DECLARED,
            optional: V::OPTIONAL,
            default: None,
            aliases: &[],
            constraints: &[],
        },
    ];

    fn declared() -> BoxDeclaration {
        BoxDeclaration { name: "Entry", fields: Self::FIELDS }
    }

    fn take(from: &mut BoxReader<'_>) -> Result<(K, V), DecodeError> {
        Ok((take_required(KEY, from)?, take_required(VALUE, from)?))
    }

    fn check(key: &K, value: &V, place: Place<'_>, found: &mut Violations) {
        Value::check(key, place.key(KEY.name()), found);
        Argument::check(value, place.key(VALUE.name()), found);
    }
}

/// An AmpList of boxes with the keys `key` and `value`, in the order of the keys.
///
/// Entries are read in any order. The value may be an `Option` or another [`Argument`]. A constraint on the length of the map is
/// checked before its entries are decoded.
///
/// # Errors
/// A key that comes twice is [`DecodeErrorKind::DuplicateKey`].
impl<K: Value + Ord, V: Argument> Value for BTreeMap<K, V> {
    const TYPE: AmpType = AmpType::Map(Entry::<K, V>::declared);
    const COUNT: Option<Count> = Some(nested_count_list);

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        put_entries(self, out, |key, out| out.put(KEY, key))
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let mut map = Self::new();
        read_entries(raw, |key, value| {
            charge_nodes::<K, V>(raw, map.len())?;
            Ok(map.insert(key, value).is_none())
        })?;
        Ok(map)
    }

    fn check(&self, place: Place<'_>, found: &mut Violations) {
        for (index, (key, value)) in self.iter().enumerate() {
            Entry::check(key, value, place.index(index), found);
        }
    }
}

/// An AmpList of boxes with the keys `key` and `value`, in bytewise order of the keys' encoded form, so that equal maps have equal
/// bytes; see the implementation for [`BTreeMap`].
///
/// # Errors
/// A key that comes twice is [`DecodeErrorKind::DuplicateKey`].
impl<K: Value + Eq + Hash, V: Argument, S: BuildHasher + Default> Value for HashMap<K, V, S> {
    const TYPE: AmpType = AmpType::Map(Entry::<K, V>::declared);
    const COUNT: Option<Count> = Some(nested_count_list);

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        let mut entries = Vec::with_capacity(self.len());
        for (key, value) in self {
            let mut bytes = Vec::new();
            key.encode(&mut out.with_buffer(&mut bytes)).map_err(|error| error.at_key(KEY.name()))?;
            entries.push((bytes, value));
        }
        entries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        put_entries(entries, out, |key, out| out.put_raw(KEY, &key))
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let mut map = Self::default();
        read_entries(raw, |key, value| {
            if map.len() == map.capacity() {
                grow(&mut map, raw)?;
            }
            Ok(map.insert(key, value).is_none())
        })?;
        Ok(map)
    }

    /// The places have no index: the order of iteration is that of this process's hashes, and no one else's.
    fn check(&self, place: Place<'_>, found: &mut Violations) {
        for (key, value) in self {
            Entry::check(key, value, place, found);
        }
    }
}

/// Encodes entries in the order in which they come.
fn put_entries<'a, K, V: Argument + 'a>(
    entries: impl IntoIterator<Item = (K, &'a V)>,
    out: &mut ValueWriter<'_>,
    put_key: impl Fn(K, &mut BoxWriter<'_>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    entries.into_iter().enumerate().try_for_each(|(index, (key, value))| {
        let put = out.put_box(|out| {
            put_key(key, out)?;
            value.put(VALUE, out)
        });
        put.map_err(|error| error.at_index(index))
    })
}

/// Decodes entries, and inserts each; `insert` returns whether its key is new.
fn read_entries<K: Value, V: Argument>(
    raw: RawValue<'_>,
    mut insert: impl FnMut(K, V) -> Result<bool, DecodeError>,
) -> Result<(), DecodeError> {
    for (index, entry) in raw.boxes().enumerate() {
        let entry = entry.and_then(|mut entry| Entry::take(&mut entry));
        let is_new = entry.and_then(|(key, value)| insert(key, value)).map_err(|error| error.at_index(index))?;
        if !is_new {
            return Err(DecodeError::from(DecodeErrorKind::DuplicateKey).at_key(KEY.name()).at_index(index));
        }
    }
    Ok(())
}

/// Laid out as a leaf of the library's B-tree is. An inner node has twelve pointers more.
struct Leaf<K, V> {
    _entries: [(K, V); 11],
    _parent: usize,
    _lengths: [u16; 2],
}

/// Charges what a B-tree of `length` entries takes for one more. Every leaf but the first has five entries at least, and there are
/// fewer inner nodes than leaves.
fn charge_nodes<K, V>(raw: RawValue<'_>, length: usize) -> Result<(), DecodeError> {
    if length.is_multiple_of(5) {
        let leaf = size_of::<Leaf<K, V>>();
        raw.charge_allocation(leaf)?;
        if length > 0 {
            raw.charge_allocation(leaf + 12 * size_of::<usize>())?;
        }
    }
    Ok(())
}

/// Doubles the table. It charges the new one before it is allocated: a power of two of places, of which an eighth stays free, each
/// with a byte more, and a group of such bytes.
fn grow<K: Eq + Hash, V, S: BuildHasher>(map: &mut HashMap<K, V, S>, raw: RawValue<'_>) -> Result<(), DecodeError> {
    let wanted = (map.len() * 2).max(3);
    let places = if wanted < 8 { (wanted + 1).next_power_of_two() } else { (wanted * 8 / 7).next_power_of_two() };
    raw.charge_allocation(places.saturating_mul(size_of::<(K, V)>() + 1).saturating_add(64))?;
    map.reserve(wanted - map.len());
    Ok(())
}
