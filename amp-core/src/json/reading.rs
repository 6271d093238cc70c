//! Boxes to JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::settings::Settings;
use super::shape::Shape;
use super::{JsonError, JsonErrorKind, rules};
use crate::schema::{FieldSchema, TypeSchema};
use crate::value::{BoxReader, DecodeError, RawValue};
use crate::violation::Place;
use crate::wire::{AmpBox, text_of_bytes};

/// About what a map of one pair takes, and each further pair beside its key and its value.
const OBJECT: usize = 640;
const PAIR: usize = 128;
/// About what an allocation takes beside its bytes.
const ALLOCATION: usize = 16;

pub(super) fn to_json(settings: &Settings, fields: &[FieldSchema], from: &AmpBox) -> Result<Json, JsonError> {
    let nesting = settings.limits.nesting;
    let pairs = from.iter().map(|(key, value)| (&key[..], RawValue::new(value).with_nesting(nesting))).collect();
    Reading { settings, bytes: 0, items: 0 }.object(fields, pairs, Place::WHOLE)
}

/// One box that is read, and what its JSON takes so far.
struct Reading<'a> {
    settings: &'a Settings,
    bytes: usize,
    items: usize,
}

/// The pairs of a box; of equal keys the last counts.
type Pairs<'b> = BTreeMap<&'b [u8], RawValue<'b>>;

impl<'a> Reading<'a> {
    fn object(&mut self, fields: &[FieldSchema], mut pairs: Pairs<'_>, place: Place<'_>) -> Result<Json, JsonError> {
        let mut object = Map::new();
        for field in fields {
            let place = place.key(&field.name);
            let Some(raw) = pairs.remove(field.name.as_bytes()) else {
                if field.optional {
                    continue;
                }
                return Err(JsonError::at(place, JsonErrorKind::Missing));
            };
            let pair = field.name.len() + ALLOCATION + if object.is_empty() { OBJECT } else { PAIR };
            self.charge(pair).map_err(|kind| JsonError::at(place, kind))?;
            let json = self.value(&field.value, raw, place)?;
            rules::check(field, raw, &self.settings.patterns).map_err(|kind| JsonError::at(place, kind))?;
            object.insert(field.name.clone(), json);
        }
        if !pairs.is_empty() && !self.settings.ignores_unknown {
            let keys = pairs.keys().take(JsonError::MAX_KEYS).map(|key| text_of_bytes(key).into_owned()).collect();
            return Err(JsonError::at(place, JsonErrorKind::unknown(keys, fields)));
        }
        Ok(Json::Object(object))
    }

    fn value(&mut self, value: &TypeSchema, raw: RawValue<'_>, place: Place<'_>) -> Result<Json, JsonError> {
        match Shape::of(value) {
            Shape::One(scalar) => {
                // Base64 and escapes take some times more, of a value that is short in any case.
                let json = self.charge(raw.as_bytes().len() + ALLOCATION);
                let json = json.and_then(|()| scalar.to_json(raw, self.settings.bytes));
                json.map_err(|kind| JsonError::at(place, kind))
            }
            Shape::ListOf(item) => self.list(raw.items(), place, |reading, raw, place| reading.value(item, raw, place)),
            Shape::Box(name) => {
                let mut boxes = raw.boxes();
                let only = boxes.next().ok_or(JsonErrorKind::Truncated).and_then(whole);
                let only = only.map_err(|kind| JsonError::at(place, kind))?;
                if boxes.next().is_some() {
                    return Err(JsonError::at(place, JsonErrorKind::NotA("a single box")));
                }
                self.nested(name, &only, place)
            }
            Shape::AmpList(name) => {
                self.list(raw.boxes(), place, |reading, nested, place| reading.nested(name, &nested, place))
            }
        }
    }

    fn nested(&mut self, name: &str, nested: &BoxReader<'_>, place: Place<'_>) -> Result<Json, JsonError> {
        let fields = self.settings.fields_of(name).map_err(|kind| JsonError::at(place, kind))?;
        self.object(fields, nested.pairs().collect(), place)
    }

    fn list<T>(
        &mut self,
        parts: impl Iterator<Item = Result<T, DecodeError>>,
        place: Place<'_>,
        read: impl Fn(&mut Self, T, Place<'_>) -> Result<Json, JsonError>,
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

fn whole<T>(part: Result<T, DecodeError>) -> Result<T, JsonErrorKind> {
    part.map_err(|error| JsonErrorKind::of(error.kind()))
}
