use super::number::{join_digits, trim};
use super::{DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;

/// A `Float`. It is written as Python's `repr` writes it: the shortest digits that read back as the same number. Read as Python
/// reads it, so that `1e400` is infinite (`wire.md` rule 44); what is finite there and would be infinite in a narrower type is
/// out of its range.
macro_rules! float {
    ($($type:ident)*) => {$(
        impl Value for $type {
            const TYPE: AmpType = AmpType::Float;

            fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
                if self.is_finite() {
                    let mut buffer = ryu::Buffer::new();
                    write_repr(buffer.format_finite(*self), out);
                } else if self.is_nan() {
                    out.write(b"nan");
                } else {
                    out.write(if *self > 0.0 { b"inf" } else { b"-inf" });
                }
                Ok(())
            }

            fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
                let number = join_digits(trim(raw.as_bytes()));
                let text = number.as_deref().and_then(|number| std::str::from_utf8(number).ok());
                let text = text.ok_or(DecodeErrorKind::NotA("a float"))?;
                let number: Self = text.parse().map_err(|_| DecodeErrorKind::NotA("a float"))?;
                if number.is_infinite() && text.parse().is_ok_and(f64::is_finite) {
                    return Err(DecodeErrorKind::OutOfRange(stringify!($type)).into());
                }
                Ok(number)
            }
        }
    )*};
}

float! { f32 f64 }

/// Converts the shortest digits in another spelling (`1e16`, `0.00001`, `1.5e-7`) to Python's: plain from 1e-4 to 1e16, else an
/// exponent with a sign and at least two digits.
fn write_repr(shortest: &str, out: &mut ValueWriter<'_>) {
    let (sign, number) = shortest.strip_prefix('-').map_or(("", shortest), |number| ("-", number));
    out.write(sign.as_bytes());
    let (mantissa, exponent) = number.split_once('e').unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = if fraction == "0" { "" } else { fraction };
    // At most 17 significant digits, and a few zeros before them.
    let mut digits = [0; 32];
    let length = whole.len() + fraction.len();
    digits[..whole.len()].copy_from_slice(whole.as_bytes());
    digits[whole.len()..length].copy_from_slice(fraction.as_bytes());
    let digits = std::str::from_utf8(&digits[..length]).unwrap_or("0");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return out.write(b"0.0");
    }
    let leading_zeros = digits.len() - digits.trim_start_matches('0').len();
    let shift: i32 = exponent.parse().unwrap_or(0);
    // The position of the decimal point, counted from the first significant digit.
    let point = i32::try_from(whole.len()).unwrap_or(0) - i32::try_from(leading_zeros).unwrap_or(0) + shift;
    write_digits(significant, point, out);
}

fn write_digits(digits: &str, point: i32, out: &mut ValueWriter<'_>) {
    const ZEROS: &[u8] = b"0000000000000000";
    let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| &ZEROS[..usize::try_from(count).unwrap_or(0).min(ZEROS.len())];
    match point {
        -3..=0 => {
            out.write(b"0.");
            out.write(zeros(-point));
            out.write(digits.as_bytes());
        }
        1..=16 if point >= length => {
            out.write(digits.as_bytes());
            out.write(zeros(point - length));
            out.write(b".0");
        }
        1..=16 => {
            let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
            out.write(whole.as_bytes());
            out.write(b".");
            out.write(fraction.as_bytes());
        }
        _ => write_exponent(digits, point - 1, out),
    }
}

fn write_exponent(digits: &str, exponent: i32, out: &mut ValueWriter<'_>) {
    let (first, rest) = digits.split_at(1);
    out.write(first.as_bytes());
    if !rest.is_empty() {
        out.write(b".");
        out.write(rest.as_bytes());
    }
    out.write(if exponent < 0 { b"e-" } else { b"e+" });
    if exponent.abs() < 10 {
        out.write(b"0");
    }
    out.write(itoa::Buffer::new().format(exponent.abs()).as_bytes());
}
