use bytes::Bytes;

use super::{DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;

// `Vec<u8>` is a byte string and not a list of integers: see `encode_list` of `u8`.

impl Value for Bytes {
    const TYPE: AmpType = AmpType::Bytes;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(self);
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        raw.charge_allocation(raw.shared_size())?;
        Ok(raw.to_shared())
    }
}

impl<const N: usize> Value for [u8; N] {
    const TYPE: AmpType = AmpType::Bytes;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(self);
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let bytes = raw.as_bytes();
        bytes.try_into().map_err(|_| DecodeErrorKind::Length { expected: N, actual: bytes.len() }.into())
    }
}
