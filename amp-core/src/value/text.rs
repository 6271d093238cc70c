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
        let text = std::str::from_utf8(raw.as_bytes()).map_err(|_| DecodeErrorKind::NotA("UTF-8 text"))?;
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
