//! Decimals from those of `rust_decimal` and back.

use rust_decimal::Decimal as RustDecimal;

use super::text::Kind;
use super::{ConvertError, Decimal};

/// A coefficient of more digits has more than 96 bits.
const MAX_DIGITS: usize = 29;

/// The most digits behind the point.
const MAX_SCALE: i64 = 28;

/// The number with its sign, its digits and its scale.
impl From<RustDecimal> for Decimal {
    fn from(number: RustDecimal) -> Self {
        let sign = if number.is_sign_negative() { "-" } else { "" };
        let text = format!("{sign}{}e-{}", number.mantissa().unsigned_abs(), number.scale());
        // With a scale of at most 28 it is a decimal in any case.
        text.parse().unwrap_or(Self::NAN)
    }
}

/// The same number, never rounded. Digits and exponent stay where there is a place for them: `rust_decimal` has no positive exponents,
/// so that `1E+2` is 100 there, and zeros that stand behind its 28 places or do not fit into its 96 bits are cut off.
///
/// # Errors
/// [`ConvertError::NotA`] for an infinity or a NaN, [`ConvertError::OutOfRange`] for a number that needs more places or bits.
impl TryFrom<&Decimal> for RustDecimal {
    type Error = ConvertError;

    fn try_from(decimal: &Decimal) -> Result<Self, ConvertError> {
        let parts = decimal.parts();
        let Kind::Finite { digits, exponent } = parts.kind else { return Err(ConvertError::NotA("a finite number")) };
        let number = if digits.are_zero() {
            number("0", exponent.clamp(-MAX_SCALE, 0))
        } else {
            number_or_shorter(&digits.to_string(), exponent)
        };
        let mut number = number.ok_or(ConvertError::OutOfRange("rust_decimal::Decimal"))?;
        number.set_sign_negative(parts.negative);
        Ok(number)
    }
}

/// As the conversion of a reference.
impl TryFrom<Decimal> for RustDecimal {
    type Error = ConvertError;

    fn try_from(decimal: Decimal) -> Result<Self, ConvertError> {
        Self::try_from(&decimal)
    }
}

/// The number of these digits with as few of the zeros at their end cut off as possible.
fn number_or_shorter(digits: &str, exponent: i64) -> Option<RustDecimal> {
    let significant = digits.trim_end_matches('0').len();
    // Zeros in front of the point are not cut off, and longer coefficients not tried.
    let most = digits.len().min(MAX_DIGITS);
    (significant..=most).rev().find_map(|length| {
        let cut = i64::try_from(digits.len() - length).ok()?;
        let exponent = exponent.checked_add(cut)?;
        number(&digits[..length], exponent)
    })
}

/// The digits times ten to the power of the exponent, if there is such a number.
fn number(digits: &str, exponent: i64) -> Option<RustDecimal> {
    let zeros = usize::try_from(exponent).unwrap_or(0);
    if digits.len().saturating_add(zeros) > MAX_DIGITS {
        return None;
    }
    let coefficient = format!("{digits}{:0<zeros$}", "").parse().ok()?;
    let scale = u32::try_from(exponent.min(0).unsigned_abs()).ok()?;
    RustDecimal::try_from_i128_with_scale(coefficient, scale).ok()
}
