use uuid::Uuid;

use super::{DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter, text};
use crate::schema::{AmpType, TextType};

/// A `Unicode`: 32 lower-case hexadecimal digits in five groups, as Python's `str(uuid)` writes them. Upper case, one group,
/// braces and `urn:uuid:` are read, too.
impl Value for Uuid {
    const TYPE: AmpType = AmpType::Text(|| TextType::Uuid.name());

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        text::encode(self, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        Self::try_parse_ascii(raw.as_bytes()).map_err(|_| DecodeErrorKind::NotA("a UUID").into())
    }
}
