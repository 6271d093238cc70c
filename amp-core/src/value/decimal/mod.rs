#[cfg(feature = "bigdecimal")]
mod bigdecimal;
mod convert;
#[cfg(feature = "rust_decimal")]
mod rust_decimal;
mod text;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::{self, Write};
use std::str::FromStr;

use super::{ConvertError, DecodeError, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;
use text::{Kind, Parts, clean};

/// A decimal number, exactly as Twisted's `Decimal` argument carries it: sign, digits and exponent, and the special values of
/// Python's `decimal.Decimal`.
///
/// `1.0` is not `1`, and `1E+2` is not `100`: they differ in what they say about precision, and they stay what they are over any number of
/// hops. `-0`, infinities, and NaNs with their digits are values like any others. Two are equal, with equal hashes, if they are written alike,
/// so that a `NaN` is equal to itself. [`compare`](Self::compare) orders numbers, for which `1.0` is 1.
///
/// This type holds, compares and converts numbers, and does not calculate. Those of `rust_decimal` and `bigdecimal`, behind the features of
/// these names, convert both ways; other crates read its [text](Self::as_str).
///
/// It takes as much memory as its text has characters. Exponents have the bounds of Python on 64-bit machines, ±10¹⁸ about, so
/// that a short text may name a number that no memory holds: conversions to integers refuse it.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::value::Decimal;
///
/// let price: Decimal = "12.50".parse()?;
/// assert_eq!(price, Decimal::new(1250, -2));
/// assert_eq!(price.to_string(), "12.50");
/// assert_ne!(price, "12.5".parse()?);
/// assert_eq!(price.compare(&"12.5".parse()?), Some(std::cmp::Ordering::Equal));
///
/// assert_eq!(Decimal::from(3_u8).as_str(), "3");
/// assert_eq!(i64::try_from(Decimal::new(3, 2))?, 300);
/// assert!(i64::try_from(price).is_err(), "it is not an integer");
/// # Ok::<(), amp::value::ConvertError>(())
/// ```
///
/// # On the wire
/// Twisted's `Decimal`: the text that Python's `str` writes. Read as Python reads it, so that `+1`, `.5`, `1e2` and ` 1_000 ` arrive as `1`,
/// `0.5`, `1E+2` and `1000` (`wire.md` rules 47 and 48).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal(
    /// The text that Python writes. Each decimal has one, so that equal texts are equal decimals.
    Cow<'static, str>,
);

impl Decimal {
    /// `0`.
    pub const ZERO: Self = Self(Cow::Borrowed("0"));
    /// `Infinity`.
    pub const INFINITY: Self = Self(Cow::Borrowed("Infinity"));
    /// `-Infinity`.
    pub const NEG_INFINITY: Self = Self(Cow::Borrowed("-Infinity"));
    /// `NaN`: quiet, without a sign and without digits.
    pub const NAN: Self = Self(Cow::Borrowed("NaN"));

    /// The coefficient times ten to the power of the exponent, written with all the digits of the coefficient: `new(150, -2)`
    /// is `1.50`. Negative zeros and longer coefficients are [parsed](str::parse).
    #[must_use]
    pub fn new(coefficient: i128, exponent: i32) -> Self {
        // With an exponent of that type it is a decimal in any case.
        format!("{coefficient}e{exponent}").parse().unwrap_or(Self::NAN)
    }

    /// Its text, as Python writes it and as it travels: `1.0`, `1.5E+2`, `1E-7`, `-0`, `Infinity`, `sNaN12`.
    ///
    /// Most crates for decimal numbers read it; of the special values few have any.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is an infinity, of either sign.
    #[must_use]
    pub fn is_infinite(&self) -> bool {
        matches!(self.parts().kind, Kind::Infinity)
    }

    /// Whether it is not a number, quiet or signaling.
    #[must_use]
    pub fn is_nan(&self) -> bool {
        matches!(self.parts().kind, Kind::Nan { .. })
    }

    /// Whether it is a number other than an infinity.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        matches!(self.parts().kind, Kind::Finite { .. })
    }

    /// Whether it is a zero, of any sign, digits and exponent.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        matches!(self.parts().kind, Kind::Finite { digits, .. } if digits.are_zero())
    }

    /// Whether it has a minus: that of a zero or a NaN, too.
    #[must_use]
    pub fn is_sign_negative(&self) -> bool {
        self.0.starts_with('-')
    }

    /// Compares two as numbers: `1.0` and `1` are equal, and so are `-0` and `0`. `None` if one is a NaN.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        self.parts().compare(other.parts())
    }

    fn parts(&self) -> Parts<'_> {
        const NAN: Parts<'_> = Parts { negative: false, kind: Kind::Nan { signaling: false, payload: "" } };
        // The text was written from parts.
        Parts::parse(&self.0).unwrap_or(NAN)
    }

    /// Reads a text; `charge` hears how many bytes are going to be allocated.
    fn read<E>(bytes: &[u8], charge: impl FnOnce(usize) -> Result<(), E>) -> Result<Option<Self>, E> {
        let Some(text) = clean(bytes) else { return Ok(None) };
        let Some(parts) = Parts::parse(&text) else { return Ok(None) };
        let mut length = Length(0);
        let mut written = String::new();
        // Neither a counter nor a string fails.
        let _ = write!(length, "{parts}");
        charge(length.0)?;
        written.reserve_exact(length.0);
        let _ = write!(written, "{parts}");
        Ok(Some(Self(written.into())))
    }
}

/// Counts what is written.
struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// To make a number of so many digits is about as much work as an item of a list.
const DIGITS_PER_ITEM: usize = 640;
const A_DECIMAL: &str = "a decimal";

/// Reads every text that Python's `Decimal` reads, within ASCII.
///
/// # Errors
/// [`ConvertError::NotA`] for any other text, and for an exponent that Python does not have.
impl FromStr for Decimal {
    type Err = ConvertError;

    fn from_str(text: &str) -> Result<Self, ConvertError> {
        Self::read(text.as_bytes(), |_| Ok(()))?.ok_or(ConvertError::NotA(A_DECIMAL))
    }
}

/// The [text](Decimal::as_str). It is never rounded: width and precision are passed over.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Value for Decimal {
    const TYPE: AmpType = AmpType::Decimal;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(self.0.as_bytes());
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        // The program makes a number of it, which takes time that grows with the square of its digits.
        let digits = raw.as_bytes().len() / DIGITS_PER_ITEM;
        raw.charge_work(digits * digits)?;
        let read = Self::read(raw.as_bytes(), |length| raw.charge_allocation(length))?;
        Ok(read.ok_or(ConvertError::NotA(A_DECIMAL))?)
    }
}
