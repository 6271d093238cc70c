#[cfg(feature = "serde")]
mod serde;
#[cfg(all(test, feature = "serde"))]
mod tests;
#[cfg(feature = "serde")]
pub(super) mod text;

use std::collections::BTreeMap;
use std::collections::btree_map;

use bytes::Bytes;

use super::{END, MAX_KEY, MAX_VALUE, RawBox, put_pair};

/// A box without a type, for tools, proxies and tests: keys in bytewise order, of equal keys the last.
///
/// With the feature `serde` it serializes as a map, whose keys and values are text in JSON and other formats for people. What a value
/// means only a schema knows: `json::Converter` converts by one.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::AmpBox;
///
/// # fn main() -> Result<(), amp::wire::InsertError> {
/// let ask = AmpBox::new().with("_ask", "1")?.with("_command", "Ping")?;
/// assert_eq!(ask.value("_command").map(|name| &name[..]), Some(&b"Ping"[..]));
/// let mut bytes = Vec::new();
/// ask.encode(&mut bytes);
/// assert_eq!(bytes, b"\0\x04_ask\0\x011\0\x08_command\0\x04Ping\0\0");
/// # Ok(())
/// # }
/// ```
#[doc(alias("Box", "QuitBox"))]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AmpBox {
    pairs: BTreeMap<Bytes, Bytes>,
}

/// Why a pair cannot be put into a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InsertError {
    /// The key is empty: on the wire it would end the box.
    #[error("a key must not be empty: an empty key ends the box")]
    EmptyKey,
    /// The key has more than [`MAX_KEY`] bytes.
    #[error("a key of {0} bytes where 255 is the most")]
    KeyTooLong(usize),
    /// The value has more than [`MAX_VALUE`] bytes.
    #[error("a value of {0} bytes where 65535 is the most; split it over several keys or calls")]
    ValueTooLong(usize),
}

impl AmpBox {
    /// An empty box.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a pair into the box and returns the value that the key had before.
    ///
    /// # Errors
    /// If the key or the value does not fit the format (`wire.md` section 1).
    pub fn insert(&mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Result<Option<Bytes>, InsertError> {
        let (key, value) = (key.into(), value.into());
        match (key.len(), value.len()) {
            (0, _) => Err(InsertError::EmptyKey),
            (length, _) if length > MAX_KEY => Err(InsertError::KeyTooLong(length)),
            (_, length) if length > MAX_VALUE => Err(InsertError::ValueTooLong(length)),
            _ => Ok(self.pairs.insert(key, value)),
        }
    }

    /// Returns the box with one more pair, for writing boxes inline.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn with(mut self, key: impl Into<Bytes>, value: impl Into<Bytes>) -> Result<Self, InsertError> {
        self.insert(key, value)?;
        Ok(self)
    }

    /// The value of a key.
    #[must_use]
    pub fn value(&self, key: impl AsRef<[u8]>) -> Option<&Bytes> {
        self.pairs.get(key.as_ref())
    }

    /// Takes a pair out of the box.
    pub fn remove(&mut self, key: impl AsRef<[u8]>) -> Option<Bytes> {
        self.pairs.remove(key.as_ref())
    }

    /// Returns the number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether the box has no pairs. Such a box is not sent: AMP has no use for it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The pairs in bytewise order of their keys.
    pub fn iter(&self) -> btree_map::Iter<'_, Bytes, Bytes> {
        self.pairs.iter()
    }

    /// Appends the box in its wire form.
    pub fn encode(&self, buffer: &mut Vec<u8>) {
        for (key, value) in self {
            put_pair(buffer, key, value);
        }
        buffer.extend_from_slice(&END);
    }

    /// Returns how many bytes the box has on the wire.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.iter().map(|(key, value)| key.len() + value.len() + 4).sum::<usize>() + END.len()
    }
}

impl From<&RawBox> for AmpBox {
    /// Takes the pairs of a received box as slices of its memory, or of a copy if that memory belongs to a much larger buffer.
    /// Each of them keeps the memory of the whole box.
    fn from(raw: &RawBox) -> Self {
        let raw = raw.clone().detached();
        Self { pairs: raw.pairs().map(|(key, value)| (raw.slice_of(key), raw.slice_of(value))).collect() }
    }
}

impl<'a> IntoIterator for &'a AmpBox {
    type Item = (&'a Bytes, &'a Bytes);
    type IntoIter = btree_map::Iter<'a, Bytes, Bytes>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for AmpBox {
    type Item = (Bytes, Bytes);
    type IntoIter = btree_map::IntoIter<Bytes, Bytes>;

    fn into_iter(self) -> Self::IntoIter {
        self.pairs.into_iter()
    }
}
