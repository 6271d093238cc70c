//! Boxes as JSON and back, by a schema: what a command line or a web gateway stands on. Imports `command`, `value`, `schema`, `violation`,
//! `escaped` and `wire`.
//!
//! A [`Converter`] knows the types of all fields from a [`Schema`], so that no Rust type of the commands is needed:
//!
//! ```
//! # extern crate amp_core as amp;
//! # use amp_derive::{Arguments, Command};
//! use amp::Command as _;
//! use amp::json::Converter;
//! use amp::schema::Schema;
//!
//! #[derive(Command, Debug)]
//! #[amp(response = Total)]
//! struct Sum {
//!     #[constrain(length = 1..)]
//!     numbers: Vec<i64>,
//! }
//!
//! #[derive(Arguments, Debug)]
//! struct Total {
//!     total: i128,
//! }
//!
//! let converter = Converter::new(Schema::of([Sum::DECLARATION]));
//! let sum = &converter.schema().commands["Sum"];
//!
//! let arguments = converter.to_box(&sum.arguments, &serde_json::json!({ "numbers": [1, "9007199254740993"] }))?;
//! assert_eq!(arguments.value("numbers").unwrap(), &b"\0\x011\0\x109007199254740993"[..]);
//! // let answer = connection.call_box("Sum", arguments).await?;
//! # let answer = amp::AmpBox::new().with("total", "9007199254740994").unwrap();
//! assert_eq!(converter.to_json(&sum.response, &answer)?.to_string(), r#"{"total":"9007199254740994"}"#);
//!
//! let error = converter.to_box(&sum.arguments, &serde_json::json!({ "numbers": [1, true] })).unwrap_err();
//! assert_eq!(error.to_string(), "numbers[1]: not an integer");
//! # Ok::<(), amp::json::JsonError>(())
//! ```
//!
//! | AMP | JSON | reads, too |
//! |---|---|---|
//! | `Integer` | a number, and a string of digits from 2⁵³ on, which JavaScript would round | a string of any integer |
//! | `Float` | a number, or `"NaN"`, `"Infinity"`, `"-Infinity"` | a string that holds one, in Python's spelling as well |
//! | `Boolean` | `true`, `false` | |
//! | `Unicode` | a string | |
//! | `String` | a string in Base64, or as [`Converter::bytes_as`] says | |
//! | `Decimal` | a string, such as `"12.50"` | an integer; a number with a point has lost its digits |
//! | `DateTime` | a string, such as `"2012-01-23T12:34:56.054321-01:23"` | any time of RFC 3339, cut to microseconds |
//! | `Path` | a string; relative ones are not sent | |
//! | an address, a `char`, a `Uuid`, a `Url` | a string | every spelling that Rust reads |
//! | `Octets` of an address | a string, such as `"127.0.0.1"` | every spelling |
//! | another `Text` | a string | |
//! | `Duration` | a number of seconds | as a `Float` |
//! | `Json`, `AsciiJson` | the JSON itself; an integer of more than 64 bits becomes a float, as serde reads it | |
//! | `Zlib` | what it holds; without the feature `zlib` as a `String`: its bytes | |
//! | `ListOf`, `AmpList` | an array | |
//! | `[T; N]` | an array of `N` items | |
//! | a map | an object, where its keys are texts, bytes, numbers but floats, or codes; else an array of objects with `key` and `value` | |
//! | an enum | a string: the code of the variant | |
//! | an enum with data | an object: the code under the tag, and the variant's fields | |
//! | a nested box | an object | |
//! | `Big` | what it holds, over as many keys of the box as it needs | |
//! | an optional key that is absent | no key; `null` as the value of a map's entry | `null` |
//! | a key with a default that is absent | the default | `null` |
//! | a value type of the program's own | as a `String`: its bytes | |
//!
//! `null` is a value where a field is a `Json`. A field is read under its aliases as well. Entries of a map are written in the order of
//! their encoded keys; two keys that only Rust knows to be equal, such as one time at two offsets, are left to the ends.
//!
//! An argument type of the program's own that takes several keys cannot be converted: a schema does not know of the others.

mod charges;
mod coding;
mod document;
mod error;
mod number;
mod parts;
mod patterns;
mod reading;
mod rules;
mod scalar;
mod settings;
mod shape;
#[cfg(test)]
mod tests;
mod texts;
mod time;
mod writing;

use serde_json::Value as Json;

use crate::schema::{FieldSchema, Schema};
use crate::wire::{AmpBox, BoxLimits};
pub use error::{JsonError, JsonErrorKind};
use patterns::Patterns;
pub use settings::BytesForm;
use settings::Settings;

/// Converts JSON objects to boxes and back, by the fields that a schema declares.
///
/// Both directions check what is declared: the types, with the bounds of integers, and the constraints. Rules that only Rust knows (`with`),
/// those on types of the program's own and, without the feature `regex`, patterns are left to the ends of the connection, which check them in
/// any case.
///
/// What one direction has converted, the other converts back to the same, up to the spelling of numbers and times. Numbers of JSON are floats
/// where they are no integers: [`serde_json`] reads those exactly, other programs may not.
#[derive(Clone, Debug)]
pub struct Converter(Settings);

impl Converter {
    /// A converter for the commands of a schema.
    #[must_use]
    pub fn new(schema: Schema) -> Self {
        let patterns = Patterns::of(&schema);
        let (limits, bytes) = (BoxLimits::DEFAULT, BytesForm::default());
        Self(Settings { schema, patterns, limits, bytes, ignores_unknown: false })
    }

    /// Sets the limits: `bytes` for boxes that are made, `nesting` in both directions, and `decoded_bytes` and `items` for boxes that are
    /// read, whose JSON takes many times their size in memory.
    #[must_use]
    pub fn limits(mut self, limits: BoxLimits) -> Self {
        self.0.limits = limits;
        self
    }

    /// Sets how bytes are written and read. Default Base64.
    #[must_use]
    pub fn bytes_as(mut self, form: BytesForm) -> Self {
        self.0.bytes = form;
        self
    }

    /// Leaves out keys of boxes that the schema does not know, as the ends of a connection do, so that a newer peer may send more. Without
    /// it they are an error. Those of JSON objects always are.
    #[must_use]
    pub fn ignore_unknown_keys(mut self) -> Self {
        self.0.ignores_unknown = true;
        self
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.0.schema
    }

    /// Converts a JSON object to a box with these fields: the arguments of a command, its response, or what one of its errors adds.
    ///
    /// # Errors
    /// The first value that does not fit, by its path. A value on the wire has at most 65,535 bytes, a list or a nested box as a whole too.
    pub fn to_box(&self, fields: &[FieldSchema], json: &Json) -> Result<AmpBox, JsonError> {
        writing::to_box(&self.0, fields, json)
    }

    /// Converts a box with these fields to a JSON object.
    ///
    /// # Errors
    /// The first value that does not fit, by its path.
    pub fn to_json(&self, fields: &[FieldSchema], from: &AmpBox) -> Result<Json, JsonError> {
        reading::to_json(&self.0, fields, from)
    }
}
