//! Boxes as serde sees them: a map.

use std::fmt;

use bytes::Bytes;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::text::{bytes_of_text, text_of_bytes};
use super::{AmpBox, InsertError};

/// A map of its pairs, in bytewise order of the keys. What a key or a value means is not known here: an integer is its digits.
///
/// In a format for people, such as JSON, keys and values are text: UTF-8 as it is, except that a backslash is doubled, and each byte that
/// is not UTF-8 as `\xff`. In any other format they are bytes.
impl Serialize for AmpBox {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let readable = serializer.is_human_readable();
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self {
            map.serialize_entry(&Part { bytes: key, readable }, &Part { bytes: value, readable })?;
        }
        map.end()
    }
}

/// A key or a value.
struct Part<'a> {
    bytes: &'a [u8],
    readable: bool,
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.readable {
            serializer.serialize_str(&text_of_bytes(self.bytes))
        } else {
            serializer.serialize_bytes(self.bytes)
        }
    }
}

/// From such a map, of keys in any order. A key that is there twice is an error, and so is a pair that does not fit into a box.
impl<'de> Deserialize<'de> for AmpBox {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let readable = deserializer.is_human_readable();
        deserializer.deserialize_map(Pairs { readable })
    }
}

struct Pairs {
    readable: bool,
}

impl<'de> Visitor<'de> for Pairs {
    type Value = AmpBox;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a box: a map of keys and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AmpBox, A::Error> {
        let readable = self.readable;
        let mut whole = AmpBox::new();
        while let Some(key) = map.next_key_seed(Reading { readable })? {
            let value = map.next_value_seed(Reading { readable })?;
            let shown = || text_of_bytes(&key).into_owned();
            match whole.insert(key.clone(), value) {
                Ok(None) => {}
                Ok(Some(_)) => return Err(A::Error::custom(format_args!("the key `{}` is there twice", shown()))),
                Err(error @ InsertError::ValueTooLong(_)) => {
                    return Err(A::Error::custom(format_args!("the key `{}`: {error}", shown())));
                }
                Err(error) => return Err(A::Error::custom(error)),
            }
        }
        Ok(whole)
    }
}

/// Reads a key or a value.
struct Reading {
    readable: bool,
}

impl<'de> DeserializeSeed<'de> for Reading {
    type Value = Bytes;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Bytes, D::Error> {
        if self.readable { deserializer.deserialize_str(self) } else { deserializer.deserialize_byte_buf(self) }
    }
}

impl Visitor<'_> for Reading {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.readable { "text, with `\\\\` for a backslash and `\\xff` for a byte" } else { "bytes" })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
        if !self.readable {
            return self.visit_bytes(text.as_bytes());
        }
        let bytes = bytes_of_text(text);
        let bytes =
            bytes.ok_or_else(|| E::custom("a backslash that begins neither `\\\\` nor a byte such as `\\xff`"))?;
        Ok(bytes.into())
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes::copy_from_slice(bytes))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
        Ok(bytes.into())
    }
}
