//! Values of serde as JSON text.

mod ascii;
mod charging;

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::wrapper::wrapper;
use super::{DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter, With};
use crate::schema::AmpType;
use charging::Account;

wrapper! {
    /// A value of serde as JSON text: UTF-8 without spaces. Feature `json`.
    ///
    /// `#[amp(json)]` on a field does the same for what is in the field, without the wrapper. It is text to a peer, such as Python's `json.loads`, and a Python object in the module of
    /// [`Schema::to_twisted`](crate::schema::Schema::to_twisted). A text has at most 65,535 bytes; [`Zlib<Json<T>>`](super::Zlib) has room for more.
    /// JSON has no NaN and no infinity: serde writes `null` for them, and what Python writes for them, `NaN`, is not read.
    ///
    /// What is decoded is charged to the budget of the box before it takes memory, by the sizes of the Rust types. JSON nests up to 127 levels deep.
    ///
    /// Where serde buffers first, only its buffer is charged: for an enum with `#[serde(tag)]` or `#[serde(untagged)]` and for `#[serde(flatten)]`.
    /// What is then built of it may be larger by any factor, as an object of two bytes can become a struct of kilobytes. Decode such types
    /// only from peers that you trust, or write the enum with `#[derive(Value)]`.
    ///
    /// ```
    /// # extern crate amp_core as amp;
    /// use amp::value::{Json, RawValue, Value, ValueWriter};
    /// use std::collections::BTreeMap;
    ///
    /// let options = Json(BTreeMap::from([("retries".to_owned(), vec![1, 2])]));
    /// let mut bytes = Vec::new();
    /// options.encode(&mut ValueWriter::new(&mut bytes)).unwrap();
    /// assert_eq!(bytes, br#"{"retries":[1,2]}"#);
    /// assert_eq!(Json::decode(RawValue::new(&bytes)).unwrap(), options);
    /// assert_eq!(options["retries"].len(), 2);
    /// ```
    ///
    /// # Errors
    /// A value that serde does not write as JSON is not sent, such as a map whose keys are no texts or numbers. Of a received text that is no JSON, or
    /// not of this type, the error says the line and the column.
    #[derive(Copy)]
    Json
}

wrapper! {
    /// As [`Json`], with `\u` escapes for all that is not ASCII, as Python's `json.dumps` writes it: for a peer that decodes the text as ASCII first.
    /// Feature `json`.
    ///
    /// It reads what [`Json`] reads.
    #[derive(Copy)]
    AsciiJson
}

impl<T: Serialize + DeserializeOwned> Value for Json<T> {
    const TYPE: AmpType = AmpType::Json;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        write(&self.0, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        read(raw).map(Self)
    }
}

/// What `#[amp(json)]` on a field stands for.
impl<T: Serialize + DeserializeOwned> With<T> for Json<()> {
    const TYPE: AmpType = AmpType::Json;

    fn encode(value: &T, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        write(value, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<T, DecodeError> {
        read(raw)
    }
}

impl<T: Serialize + DeserializeOwned> Value for AsciiJson<T> {
    const TYPE: AmpType = AmpType::AsciiJson;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        let mut serializer = serde_json::Serializer::with_formatter(Sink(out), ascii::Ascii);
        self.0.serialize(&mut serializer).map_err(not_written)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        read(raw).map(Self)
    }
}

fn write<T: Serialize>(value: &T, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
    serde_json::to_writer(Sink(out), value).map_err(not_written)
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn not_written(error: serde_json::Error) -> EncodeError {
    EncodeError::custom(format_args!("serde does not write it as JSON: {error}"))
}

fn read<T: DeserializeOwned>(raw: RawValue<'_>) -> Result<T, DecodeError> {
    let account = Account::new(raw);
    let mut deserializer = serde_json::Deserializer::from_slice(raw.as_bytes());
    let value = T::deserialize(account.deserializer(&mut deserializer));
    let whole = value.and_then(|value| deserializer.end().map(|()| value));
    whole.map_err(|error| account.refusal().unwrap_or_else(|| not_read(&error)))
}

/// Says where it is wrong. What serde says of it may show the value; but the name of a missing field is this program's own.
fn not_read(error: &serde_json::Error) -> DecodeError {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    match error.classify() {
        Category::Data if text.starts_with("missing field `") => DecodeError::custom(text),
        Category::Data => DecodeError::custom(format_args!("JSON of another type, line {line} column {column}")),
        Category::Eof => DecodeErrorKind::Truncated.into(),
        Category::Syntax | Category::Io => DecodeError::custom(format_args!("not JSON, line {line} column {column}")),
    }
}

/// Writes to a value.
struct Sink<'a, 'b>(&'a mut ValueWriter<'b>);

impl io::Write for Sink<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
