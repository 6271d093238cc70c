//! JSON to boxes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::settings::Settings;
use super::shape::{self, Shape};
use super::{JsonError, JsonErrorKind, document, parts, reading, rules};
use crate::schema::{FieldSchema, TypeSchema, WireValue};
use crate::value::RawValue;
use crate::violation::Place;
use crate::wire::{AmpBox, InsertError, MAX_VALUE, length_bytes};

pub(super) fn to_box(settings: &Settings, fields: &[FieldSchema], json: &Json) -> Result<AmpBox, JsonError> {
    let limit = settings.limits.bytes;
    let written = Writing { settings }.written(fields, json, Place::WHOLE, settings.limits.nesting)?;
    if written.encoded_len() > limit {
        return Err(JsonError::at(Place::WHOLE, JsonErrorKind::BoxTooLong { limit }));
    }
    Ok(written)
}

/// One object that becomes a box.
struct Writing<'a> {
    settings: &'a Settings,
}

/// What a value may be.
#[derive(Clone, Copy)]
struct Room {
    /// The most bytes.
    bytes: usize,
    /// So many levels it may nest.
    nesting: u8,
}

impl Room {
    /// What an item of the value may be.
    fn deeper(self, place: Place<'_>) -> Result<Self, JsonError> {
        let nesting = self.nesting.checked_sub(1).ok_or_else(|| JsonError::at(place, JsonErrorKind::TooDeep))?;
        Ok(Self { bytes: MAX_VALUE, nesting })
    }

    fn check(self, length: usize, place: Place<'_>) -> Result<(), JsonError> {
        match self.bytes {
            limit if length <= limit => Ok(()),
            MAX_VALUE => Err(JsonError::at(place, JsonErrorKind::TooLong)),
            limit => Err(JsonError::at(place, JsonErrorKind::OverMaximum { limit })),
        }
    }
}

