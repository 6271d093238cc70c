//! Boxes to JSON.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::charges::{ALLOCATION, pair};
use super::parts::Pairs;
use super::settings::Settings;
use super::shape::{self, Shape};
use super::{JsonError, JsonErrorKind, document, parts, rules};
use crate::schema::{FieldSchema, TypeSchema, WireValue};
use crate::value::{BoxReader, DecodeError, RawValue};
use crate::violation::Place;
use crate::wire::{AmpBox, text_of_bytes};

pub(super) fn to_json(settings: &Settings, fields: &[FieldSchema], from: &AmpBox) -> Result<Json, JsonError> {
    let raw = RawValue::new(&[]).with_nesting(settings.limits.nesting);
    let values = from.iter().map(|(key, value)| (&key[..], raw.with_bytes(value))).collect();
    Reading::new(settings).object(fields, Pairs { values, raw }, Place::WHOLE).map(Json::Object)
}

/// Whether a value of no bytes is one of the type.
pub(super) fn is_value_if_empty(settings: &Settings, value: &TypeSchema) -> bool {
    Reading::new(settings).value(value, RawValue::new(&[]), Place::WHOLE).is_ok()
}

/// One box that is read, and what its JSON takes so far.
struct Reading<'a> {
    settings: &'a Settings,
    bytes: usize,
    items: usize,
}

/// The bytes of a field, and whether they or its default are there.
struct Found<'b> {
    bytes: Cow<'b, [u8]>,
    is_there: bool,
}

impl<'a> Reading<'a> {
    fn new(settings: &'a Settings) -> Self {
        Self { settings, bytes: 0, items: 0 }
    }

