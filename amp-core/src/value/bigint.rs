use num_bigint::{BigInt, Sign};

use super::integer::Digits;
use super::{DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;

/// An `Integer` of any size that Python reads: up to 4300 digits.
impl Value for BigInt {
    const TYPE: AmpType = AmpType::Integer("BigInt");

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(self.to_str_radix(10).as_bytes());
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let not_an_integer = || DecodeErrorKind::NotA("an integer");
        let Digits { negative, digits } = Digits::parse(raw.as_bytes()).ok_or_else(not_an_integer)?;
        let magnitude = Self::parse_bytes(&digits, 10).ok_or_else(not_an_integer)?;
        let sign = if negative { Sign::Minus } else { Sign::Plus };
        Ok(Self::from_biguint(sign, magnitude.into_parts().1))
    }
}