impl Writing<'_> {
    /// The box of an object, whose values may nest `nesting` levels deep.
    fn written(&self, fields: &[FieldSchema], json: &Json, place: Place<'_>, nesting: u8) -> Result<AmpBox, JsonError> {
        let object = object(json, place)?;
        let mut written = AmpBox::new();
        self.fields(fields, object, None, place, nesting, &mut written)?;
        Ok(written)
    }

    /// Adds the fields that an object has, beside the code of a variant under the key `tag`.
    fn fields(
        &self,
        fields: &[FieldSchema],
        object: &Map<String, Json>,
        tag: Option<&str>,
        place: Place<'_>,
        nesting: u8,
        out: &mut AmpBox,
    ) -> Result<(), JsonError> {
        let is_known = |key: &str| tag == Some(key) || fields.iter().any(|field| names(field).any(|name| name == key));
        let unknown: Vec<_> = object.keys().filter(|key| !is_known(key)).take(JsonError::MAX_KEYS).cloned().collect();
        if !unknown.is_empty() {
            return Err(JsonError::at(place, JsonErrorKind::unknown(unknown, fields)));
        }
        for field in fields {
            let place = place.key(&field.name);
            let json = given(field, object).map_err(|kind| JsonError::at(place, kind))?;
            self.field(field, json, place, nesting, out)?;
        }
        Ok(())
    }

    /// Adds one field; `None` if the object does not have it.
    fn field(
        &self,
        field: &FieldSchema,
        json: Option<&Json>,
        place: Place<'_>,
        nesting: u8,
        out: &mut AmpBox,
    ) -> Result<(), JsonError> {
        let room = Room { bytes: MAX_VALUE, nesting };
        let bytes = match json {
            Some(json) => self.sent(&field.value, json, place, room)?,
            None => match self.absent(field).map_err(|kind| JsonError::at(place, kind))? {
                Some(bytes) => bytes,
                None => return Ok(()),
            },
        };
        self.insert(field, bytes, nesting, out).map_err(|kind| JsonError::at(place, kind))
    }

    /// The value of a field, which may be big.
    fn sent(&self, value: &TypeSchema, json: &Json, place: Place<'_>, room: Room) -> Result<Vec<u8>, JsonError> {
        let TypeSchema::Big { value, maximum, .. } = value else { return self.value(value, json, place, room) };
        let room = Room { bytes: *maximum, ..room };
        let bytes = self.value(value, json, place, room)?;
        room.check(bytes.len(), place)?;
        Ok(bytes)
    }

    /// What a field is that is absent.
    fn absent(&self, field: &FieldSchema) -> Result<Option<Vec<u8>>, JsonErrorKind> {
        match &field.default {
            Some(WireValue(default)) => Ok(Some(default.clone())),
            None if shape::is_empty_if_absent(field) => {
                let is_value = reading::is_value_if_empty(self.settings, &field.value);
                if is_value { Ok(Some(Vec::new())) } else { Err(JsonErrorKind::Missing) }
            }
            None if field.optional => Ok(None),
            None => Err(JsonErrorKind::Missing),
        }
    }

    /// Adds the pairs of a value.
    fn insert(&self, field: &FieldSchema, bytes: Vec<u8>, nesting: u8, out: &mut AmpBox) -> Result<(), JsonErrorKind> {
        rules::check(field, RawValue::new(&bytes).with_nesting(nesting), &self.settings.patterns)?;
        if field.name.starts_with('_') {
            return Err(JsonErrorKind::Key);
        }
        let pairs = match &field.value {
            TypeSchema::Big { numbering, .. } => parts::split(&field.name, *numbering, &bytes),
            _ => vec![(field.name.clone(), bytes)],
        };
        for (key, value) in pairs {
            out.insert(key, value).map_err(|error| match error {
                InsertError::ValueTooLong(_) => JsonErrorKind::TooLong,
                InsertError::EmptyKey | InsertError::KeyTooLong(_) => JsonErrorKind::Key,
            })?;
        }
        Ok(())
    }

    /// Boxes nest as deep as the limits say: what needs no depth has functions of its own, and room on the stack only then.
    fn value(&self, value: &TypeSchema, json: &Json, place: Place<'_>, room: Room) -> Result<Vec<u8>, JsonError> {
        match Shape::of(value) {
            Shape::ListOf(item) => {
                list(json, place, room, |json, place, room, list| self.item(item, json, place, room, list))
            }
            Shape::Array(list, length) => self.array(list, length, json, place, room),
            Shape::Box(name) => self.nested(name, json, place, room.deeper(place)?, Vec::new()),
            Shape::AmpList(name) => {
                list(json, place, room, |json, place, room, list| self.nested(name, json, place, room, list))
            }
            Shape::Map(name) => self.map(name, json, place, room),
            Shape::Tagged(name) => self.variant(name, json, place, room.deeper(place)?, Vec::new()),
            Shape::TaggedList(name) => {
                list(json, place, room, |json, place, room, list| self.variant(name, json, place, room, list))
            }
            #[cfg(feature = "zlib")]
            Shape::Zlib(inner, most) => self.compressed(inner, most, json, place, room),
            leaf => self.leaf(leaf, json).map_err(|kind| JsonError::at(place, kind)),
        }
    }

    /// A value that holds no others.
    fn leaf(&self, shape: Shape<'_>, json: &Json) -> Result<Vec<u8>, JsonErrorKind> {
        match shape {
            Shape::Enum(name) => {
                let code = json.as_str().ok_or(JsonErrorKind::NotA("a string"))?;
                self.settings.variant_of(name, code).map(|_| code.as_bytes().to_vec())
            }
            Shape::Json(letters) => document::written(json, letters),
            Shape::One(scalar) => scalar.to_wire(json, self.settings.bytes),
            _ => Err(JsonErrorKind::NotA("a value that holds no others")),
        }
    }

    /// Appends an item of a list.
    fn item(
        &self,
        item: &TypeSchema,
        json: &Json,
        place: Place<'_>,
        room: Room,
        mut list: Vec<u8>,
    ) -> Result<Vec<u8>, JsonError> {
        let item = self.value(item, json, place, room)?;
        room.check(item.len(), place)?;
        list.extend_from_slice(&length_bytes(item.len()));
        list.extend_from_slice(&item);
        Ok(list)
    }

    fn array(
        &self,
        list: &TypeSchema,
        expected: usize,
        json: &Json,
        place: Place<'_>,
        room: Room,
    ) -> Result<Vec<u8>, JsonError> {
        match json {
            Json::Array(items) if items.len() != expected => {
                Err(JsonError::at(place, JsonErrorKind::Items { expected, actual: items.len() }))
            }
            _ => {
                let bytes = self.value(list, json, place, room)?;
                let actual = bytes.len();
                if *list == TypeSchema::Bytes && actual != expected {
                    return Err(JsonError::at(place, JsonErrorKind::Length { expected, actual }));
                }
                Ok(bytes)
            }
        }
    }

    #[cfg(feature = "zlib")]
    fn compressed(
        &self,
        inner: &TypeSchema,
        most: usize,
        json: &Json,
        place: Place<'_>,
        room: Room,
    ) -> Result<Vec<u8>, JsonError> {
        let room = Room { bytes: most, ..room };
        let plain = self.value(inner, json, place, room)?;
        room.check(plain.len(), place)?;
        let mut packed = Vec::new();
        let compressed = crate::value::compress(&plain, &mut crate::value::ValueWriter::new(&mut packed));
        compressed.map_err(|_| JsonError::at(place, JsonErrorKind::NotA("compressible")))?;
        Ok(packed)
    }

    /// Appends a nested box.
    fn nested(
        &self,
        name: &str,
        json: &Json,
        place: Place<'_>,
        room: Room,
        mut out: Vec<u8>,
    ) -> Result<Vec<u8>, JsonError> {
        let fields = self.settings.fields_of(name).map_err(|kind| JsonError::at(place, kind))?;
        self.written(fields, json, place, room.nesting)?.encode(&mut out);
        Ok(out)
    }

    /// Appends the box of a variant.
    fn variant(
        &self,
        name: &str,
        json: &Json,
        place: Place<'_>,
        room: Room,
        mut out: Vec<u8>,
    ) -> Result<Vec<u8>, JsonError> {
        let object = object(json, place)?;
        let tag = self.settings.tag_of(name).map_err(|kind| JsonError::at(place, kind))?;
        let fault = |kind| JsonError::at(place.key(tag), kind);
        let code = match object.get(tag) {
            None | Some(Json::Null) => return Err(fault(JsonErrorKind::Missing)),
            Some(code) => code.as_str().ok_or(JsonErrorKind::NotA("a string")).map_err(fault)?,
        };
        let fields = self.settings.variant_of(name, code).map_err(fault)?;
        let mut written = AmpBox::new();
        self.fields(fields, object, Some(tag), place, room.nesting, &mut written)?;
        written.insert(tag.to_owned(), code.to_owned()).map_err(|error| match error {
            InsertError::ValueTooLong(_) => fault(JsonErrorKind::TooLong),
            InsertError::EmptyKey | InsertError::KeyTooLong(_) => fault(JsonErrorKind::Key),
        })?;
        written.encode(&mut out);
        Ok(out)
    }

    /// A map: an object, or a list of entries where that holds no such keys.
    fn map(&self, name: &str, json: &Json, place: Place<'_>, room: Room) -> Result<Vec<u8>, JsonError> {
        let fields = self.settings.fields_of(name).map_err(|kind| JsonError::at(place, kind))?;
        let Some((key, value)) = shape::entry(fields) else {
            let mut keys = BTreeSet::new();
            return list(json, place, room, |json, place, room, mut list| {
                let entry = self.written(fields, json, place, room.nesting)?;
                if !keys.insert(entry.value("key").cloned()) {
                    return Err(JsonError::at(place.key("key"), JsonErrorKind::DuplicateKey));
                }
                entry.encode(&mut list);
                Ok(list)
            });
        };
        // In the order of the encoded keys, as a `HashMap` has them.
        let mut entries = BTreeMap::new();
        for (name, json) in object(json, place)? {
            let at = place.key(name);
            let room = room.deeper(at)?;
            let mut entry = AmpBox::new();
            self.field(key, Some(&Json::from(&**name)), at, room.nesting, &mut entry)?;
            let json = Some(json).filter(|json| !json.is_null() || shape::has_null(value));
            self.field(value, json, at, room.nesting, &mut entry)?;
            if entries.insert(entry.value("key").cloned(), entry).is_some() {
                return Err(JsonError::at(at, JsonErrorKind::DuplicateKey));
            }
        }
        let mut bytes = Vec::new();
        entries.values().for_each(|entry| entry.encode(&mut bytes));
        Ok(bytes)
    }
}