    fn object<'b>(
        &mut self,
        fields: &'b [FieldSchema],
        mut pairs: Pairs<'b>,
        place: Place<'_>,
    ) -> Result<Map<String, Json>, JsonError> {
        let mut object = Map::new();
        for field in fields {
            let place = place.key(&field.name);
            let pair = pair(&object, &field.name);
            if let Some(json) = self.field(field, &mut pairs, pair, place)? {
                object.insert(field.name.clone(), json);
            }
        }
        self.no_others(&pairs, fields, place)?;
        Ok(object)
    }

    /// Takes a field out of its box, whose `pair` in an object takes so much; `None` if it is absent, and may be.
    fn field<'b>(
        &mut self,
        field: &'b FieldSchema,
        pairs: &mut Pairs<'b>,
        pair: usize,
        place: Place<'_>,
    ) -> Result<Option<Json>, JsonError> {
        let found = self.found(field, pairs).map_err(|kind| JsonError::at(place, kind))?;
        let Some(Found { bytes, is_there }) = found else { return Ok(None) };
        self.charge(pair).map_err(|kind| JsonError::at(place, kind))?;
        let raw = pairs.raw.with_bytes(&bytes);
        match self.value(&field.value, raw, place) {
            Ok(json) => self.checked(field, raw, json).map(Some).map_err(|kind| JsonError::at(place, kind)),
            Err(error) if is_there || matches!(error.kind(), JsonErrorKind::TooManyBytes { .. }) => Err(error),
            Err(_) => Err(JsonError::at(place, JsonErrorKind::Missing)),
        }
    }

    /// The bytes of a field: those of its pairs or of its default, or none at all, where that may be a value.
    fn found<'b>(&mut self, field: &'b FieldSchema, pairs: &mut Pairs<'b>) -> Result<Option<Found<'b>>, JsonErrorKind> {
        let name = given(field, pairs)?;
        let found = match &field.value {
            TypeSchema::Big { maximum, numbering, .. } => {
                let parts = parts::take(pairs, name, *numbering)?;
                self.whole(&parts, *maximum)?
            }
            _ => pairs.values.remove(name.as_bytes()).map(|raw| Cow::Borrowed(raw.as_bytes())),
        };
        match (found, &field.default) {
            (Some(bytes), _) => Ok(Some(Found { bytes, is_there: true })),
            (None, Some(WireValue(default))) => Ok(Some(Found { bytes: Cow::Borrowed(default), is_there: true })),
            (None, None) if shape::is_empty_if_absent(field) => {
                Ok(Some(Found { bytes: Cow::default(), is_there: false }))
            }
            (None, None) if field.optional => Ok(None),
            (None, None) => Err(JsonErrorKind::Missing),
        }
    }

    fn checked(&self, field: &FieldSchema, raw: RawValue<'_>, json: Json) -> Result<Json, JsonErrorKind> {
        rules::check(field, raw, &self.settings.patterns).map(|()| json)
    }

    /// The parts of a value, put together.
    fn whole<'b>(&mut self, parts: &[&'b [u8]], maximum: usize) -> Result<Option<Cow<'b, [u8]>>, JsonErrorKind> {
        let length = parts.iter().map(|part| part.len()).sum();
        if length > maximum {
            return Err(JsonErrorKind::OverMaximum { limit: maximum });
        }
        Ok(match parts {
            [] => None,
            [only] => Some(Cow::Borrowed(*only)),
            _ => {
                self.charge(length)?;
                Some(Cow::Owned(parts.concat()))
            }
        })
    }

    /// Boxes nest as deep as the limits say: what needs no depth has functions of its own, and room on the stack only then.
    fn value(&mut self, value: &TypeSchema, raw: RawValue<'_>, place: Place<'_>) -> Result<Json, JsonError> {
        match Shape::of(value) {
            Shape::ListOf(item) => self.list(raw.items(), place, |reading, raw, place| reading.value(item, raw, place)),
            Shape::Array(list, length) => self.array(list, length, raw, place),
            Shape::Box(name) => self.nested(name, &only(raw, place)?, place),
            Shape::AmpList(name) => {
                self.list(raw.boxes(), place, |reading, nested, place| reading.nested(name, &nested, place))
            }
            Shape::Map(name) => self.map(name, raw, place),
            Shape::Tagged(name) => self.variant(name, &only(raw, place)?, place),
            Shape::TaggedList(name) => {
                self.list(raw.boxes(), place, |reading, nested, place| reading.variant(name, &nested, place))
            }
            #[cfg(feature = "zlib")]
            Shape::Zlib(inner, most) => self.compressed(inner, most, raw, place),
            leaf => self.leaf(leaf, raw).map_err(|kind| JsonError::at(place, kind)),
        }
    }

    /// A value that holds no others.
    fn leaf(&mut self, shape: Shape<'_>, raw: RawValue<'_>) -> Result<Json, JsonErrorKind> {
        match shape {
            Shape::Enum(name) => {
                self.charge(raw.as_bytes().len() + ALLOCATION)?;
                self.code(name, raw).map(Json::from)
            }
            Shape::Json(_) => {
                self.charge(document::size(raw.as_bytes()))?;
                document::parse(raw.as_bytes())
            }
            Shape::One(scalar) => {
                // Base64 and escapes take some times more, of a value that is short in any case.
                self.charge(raw.as_bytes().len() + ALLOCATION)?;
                scalar.to_json(raw, self.settings.bytes)
            }
            _ => Err(JsonErrorKind::NotA("a value that holds no others")),
        }
    }

    fn array(
        &mut self,
        list: &TypeSchema,
        expected: usize,
        raw: RawValue<'_>,
        place: Place<'_>,
    ) -> Result<Json, JsonError> {
        let actual = raw.as_bytes().len();
        if *list == TypeSchema::Bytes && actual != expected {
            return Err(JsonError::at(place, JsonErrorKind::Length { expected, actual }));
        }
        match self.value(list, raw, place)? {
            Json::Array(items) if items.len() != expected => {
                Err(JsonError::at(place, JsonErrorKind::Items { expected, actual: items.len() }))
            }
            items => Ok(items),
        }
    }

    #[cfg(feature = "zlib")]
    fn compressed(
        &mut self,
        inner: &TypeSchema,
        most: usize,
        raw: RawValue<'_>,
        place: Place<'_>,
    ) -> Result<Json, JsonError> {
        let plain = self.decompressed(raw, most).map_err(|kind| JsonError::at(place, kind))?;
        self.value(inner, raw.with_bytes(&plain), place)
    }

    fn nested(&mut self, name: &str, nested: &BoxReader<'_>, place: Place<'_>) -> Result<Json, JsonError> {
        let fields = self.settings.fields_of(name).map_err(|kind| JsonError::at(place, kind))?;
        self.object(fields, Pairs::of(nested), place).map(Json::Object)
    }

    /// The variant of an enum: its fields, with its code among them.
    fn variant(&mut self, name: &str, nested: &BoxReader<'_>, place: Place<'_>) -> Result<Json, JsonError> {
        let tag = self.settings.tag_of(name).map_err(|kind| JsonError::at(place, kind))?;
        let at = place.key(tag);
        let mut pairs = Pairs::of(nested);
        let raw = pairs.values.remove(tag.as_bytes()).ok_or(JsonErrorKind::Missing);
        let code = raw.and_then(|raw| self.code(name, raw)).map_err(|kind| JsonError::at(at, kind))?;
        let fields = self.settings.variant_of(name, &code).map_err(|kind| JsonError::at(at, kind))?;
        let mut object = self.object(fields, pairs, place)?;
        let charged = self.charge(pair(&object, tag) + code.len() + ALLOCATION);
        charged.map_err(|kind| JsonError::at(at, kind))?;
        object.insert(tag.to_owned(), Json::from(code));
        Ok(Json::Object(object))
    }

    /// The code of a variant.
    fn code(&self, name: &str, raw: RawValue<'_>) -> Result<String, JsonErrorKind> {
        let code = std::str::from_utf8(raw.as_bytes()).map_err(|_| JsonErrorKind::NotA("UTF-8 text"))?;
        self.settings.variant_of(name, code).map(|_| code.to_owned())
    }

    /// A map: an object, or a list of entries where that holds no such keys.
    fn map(&mut self, name: &str, raw: RawValue<'_>, place: Place<'_>) -> Result<Json, JsonError> {
        let fields = self.settings.fields_of(name).map_err(|kind| JsonError::at(place, kind))?;
        let Some((key, value)) = shape::entry(fields) else {
            let mut keys = BTreeSet::new();
            return self.list(raw.boxes(), place, |reading, nested, place| {
                let entry = reading.object(fields, Pairs::of(&nested), place)?;
                if !keys.insert(entry.get("key").map(Json::to_string)) {
                    return Err(JsonError::at(place.key("key"), JsonErrorKind::DuplicateKey));
                }
                Ok(Json::Object(entry))
            });
        };
        let mut object = Map::new();
        for (index, nested) in raw.boxes().enumerate() {
            let at = place.index(index);
            let nested = whole(nested).and_then(|nested| self.charge_item().map(|()| nested));
            let mut pairs = Pairs::of(&nested.map_err(|kind| JsonError::at(at, kind))?);
            let name = match self.field(key, &mut pairs, pair(&object, ""), at.key("key"))? {
                Some(Json::String(text)) => text,
                Some(number) => number.to_string(),
                None => return Err(JsonError::at(at.key("key"), JsonErrorKind::Missing)),
            };
            let json = self.field(value, &mut pairs, 0, place.key(&name))?.unwrap_or_default();
            self.no_others(&pairs, fields, at)?;
            if object.contains_key(&name) {
                return Err(JsonError::at(at.key("key"), JsonErrorKind::DuplicateKey));
            }
            object.insert(name, json);
        }
        Ok(Json::Object(object))
    }

    fn list<T>(
        &mut self,
        parts: impl Iterator<Item = Result<T, DecodeError>>,
        place: Place<'_>,
        mut read: impl FnMut(&mut Self, T, Place<'_>) -> Result<Json, JsonError>,
    ) -> Result<Json, JsonError> {
        let mut list = Vec::new();
        for (index, part) in parts.enumerate() {
            let place = place.index(index);
            let part = whole(part).and_then(|part| self.charge_item().map(|()| part));
            let part = part.map_err(|kind| JsonError::at(place, kind))?;
            list.push(read(self, part, place)?);
        }
        Ok(Json::Array(list))
    }

    /// Fails if a box has keys that are no fields.
    fn no_others(&self, pairs: &Pairs<'_>, fields: &[FieldSchema], place: Place<'_>) -> Result<(), JsonError> {
        if pairs.values.is_empty() || self.settings.ignores_unknown {
            return Ok(());
        }
        let keys = pairs.values.keys().take(JsonError::MAX_KEYS).map(|key| text_of_bytes(key).into_owned()).collect();
        Err(JsonError::at(place, JsonErrorKind::unknown(keys, fields)))
    }

    #[cfg(feature = "zlib")]
    fn decompressed(&mut self, raw: RawValue<'_>, most: usize) -> Result<Vec<u8>, JsonErrorKind> {
        let limit = self.settings.limits.decoded_bytes;
        let room = limit.saturating_sub(self.bytes);
        let plain = crate::value::decompress(raw, most.min(room)).map_err(|error| match error.kind() {
            crate::value::DecodeErrorKind::OverMaximum { .. } if room < most => JsonErrorKind::TooManyBytes { limit },
            kind => JsonErrorKind::of(kind),
        })?;
        self.charge(plain.len())?;
        Ok(plain)
    }

    fn charge(&mut self, bytes: usize) -> Result<(), JsonErrorKind> {
        let limit = self.settings.limits.decoded_bytes;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > limit { Err(JsonErrorKind::TooManyBytes { limit }) } else { Ok(()) }
    }

    fn charge_item(&mut self) -> Result<(), JsonErrorKind> {
        let limit = self.settings.limits.items;
        self.items += 1;
        // A list that grows has room for twice its items.
        self.charge(2 * size_of::<Json>())?;
        if self.items > limit { Err(JsonErrorKind::TooManyItems { limit }) } else { Ok(()) }
    }
}

