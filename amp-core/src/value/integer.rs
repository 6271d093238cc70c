use std::num::NonZero;

use super::number::{join_digits, trim};
use super::{Count, DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;

/// Python refuses to read longer integers (`sys.int_info.default_max_str_digits`).
pub(super) const MAX_DIGITS: usize = 4300;

/// An `Integer` as text: its sign and its digits, without everything else that Python allows.
pub(crate) struct Digits {
    pub(crate) negative: bool,
    /// Ascii digits, at least one.
    pub(crate) digits: Vec<u8>,
}

impl Digits {
    /// Parses the spellings that Python's `int()` accepts (`wire.md` 2.4).
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let text = trim(bytes);
        let (negative, text) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, text),
        };
        let digits = join_digits(text)?;
        let whole = !digits.is_empty() && digits.len() <= MAX_DIGITS && digits.iter().all(u8::is_ascii_digit);
        whole.then(|| Self { negative, digits: digits.into_owned() })
    }
}

/// Parses the plain form, which is what peers send: up to 18 digits, perhaps a minus.
#[inline]
fn parse_plain(bytes: &[u8]) -> Option<i64> {
    match bytes {
        [b'-', digits @ ..] => parse_digits(digits).map(|magnitude| -magnitude),
        digits => parse_digits(digits),
    }
}

#[inline]
fn parse_digits(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut magnitude = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude * 10 + i64::from(digit);
    }
    Some(magnitude)
}

/// Returns the magnitude of any spelling, if 128 bits hold it.
#[cold]
fn parse_any(bytes: &[u8], name: &'static str) -> Result<(bool, u128), DecodeErrorKind> {
    let number = Digits::parse(bytes).ok_or(DecodeErrorKind::NotA("an integer"))?;
    let add = |sum: u128, byte: &u8| sum.checked_mul(10)?.checked_add(u128::from(byte - b'0'));
    let magnitude = number.digits.iter().try_fold(0, add).ok_or(DecodeErrorKind::OutOfRange(name))?;
    Ok((number.negative, magnitude))
}

/// From this integer on there are more digits than 8 bytes hold.
const MAX_SMALL: u32 = 100_000_000;

/// Returns the digits of a small number, and their count.
#[inline]
fn small_digits(mut number: u32) -> ([u8; 8], usize) {
    // Digit by digit from the last one on, each below those before: the first digit ends lowest.
    let (mut digits, mut length) = (0_u64, 0);
    loop {
        digits = digits << 8 | u64::from(b'0') | u64::from(number % 10);
        number /= 10;
        length += 1;
        if number == 0 {
            return (digits.to_le_bytes(), length);
        }
    }
}

#[cold]
fn put_long(number: impl itoa::Integer, out: &mut ValueWriter<'_>) {
    out.write(itoa::Buffer::new().format(number).as_bytes());
}

macro_rules! integer {
    ($($type:ident $magnitude:ident)*) => {$(
        impl Value for $type {
            const TYPE: AmpType = AmpType::Integer(stringify!($type));

            #[inline]
            fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
                match u32::try_from(*self) {
                    Ok(small) if small < MAX_SMALL => {
                        let (digits, length) = small_digits(small);
                        out.write_first(&digits, length);
                    }
                    _ => put_long(*self, out),
                }
                Ok(())
            }

            #[inline]
            fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
                // A function of its own, so that the plain form needs no stack.
                #[cold]
                fn decode_any(raw: RawValue<'_>) -> Result<$type, DecodeError> {
                    let (negative, magnitude) = parse_any(raw.as_bytes(), stringify!($type))?;
                    let number = $magnitude(negative, magnitude).and_then(|number| number.try_into().ok());
                    number.ok_or_else(|| DecodeErrorKind::OutOfRange(stringify!($type)).into())
                }
                match parse_plain(raw.as_bytes()).map(TryInto::try_into) {
                    Some(Ok(number)) => Ok(number),
                    _ => decode_any(raw),
                }
            }

            integer!(@list $type);
        }

        /// An `Integer` that is not 0, which is no valid form of it.
        impl Value for NonZero<$type> {
            const TYPE: AmpType = AmpType::Integer(concat!("NonZero<", stringify!($type), ">"));

            fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
                self.get().encode(out)
            }

            fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
                Self::new($type::decode(raw)?).ok_or(DecodeErrorKind::NotA("an integer other than 0").into())
            }
        }
    )*};
    // A list of `u8` is a byte string.
    (@list u8) => {
        const LIST_TYPE: AmpType = AmpType::Bytes;
        const COUNT_LIST: Option<Count> = None;

        fn encode_list(items: &[Self], out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
            out.write(items);
            Ok(())
        }

        fn decode_list(raw: RawValue<'_>) -> Result<Vec<Self>, DecodeError> {
            raw.charge_allocation(raw.as_bytes().len())?;
            Ok(raw.as_bytes().to_vec())
        }

        fn decode_array<const N: usize>(raw: RawValue<'_>) -> Result<[Self; N], DecodeError> {
            let bytes = raw.as_bytes();
            bytes.try_into().map_err(|_| DecodeErrorKind::Length { expected: N, actual: bytes.len() }.into())
        }
    };
    (@list $other:ident) => {};
}

fn signed(negative: bool, magnitude: u128) -> Option<i128> {
    if negative { 0_i128.checked_sub_unsigned(magnitude) } else { magnitude.try_into().ok() }
}

fn unsigned(negative: bool, magnitude: u128) -> Option<u128> {
    (!negative || magnitude == 0).then_some(magnitude)
}

integer! {
    i8 signed i16 signed i32 signed i64 signed i128 signed isize signed
    u8 unsigned u16 unsigned u32 unsigned u64 unsigned u128 unsigned usize unsigned
}
