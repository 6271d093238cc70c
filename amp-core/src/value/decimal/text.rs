//! A decimal as text: everything that Python's `Decimal` reads, and the one text that it writes for each. Imports nothing of ours.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The exponents that Python's `Decimal` has on 64-bit machines: `MAX_EMAX` and `MIN_ETINY` of its module.
const MAX_ADJUSTED: i64 = 999_999_999_999_999_999;
const MIN_EXPONENT: i64 = -1_999_999_999_999_999_997;

/// The parts of a decimal.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) negative: bool,
    pub(super) kind: Kind<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    Infinity,
    Nan {
        signaling: bool,
        /// Digits without leading zeros, often none.
        payload: &'a str,
    },
    /// The digits, as an integer, times ten to the power of the exponent.
    Finite {
        digits: Digits<'a>,
        exponent: i64,
    },
}

/// At least one digit, without leading zeros, in two pieces: a point stood between them.
#[derive(Clone, Copy)]
pub(super) struct Digits<'a>(&'a str, &'a str);

/// Removes what Python passes over: white space around the text and underscores anywhere in it, which its `int` and `float` are
/// stricter about. `None` if the text is not ASCII.
pub(super) fn clean(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii())?;
    // Python strips text here and not bytes, so that the separators count as white space.
    let text = text.trim_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r', '\x1c', '\x1d', '\x1e', '\x1f']);
    Some(if text.contains('_') { text.replace('_', "").into() } else { text.into() })
}

impl<'a> Parts<'a> {
    /// Parses a text without white space and underscores (`wire.md` rule 48).
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let kind = if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
            Kind::Infinity
        } else if let Some(payload) = behind(unsigned, "nan") {
            Kind::nan(false, payload)?
        } else if let Some(payload) = behind(unsigned, "snan") {
            Kind::nan(true, payload)?
        } else {
            Kind::finite(unsigned)?
        };
        Some(Self { negative: text.starts_with('-'), kind })
    }

    /// Compares two numbers; `None` if one is not a number.
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        let (sign, other_sign) = (self.signum()?, other.signum()?);
        if sign != other_sign || sign == 0 {
            return Some(sign.cmp(&other_sign));
        }
        let order = match (self.kind, other.kind) {
            (Kind::Finite { digits: one, exponent: of_one }, Kind::Finite { digits: other, exponent: of_other }) => {
                one.adjusted(of_one).cmp(&other.adjusted(of_other)).then_with(|| one.compare(other))
            }
            (one, other) => matches!(one, Kind::Infinity).cmp(&matches!(other, Kind::Infinity)),
        };
        Some(if self.negative { order.reverse() } else { order })
    }

    /// The sign of the number, 0 for a zero.
    fn signum(self) -> Option<i8> {
        match self.kind {
            Kind::Nan { .. } => None,
            Kind::Finite { digits, .. } if digits.are_zero() => Some(0),
            _ => Some(if self.negative { -1 } else { 1 }),
        }
    }
}

/// What stands behind a word in any case.
fn behind<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then_some(tail)
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'a> Kind<'a> {
    fn nan(signaling: bool, payload: &'a str) -> Option<Self> {
        are_digits(payload).then(|| Self::Nan { signaling, payload: payload.trim_start_matches('0') })
    }

    fn finite(text: &'a str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if !are_digits(whole) || !are_digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
            return None;
        }
        let exponent = exponent.parse::<i64>().ok()?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let digits = Digits::of(whole, fraction);
        let fits = digits.adjusted(exponent) <= MAX_ADJUSTED && exponent >= MIN_EXPONENT;
        fits.then_some(Self::Finite { digits, exponent })
    }
}

impl<'a> Digits<'a> {
    fn of(whole: &'a str, fraction: &'a str) -> Self {
        match (whole.trim_start_matches('0'), fraction.trim_start_matches('0')) {
            ("", "") => Self("0", ""),
            ("", digits) => Self(digits, ""),
            (digits, _) => Self(digits, fraction),
        }
    }

    pub(super) fn len(self) -> usize {
        self.0.len() + self.1.len()
    }

    /// At most the first so many digits, and the others.
    pub(super) fn split(self, at: usize) -> (Self, Self) {
        if at <= self.0.len() {
            let (start, rest) = self.0.split_at(at);
            return (Self(start, ""), Self(rest, self.1));
        }
        let (middle, end) = self.1.split_at((at - self.0.len()).min(self.1.len()));
        (Self(self.0, middle), Self(end, ""))
    }

    pub(super) fn are_zero(self) -> bool {
        self.bytes().all(|digit| digit == b'0')
    }

    fn bytes(self) -> impl Iterator<Item = u8> {
        self.0.bytes().chain(self.1.bytes())
    }

    /// The exponent that the number has with one digit in front of the point. No length of a text and no exponent that was accepted
    /// comes near the bounds of the type; what was not accepted yet stays out of range.
    fn adjusted(self, exponent: i64) -> i64 {
        exponent.saturating_add(i64::try_from(self.len()).unwrap_or(i64::MAX)).saturating_sub(1)
    }

    /// Compares the digits as those behind a point.
    fn compare(self, other: Self) -> Ordering {
        let padded = |digits: Self| digits.bytes().chain(std::iter::repeat(b'0'));
        let most = self.len().max(other.len());
        padded(self).take(most).cmp(padded(other).take(most))
    }
}

impl fmt::Display for Digits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        f.write_str(self.1)
    }
}

/// The text that Python's `str` writes (`wire.md` rule 47): equal texts are equal in sign, digits and exponent.
impl fmt::Display for Parts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.negative { "-" } else { "" })?;
        let (digits, exponent) = match self.kind {
            Kind::Infinity => return f.write_str("Infinity"),
            Kind::Nan { signaling, payload } => {
                return write!(f, "{}{payload}", if signaling { "sNaN" } else { "NaN" });
            }
            Kind::Finite { digits, exponent } => (digits, exponent),
        };
        let adjusted = digits.adjusted(exponent);
        match (exponent, adjusted) {
            (0, _) => write!(f, "{digits}"),
            (..0, 0..) => {
                let (whole, fraction) = digits.split(usize::try_from(adjusted + 1).unwrap_or(usize::MAX));
                write!(f, "{whole}.{fraction}")
            }
            (..0, -6..0) => {
                let zeros = usize::try_from(-adjusted - 1).unwrap_or(0);
                write!(f, "0.{:0<zeros$}{digits}", "")
            }
            _ => {
                let (first, rest) = digits.split(1);
                let point = if rest.len() > 0 { "." } else { "" };
                write!(f, "{first}{point}{rest}E{adjusted:+}")
            }
        }
    }
}
