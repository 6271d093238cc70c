//! Decimals from those of `bigdecimal` and back.

use bigdecimal::BigDecimal;
use bigdecimal::num_bigint::BigInt;

use super::text::Kind;
use super::{ConvertError, Decimal};
use crate::wire::MAX_VALUE;

/// The number with its digits and its exponent.
///
/// # Errors
/// [`ConvertError::OutOfRange`] for an exponent that Python does not have, and for more digits than a value on the wire has bytes.
impl TryFrom<&BigDecimal> for Decimal {
    type Error = ConvertError;

    fn try_from(number: &BigDecimal) -> Result<Self, ConvertError> {
        let out_of_range = ConvertError::OutOfRange("Decimal");
        let (coefficient, scale) = number.as_bigint_and_scale();
        // A digit has less than four bits: what is far too long is refused before it is written.
        if coefficient.bits() / 4 > MAX_VALUE as u64 {
            return Err(out_of_range);
        }
        let decimal: Self = format!("{coefficient}e{}", -i128::from(scale)).parse().map_err(|_| out_of_range)?;
        if decimal.as_str().len() > MAX_VALUE { Err(out_of_range) } else { Ok(decimal) }
    }
}

/// As the conversion of a reference.
impl TryFrom<BigDecimal> for Decimal {
    type Error = ConvertError;

    fn try_from(number: BigDecimal) -> Result<Self, ConvertError> {
        Self::try_from(&number)
    }
}

/// The number with its digits and its exponent; `-0` loses its sign, which `bigdecimal` has no place for.
///
/// A peer chooses the exponent, up to ±10¹⁸ about, and `bigdecimal` calculates with all the zeros that it stands for: look at
/// [`fractional_digit_count`](BigDecimal::fractional_digit_count) first.
///
/// # Errors
/// [`ConvertError::NotA`] for an infinity or a NaN.
impl TryFrom<&Decimal> for BigDecimal {
    type Error = ConvertError;

    fn try_from(decimal: &Decimal) -> Result<Self, ConvertError> {
        let parts = decimal.parts();
        let Kind::Finite { digits, exponent } = parts.kind else { return Err(ConvertError::NotA("a finite number")) };
        let out_of_range = ConvertError::OutOfRange("BigDecimal");
        let magnitude: BigInt = digits.to_string().parse().map_err(|_| out_of_range)?;
        let scale = exponent.checked_neg().ok_or(out_of_range)?;
        Ok(Self::new(if parts.negative { -magnitude } else { magnitude }, scale))
    }
}

/// As the conversion of a reference.
impl TryFrom<Decimal> for BigDecimal {
    type Error = ConvertError;

    fn try_from(decimal: Decimal) -> Result<Self, ConvertError> {
        Self::try_from(&decimal)
    }
}
