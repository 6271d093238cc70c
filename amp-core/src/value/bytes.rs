use bytes::Bytes;

use super::{DecodeError, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;

// `Vec<u8>` and `[u8; N]` are byte strings and not lists of integers: see `encode_list` and `decode_array` of `u8`.

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
