//! Decimals from integers and back.

use super::text::Kind;
use super::{ConvertError, Decimal};

/// An integer of more digits is not made: an exponent of a few characters could ask for any amount of memory. Python reads no longer
/// ones from text.
const MAX_DIGITS: usize = 4300;

impl Decimal {
    /// The integer that the number is, as text; `name` is the type that it is for.
    fn integer(&self, name: &'static str) -> Result<String, ConvertError> {
        let not_an_integer = ConvertError::NotA("an integer");
        let parts = self.parts();
        let Kind::Finite { digits, exponent } = parts.kind else { return Err(not_an_integer) };
        if digits.are_zero() {
            return Ok("0".to_owned());
        }
        let length = i64::try_from(digits.len()).unwrap_or(i64::MAX).saturating_add(exponent);
        let Ok(length) = usize::try_from(length) else { return Err(not_an_integer) };
        let (whole, fraction) = digits.split(length);
        if fraction.len() > 0 && !fraction.are_zero() {
            return Err(not_an_integer);
        }
        if length > MAX_DIGITS {
            return Err(ConvertError::OutOfRange(name));
        }
        let (sign, zeros) = (if parts.negative { "-" } else { "" }, length - whole.len());
        Ok(format!("{sign}{whole}{:0<zeros$}", ""))
    }
}

/// The conversion of references and values.
macro_rules! try_from {
    ($type:ty, $name:expr, $parse:expr) => {
        /// The integer that the number is: `1.0`, `1E+2` and `-0` are 1, 100 and 0.
        ///
        /// # Errors
        /// [`ConvertError::NotA`] if the number is not an integer, and [`ConvertError::OutOfRange`] if the type does not hold it.
        impl TryFrom<&Decimal> for $type {
            type Error = ConvertError;

            fn try_from(decimal: &Decimal) -> Result<Self, ConvertError> {
                let text = decimal.integer($name)?;
                let parse: fn(&str) -> Option<Self> = $parse;
                parse(&text).ok_or(ConvertError::OutOfRange($name))
            }
        }

        /// As the conversion of a reference.
        impl TryFrom<Decimal> for $type {
            type Error = ConvertError;

            fn try_from(decimal: Decimal) -> Result<Self, ConvertError> {
                Self::try_from(&decimal)
            }
        }
    };
}

macro_rules! integers {
    ($($type:ident)*) => {$(
        /// The integer with the exponent 0.
        impl From<$type> for Decimal {
            fn from(number: $type) -> Self {
                Self(number.to_string().into())
            }
        }

        try_from! { $type, stringify!($type), |text| text.parse().ok() }
    )*};
}

integers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

#[cfg(feature = "num-bigint")]
mod big {
    use num_bigint::BigInt;

    use super::{ConvertError, Decimal};

    /// The integer with the exponent 0.
    impl From<&BigInt> for Decimal {
        fn from(number: &BigInt) -> Self {
            Self(number.to_string().into())
        }
    }

    /// The integer with the exponent 0.
    impl From<BigInt> for Decimal {
        fn from(number: BigInt) -> Self {
            Self::from(&number)
        }
    }

    try_from! { BigInt, "BigInt", |text| text.parse().ok() }
}
