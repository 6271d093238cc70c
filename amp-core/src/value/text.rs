use std::any::type_name;
use std::fmt::{self, Display, Write};
use std::str::FromStr;

use super::wrapper::wrapper;
use super::{DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter, With};
use crate::schema::{AmpType, TextType};

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
    const TYPE: AmpType = AmpType::Text(|| TextType::Char.name());

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

wrapper! {
    /// A value as its text: of any type with [`Display`] and [`FromStr`], such as a version, a number of another crate or an enum.
    ///
    /// It is a `Unicode` in AMP. `#[amp(text)]` on a field does the same for what is in the field, without the wrapper. A type that takes much more memory than its text implements [`Value`] instead, and charges it.
    ///
    /// ```
    /// # extern crate amp_core as amp;
    /// use amp::value::{RawValue, Text, Value, ValueWriter};
    ///
    /// let mut bytes = Vec::new();
    /// Text(7.5_f32).encode(&mut ValueWriter::new(&mut bytes)).unwrap();
    /// assert_eq!(bytes, b"7.5", "the text of Rust and not that of Python");
    /// assert_eq!(<Text<f32>>::decode(RawValue::new(&bytes)).unwrap(), Text(7.5));
    /// ```
    ///
    /// # Errors
    /// A text that the type does not parse is refused with the name of the type. Why is not told: parsers show the text.
    #[derive(Copy)]
    Text
}

impl<T: Display> Display for Text<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What `#[amp(text)]` on a field stands for.
impl<T: Display + FromStr> With<T> for Text<()> {
    const TYPE: AmpType = <Text<T>>::TYPE;

    fn encode(value: &T, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        encode(value, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<T, DecodeError> {
        <Text<T>>::decode(raw).map(Text::into_inner)
    }
}

impl<T: Display + FromStr> Value for Text<T> {
    const TYPE: AmpType = AmpType::Text(type_name::<T>);

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        encode(&self.0, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        raw.charge_allocation(raw.as_bytes().len())?;
        parse(raw, type_name::<T>()).map(Self)
    }
}
