use num_bigint::{BigInt, Sign};

use super::integer::{Digits, MAX_DIGITS};
use super::{DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;

/// An `Integer` of any size that Python reads: up to 4300 digits. Larger ones are not sent.
impl Value for BigInt {
    const TYPE: AmpType = AmpType::Integer("BigInt");

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        let text = self.to_str_radix(10);
        if text.trim_start_matches('-').len() > MAX_DIGITS {
            return Err(EncodeError::custom("an integer of more than 4300 digits, which Python does not read"));
        }
        out.write(text.as_bytes());
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let not_an_integer = || DecodeErrorKind::NotA("an integer");
        let Digits { negative, digits } = Digits::parse(raw.as_bytes()).ok_or_else(not_an_integer)?;
        raw.charge_allocation(digits.len())?;
        let magnitude = Self::parse_bytes(&digits, 10).ok_or_else(not_an_integer)?;
        let sign = if negative { Sign::Minus } else { Sign::Plus };
        Ok(Self::from_biguint(sign, magnitude.into_parts().1))
    }
}
