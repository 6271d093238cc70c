//! Boxes to JSON.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::settings::Settings;
use super::shape::{self, Shape};
use super::{JsonError, JsonErrorKind, document, parts, rules};
use crate::schema::{FieldSchema, TypeSchema, WireValue};
use crate::value::{BoxReader, DecodeError, RawValue};
use crate::violation::Place;
use crate::wire::{AmpBox, text_of_bytes};

/// About what a map of one pair takes, and each further pair beside its key and its value.
pub(super) const OBJECT: usize = 640;
pub(super) const PAIR: usize = 128;
/// About what an allocation takes beside its bytes.
pub(super) const ALLOCATION: usize = 16;

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

/// The pairs of a box; of equal keys the last counts.
pub(super) struct Pairs<'b> {
    pub(super) values: BTreeMap<&'b [u8], RawValue<'b>>,
    /// No bytes of this box.
    raw: RawValue<'b>,
}

impl<'b> Pairs<'b> {
    fn of(nested: &BoxReader<'b>) -> Self {
        Self { values: nested.pairs().collect(), raw: nested.raw(&[]) }
    }
}

impl<'a> Reading<'a> {
    fn new(settings: &'a Settings) -> Self {
        Self { settings, bytes: 0, items: 0 }
    }

    fn object(
        &mut self,
        fields: &[FieldSchema],
        mut pairs: Pairs<'_>,
        place: Place<'_>,
    ) -> Result<Map<String, Json>, JsonError> {
        let mut object = Map::new();
        for field in fields {
            let place = place.key(&field.name);
            if let Some(json) = self.field(field, &mut pairs, place)? {
                self.insert(&mut object, field.name.clone(), json).map_err(|kind| JsonError::at(place, kind))?;
            }
        }
        self.no_others(&pairs, fields, place)?;
        Ok(object)
    }

