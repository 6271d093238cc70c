//! JSON to boxes.

use serde_json::Value as Json;

use super::settings::Settings;
use super::shape::Shape;
use super::{JsonError, JsonErrorKind, rules};
use crate::schema::{FieldSchema, TypeSchema};
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

impl Writing<'_> {
    /// The box of an object, whose values may nest `nesting` levels deep.
    fn written(&self, fields: &[FieldSchema], json: &Json, place: Place<'_>, nesting: u8) -> Result<AmpBox, JsonError> {
        let Json::Object(object) = json else { return Err(JsonError::at(place, JsonErrorKind::NotA("an object"))) };
        let unknown = object.keys().filter(|key| fields.iter().all(|field| field.name != **key));
        let unknown: Vec<_> = unknown.take(JsonError::MAX_KEYS).cloned().collect();
        if !unknown.is_empty() {
            return Err(JsonError::at(place, JsonErrorKind::unknown(unknown, fields)));
        }
        let mut written = AmpBox::new();
        for field in fields {
            let place = place.key(&field.name);
            let fault = |kind| JsonError::at(place, kind);
            let json = match object.get(&field.name) {
                None | Some(Json::Null) if field.optional => continue,
                None | Some(Json::Null) => return Err(fault(JsonErrorKind::Missing)),
                Some(json) => json,
            };
            let bytes = self.value(&field.value, json, place, nesting)?;
            rules::check(field, RawValue::new(&bytes).with_nesting(nesting), &self.settings.patterns).map_err(fault)?;
            if field.name.starts_with('_') {
                return Err(fault(JsonErrorKind::Key));
            }
            written.insert(field.name.clone(), bytes).map_err(|error| match error {
                InsertError::ValueTooLong(_) => fault(JsonErrorKind::TooLong),
                InsertError::EmptyKey | InsertError::KeyTooLong(_) => fault(JsonErrorKind::Key),
            })?;
        }
        Ok(written)
    }

    fn value(&self, value: &TypeSchema, json: &Json, place: Place<'_>, nesting: u8) -> Result<Vec<u8>, JsonError> {
        match Shape::of(value) {
            Shape::One(scalar) => scalar.to_wire(json, self.settings.bytes).map_err(|kind| JsonError::at(place, kind)),
            Shape::ListOf(item) => list(json, place, nesting, |json, place, nesting, list| {
                let item = self.value(item, json, place, nesting)?;
                if item.len() > MAX_VALUE {
                    return Err(JsonError::at(place, JsonErrorKind::TooLong));
                }
                list.extend_from_slice(&length_bytes(item.len()));
                list.extend_from_slice(&item);
                Ok(())
            }),
            Shape::Box(name) => {
                let mut nested = Vec::new();
                self.nested(name, json, place, deeper(place, nesting)?, &mut nested)?;
                Ok(nested)
            }
            Shape::AmpList(name) => {
                list(json, place, nesting, |json, place, nesting, list| self.nested(name, json, place, nesting, list))
            }
        }
    }

    /// Appends a nested box.
    fn nested(
        &self,
        name: &str,
        json: &Json,
        place: Place<'_>,
        nesting: u8,
        out: &mut Vec<u8>,
    ) -> Result<(), JsonError> {
        let fields = self.settings.fields_of(name).map_err(|kind| JsonError::at(place, kind))?;
        self.written(fields, json, place, nesting)?.encode(out);
        Ok(())
    }
}

/// The bytes of a list, of which `append` appends one item at a time.
fn list(
    json: &Json,
    place: Place<'_>,
    nesting: u8,
    append: impl Fn(&Json, Place<'_>, u8, &mut Vec<u8>) -> Result<(), JsonError>,
) -> Result<Vec<u8>, JsonError> {
    let Json::Array(items) = json else { return Err(JsonError::at(place, JsonErrorKind::NotA("an array"))) };
    let mut list = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = place.index(index);
        append(item, at, deeper(at, nesting)?, &mut list)?;
        // The rest of it is not worth the memory.
        if list.len() > MAX_VALUE {
            return Err(JsonError::at(place, JsonErrorKind::TooLong));
        }
    }
    Ok(list)
}

fn deeper(place: Place<'_>, nesting: u8) -> Result<u8, JsonError> {
    nesting.checked_sub(1).ok_or_else(|| JsonError::at(place, JsonErrorKind::TooDeep))
}