/// The names of a field.
fn names(field: &FieldSchema) -> impl Iterator<Item = &String> {
    std::iter::once(&field.name).chain(&field.aliases)
}

/// The value of a field in an object, under one of its names.
fn given<'j>(field: &FieldSchema, object: &'j Map<String, Json>) -> Result<Option<&'j Json>, JsonErrorKind> {
    let is_there = |json: &&Json| !json.is_null() || shape::has_null(field);
    let mut given = names(field).filter_map(|name| Some((name, object.get(name).filter(is_there)?)));
    match (given.next(), given.next()) {
        (Some((one, _)), Some((other, _))) => Err(JsonErrorKind::GivenTwice { one: one.clone(), other: other.clone() }),
        (found, _) => Ok(found.map(|(_, json)| json)),
    }
}

fn object<'j>(json: &'j Json, place: Place<'_>) -> Result<&'j Map<String, Json>, JsonError> {
    json.as_object().ok_or_else(|| JsonError::at(place, JsonErrorKind::NotA("an object")))
}

/// The bytes of a list, of which `append` appends one item at a time.
fn list(
    json: &Json,
    place: Place<'_>,
    room: Room,
    mut append: impl FnMut(&Json, Place<'_>, Room, Vec<u8>) -> Result<Vec<u8>, JsonError>,
) -> Result<Vec<u8>, JsonError> {
    let Json::Array(items) = json else { return Err(JsonError::at(place, JsonErrorKind::NotA("an array"))) };
    let mut list = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = place.index(index);
        list = append(item, at, room.deeper(at)?, list)?;
        // The rest of it is not worth the memory.
        room.check(list.len(), place)?;
    }
    Ok(list)
}