    /// Takes a field out of its box; `None` if it is absent, and may be.
    fn field(
        &mut self,
        field: &FieldSchema,
        pairs: &mut Pairs<'_>,
        place: Place<'_>,
    ) -> Result<Option<Json>, JsonError> {
        let fault = |kind| JsonError::at(place, kind);
        let name = given(field, pairs).map_err(fault)?;
        let found = match &field.value {
            TypeSchema::Big { maximum, numbering, .. } => {
                let parts = parts::take(pairs, name, *numbering);
                parts.and_then(|parts| self.whole(&parts, *maximum)).map_err(fault)?
            }
            _ => pairs.values.remove(name.as_bytes()).map(|raw| Cow::Borrowed(raw.as_bytes())),
        };
        let bytes = match (&found, &field.default) {
            (Some(bytes), _) => bytes,
            (None, Some(WireValue(default))) => &default[..],
            (None, None) if shape::is_empty_if_absent(field) => &[],
            (None, None) if field.optional => return Ok(None),
            (None, None) => return Err(fault(JsonErrorKind::Missing)),
        };
        let raw = pairs.raw.with_bytes(bytes);
        let json = match self.value(&field.value, raw, place) {
            Err(_) if found.is_none() && field.default.is_none() => return Err(fault(JsonErrorKind::Missing)),
            json => json?,
        };
        rules::check(field, raw, &self.settings.patterns).map_err(fault)?;
        Ok(Some(json))
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

    fn value(&mut self, value: &TypeSchema, raw: RawValue<'_>, place: Place<'_>) -> Result<Json, JsonError> {
        let fault = |kind| JsonError::at(place, kind);
        match Shape::of(value) {
            Shape::One(scalar) => {
                // Base64 and escapes take some times more, of a value that is short in any case.
                let json = self.charge(raw.as_bytes().len() + ALLOCATION);
                json.and_then(|()| scalar.to_json(raw, self.settings.bytes)).map_err(fault)
            }
            Shape::ListOf(item) => self.list(raw.items(), place, |reading, raw, place| reading.value(item, raw, place)),
            Shape::Array(list, expected) => match self.value(list, raw, place)? {
                Json::Array(items) if items.len() != expected => {
                    Err(fault(JsonErrorKind::Items { expected, actual: items.len() }))
                }
                items => Ok(items),
            },
            Shape::Box(name) => self.nested(name, &only(raw).map_err(fault)?, place),
            Shape::AmpList(name) => {
                self.list(raw.boxes(), place, |reading, nested, place| reading.nested(name, &nested, place))
            }
            Shape::Map(name) => self.map(name, raw, place),
            Shape::Enum(name) => {
                let code = self.charge(raw.as_bytes().len() + ALLOCATION).and_then(|()| self.code(name, raw));
                code.map(Json::from).map_err(fault)
            }
            Shape::Tagged(name) => self.variant(name, &only(raw).map_err(fault)?, place),
            Shape::TaggedList(name) => {
                self.list(raw.boxes(), place, |reading, nested, place| reading.variant(name, &nested, place))
            }
            Shape::Json(_) => {
                let json = self.charge(document::size(raw.as_bytes()));
                json.and_then(|()| document::parse(raw.as_bytes())).map_err(fault)
            }
            #[cfg(feature = "zlib")]
            Shape::Zlib(inner, most) => {
                let plain = self.decompressed(raw, most).map_err(fault)?;
                self.value(inner, raw.with_bytes(&plain), place)
            }
        }
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
        self.insert(&mut object, tag.to_owned(), Json::from(code)).map_err(|kind| JsonError::at(at, kind))?;
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
            let name = match self.field(key, &mut pairs, at.key("key"))? {
                Some(Json::String(text)) => text,
                Some(number) => number.to_string(),
                None => return Err(JsonError::at(at.key("key"), JsonErrorKind::Missing)),
            };
            let json = self.field(value, &mut pairs, place.key(&name))?.unwrap_or_default();
            self.no_others(&pairs, fields, at)?;
            if object.contains_key(&name) {
                return Err(JsonError::at(at.key("key"), JsonErrorKind::DuplicateKey));
            }
            self.insert(&mut object, name, json).map_err(|kind| JsonError::at(at, kind))?;
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

    /// Adds a pair whose value is charged.
    fn insert(&mut self, object: &mut Map<String, Json>, key: String, json: Json) -> Result<(), JsonErrorKind> {
        self.charge(key.len() + ALLOCATION + if object.is_empty() { OBJECT } else { PAIR })?;
        object.insert(key, json);
        Ok(())
    }

    #[cfg(feature = "zlib")]
    fn decompressed(&mut self, raw: RawValue<'_>, most: usize) -> Result<Vec<u8>, JsonErrorKind> {
        let limit = self.settings.limits.decoded_bytes;
        let room = limit.saturating_sub(self.bytes);
        let plain = crate::value::decompress(raw, most.min(room)).map_err(|error| match error.kind() {
            crate::value::DecodeErrorKind::Custom(_) if room < most => JsonErrorKind::TooManyBytes { limit },
            crate::value::DecodeErrorKind::Custom(_) => JsonErrorKind::OverMaximum { limit: most },
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
        TypeSchema::Big { numbering, .. } => pairs.values.contains_key(parts::first(name, *numbering).as_bytes()),
        _ => pairs.values.contains_key(name.as_bytes()),
    };
    let mut names = std::iter::once(&field.name).chain(&field.aliases).filter(is_there);
    match (names.next(), names.next()) {
        (Some(one), Some(other)) => Err(JsonErrorKind::GivenTwice { one: one.clone(), other: other.clone() }),
        (name, _) => Ok(name.unwrap_or(&field.name)),
    }
}

/// The one box of a value.
fn only(raw: RawValue<'_>) -> Result<BoxReader<'_>, JsonErrorKind> {
    let mut boxes = raw.boxes();
    let only = boxes.next().ok_or(JsonErrorKind::Truncated).and_then(whole)?;
    if boxes.next().is_some() { Err(JsonErrorKind::NotA("a single box")) } else { Ok(only) }
}

fn whole<T>(part: Result<T, DecodeError>) -> Result<T, JsonErrorKind> {
    part.map_err(|error| JsonErrorKind::of(error.kind()))
}
