use std::fmt::{Display, Write};
use std::str::FromStr;

use super::{DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;

/// A `Unicode`: strict UTF-8; NUL and a byte order mark are kept.
impl Value for String {
    const TYPE: AmpType = AmpType::Unicode;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(self.as_bytes());
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let text = utf8(raw)?;
        raw.charge_allocation(text.len())?;
        Ok(text.to_owned())
    }
}

/// A `Boolean`: exactly `True` or `False`.
impl Value for bool {
    const TYPE: AmpType = AmpType::Boolean;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(if *self { b"True" } else { b"False" });
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        match raw.as_bytes() {
            b"True" => Ok(true),
            b"False" => Ok(false),
            _ => Err(DecodeErrorKind::NotA("`True` or `False`").into()),
        }
    }
}

/// A `Unicode` of exactly one character, which is a Unicode scalar value.
impl Value for char {
    const TYPE: AmpType = AmpType::Text(|| "char");

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(self.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let mut characters = utf8(raw)?.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Ok(character),
            _ => Err(DecodeErrorKind::NotA("exactly one character").into()),
        }
    }
}

/// The bytes as strict UTF-8.
pub(super) fn utf8(raw: RawValue<'_>) -> Result<&str, DecodeErrorKind> {
    std::str::from_utf8(raw.as_bytes()).map_err(|_| DecodeErrorKind::NotA("UTF-8 text"))
}

/// Writes the text of a value.
pub(super) fn encode(value: &impl Display, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
    write!(out, "{value}").map_err(|_| EncodeError::custom("its `Display` fails"))
}

/// Reads a value from its text. Why it is none is not passed on: parsers show the text.
pub(super) fn parse<T: FromStr>(raw: RawValue<'_>, what: &'static str) -> Result<T, DecodeError> {
    utf8(raw)?.parse().map_err(|_| DecodeErrorKind::NotA(what).into())
}
