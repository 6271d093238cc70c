//! Boxes to JSON and back: by hand for each rule, and as properties over random schemas.
#![expect(clippy::needless_pass_by_value, reason = "`json!` makes values")]

mod constraints;
mod limits;
mod properties;
mod samples;
mod shapes;
mod values;

use std::ops::Bound;

use serde_json::{Value as Json, json};

use super::*;
use crate::schema::{ConstraintSchema, Rule, TypeSchema, WireValue};

fn field(name: &str, value: TypeSchema) -> FieldSchema {
    FieldSchema {
        name: name.to_owned(),
        doc: String::new(),
        value,
        optional: false,
        default: None,
        aliases: Vec::new(),
        constraints: Vec::new(),
    }
}

fn optional(name: &str, value: TypeSchema) -> FieldSchema {
    FieldSchema { optional: true, ..field(name, value) }
}

fn constrained(name: &str, value: TypeSchema, rule: Rule) -> FieldSchema {
    let constraint = ConstraintSchema { code: "code".to_owned(), words: "breaks it".to_owned(), rule };
    FieldSchema { constraints: vec![constraint], ..field(name, value) }
}

fn integer(name: &str) -> TypeSchema {
    TypeSchema::Integer(name.to_owned())
}

fn list(item: TypeSchema) -> TypeSchema {
    TypeSchema::ListOf(Box::new(item))
}

/// A converter whose schema has these boxes.
fn converter(boxes: impl IntoIterator<Item = (&'static str, Vec<FieldSchema>)>) -> Converter {
    let mut schema = Schema::default();
    schema.boxes.extend(boxes.into_iter().map(|(name, fields)| (name.to_owned(), fields)));
    Converter::new(schema)
}

/// A box with one value of the key `it`.
fn it(value: impl AsRef<[u8]>) -> AmpBox {
    AmpBox::new().with("it", value.as_ref().to_vec()).expect("a box")
}

/// The value as it travels.
fn to_wire(converter: &Converter, value: TypeSchema, json: Json) -> Result<Vec<u8>, String> {
    let written = converter.to_box(&[field("it", value)], &json!({ "it": json })).map_err(|error| error.to_string())?;
    Ok(written.value("it").expect("a value").to_vec())
}

/// The JSON of a value that travels.
fn to_json(converter: &Converter, value: TypeSchema, wire: impl AsRef<[u8]>) -> Result<Json, String> {
    let mut json = converter.to_json(&[field("it", value)], &it(wire)).map_err(|error| error.to_string())?;
    Ok(json["it"].take())
}

/// Both directions.
fn is(value: &TypeSchema, wire: &str, json: Json) {
    let plain = converter([]);
    assert_eq!(to_json(&plain, value.clone(), wire), Ok(json.clone()), "{wire}");
    assert_eq!(to_wire(&plain, value.clone(), json.clone()), Ok(wire.as_bytes().to_vec()), "{json}");
}

/// What is read besides, and as what.
fn reads(value: &TypeSchema, json: Json, wire: &str) {
    assert_eq!(to_wire(&converter([]), value.clone(), json.clone()), Ok(wire.as_bytes().to_vec()), "{json}");
}

fn refuses(value: &TypeSchema, json: Json, error: &str) {
    let said = to_wire(&converter([]), value.clone(), json.clone()).expect_err("it was converted");
    assert!(said.starts_with(&format!("it: {error}")), "{json}: {said}");
}

fn refuses_wire(value: &TypeSchema, wire: &[u8], error: &str) {
    let said = to_json(&converter([]), value.clone(), wire).expect_err("it was converted");
    assert_eq!(said, format!("it: {error}"), "{}", wire.escape_ascii());
}