/// The name under which a field is in its box: its own, unless another is there.
fn given<'f>(field: &'f FieldSchema, pairs: &Pairs<'_>) -> Result<&'f str, JsonErrorKind> {
    let is_there = |name: &&String| match &field.value {
        TypeSchema::Big { numbering, .. } => parts::has_part(pairs, name, *numbering),
        _ => pairs.values.contains_key(name.as_bytes()),
    };
    let mut names = std::iter::once(&field.name).chain(&field.aliases).filter(is_there);
    match (names.next(), names.next()) {
        (Some(one), Some(other)) => Err(JsonErrorKind::GivenTwice { one: one.clone(), other: other.clone() }),
        (name, _) => Ok(name.unwrap_or(&field.name)),
    }
}

/// The one box of a value.
fn only<'b>(raw: RawValue<'b>, place: Place<'_>) -> Result<BoxReader<'b>, JsonError> {
    let mut boxes = raw.boxes();
    let only = boxes.next().ok_or(JsonErrorKind::Truncated).and_then(whole);
    let is_last = |only| if boxes.next().is_some() { Err(JsonErrorKind::NotA("a single box")) } else { Ok(only) };
    only.and_then(is_last).map_err(|kind| JsonError::at(place, kind))
}

fn whole<T>(part: Result<T, DecodeError>) -> Result<T, JsonErrorKind> {
    part.map_err(|error| JsonErrorKind::of(error.kind()))
}
