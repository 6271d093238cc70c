//! JSON text within a value.

use serde_json::Value as Json;

use super::JsonErrorKind;
use super::charges::{ALLOCATION, OBJECT, PAIR};
use super::shape::Letters;

/// So deep serde nests what it reads.
const DEPTH: usize = 127;

/// At most about what the JSON of a text takes in memory. Each comma is taken for that of an object.
pub(super) fn size(text: &[u8]) -> usize {
    let (mut size, mut in_string, mut escaped) = (text.len(), false, false);
    for byte in text {
        if in_string {
            (in_string, escaped) = (escaped || *byte != b'"', !escaped && *byte == b'\\');
            continue;
        }
        size += match byte {
            b'"' => {
                in_string = true;
                ALLOCATION
            }
            b'{' => OBJECT + ALLOCATION,
            // A list begins with room for four.
            b'[' => 4 * size_of::<Json>() + ALLOCATION,
            b',' => PAIR,
            _ => 0,
        };
    }
    size
}

pub(super) fn parse(text: &[u8]) -> Result<Json, JsonErrorKind> {
    serde_json::from_slice(text).map_err(|_| JsonErrorKind::NotA("JSON text that nests up to 127 levels deep"))
}

/// The text without spaces.
pub(super) fn written(json: &Json, letters: Letters) -> Result<Vec<u8>, JsonErrorKind> {
    if !is_within(json, DEPTH) {
        return Err(JsonErrorKind::NotA("JSON that nests up to 127 levels deep"));
    }
    let text = json.to_string();
    Ok(match letters {
        Letters::Utf8 => text,
        Letters::Ascii => ascii(&text),
    }
    .into_bytes())
}

fn is_within(json: &Json, depth: usize) -> bool {
    match (json, depth.checked_sub(1)) {
        (Json::Array(_) | Json::Object(_), None) => false,
        (Json::Array(items), Some(depth)) => items.iter().all(|item| is_within(item, depth)),
        (Json::Object(pairs), Some(depth)) => pairs.values().all(|value| is_within(value, depth)),
        _ => true,
    }
}

/// Escapes what is not printable ASCII, which stands only in strings.
fn ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, ' '..='~') {
            escaped.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}
