//! The 32 characters of a time: what Python writes, and everything that it reads.

use crate::value::number::{join_digits, trim};

/// The form, with a digit for each digit.
const FORM: [u8; 32] = *b"0000-00-00T00:00:00.000000-00:00";

/// What a text says, before it is known to be a time.
pub(super) struct Fields {
    pub(super) date: [i32; 3],
    pub(super) time: [i32; 4],
    /// Of the offset, the sign included.
    pub(super) minutes: i32,
}

impl Fields {
    /// Takes the fields from their places as Twisted does: each is read by `int()`, and nobody looks at what stands between
    /// them (`wire.md` rule 49).
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text: &[u8; 32] = text.try_into().ok().filter(|text: &&[u8; 32]| text.is_ascii())?;
        let [hours, minutes] = [integer(&text[27..29])?, integer(&text[30..32])?];
        let minutes = hours * 60 + minutes;
        let minutes = match text[26] {
            b'+' => minutes,
            b'-' => -minutes,
            _ => return None,
        };
        let date = [integer(&text[0..4])?, integer(&text[5..7])?, integer(&text[8..10])?];
        let time = [integer(&text[11..13])?, integer(&text[14..16])?, integer(&text[17..19])?, integer(&text[20..26])?];
        Some(Self { date, time, minutes })
    }
}

/// Parses up to six characters as Python's `int()` does.
fn integer(text: &[u8]) -> Option<i32> {
    let text = trim(text);
    let (negative, text) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let digits = join_digits(text)?;
    if digits.is_empty() {
        return None;
    }
    let add = |sum: i32, byte: &u8| byte.is_ascii_digit().then(|| sum * 10 + i32::from(byte - b'0'));
    let magnitude = digits.iter().try_fold(0, add)?;
    Some(if negative { -magnitude } else { magnitude })
}

/// Writes the form.
pub(super) fn form(
    (year, month, day): (u16, u8, u8),
    (hour, minute, second, microsecond): (u8, u8, u8, u32),
    offset_minutes: i16,
) -> [u8; 32] {
    let mut text = FORM;
    put(&mut text[0..4], year.into());
    put(&mut text[5..7], month.into());
    put(&mut text[8..10], day.into());
    put(&mut text[11..13], hour.into());
    put(&mut text[14..16], minute.into());
    put(&mut text[17..19], second.into());
    put(&mut text[20..26], microsecond);
    // Python has a plus only where there are minutes: UTC is `-00:00`.
    if offset_minutes > 0 {
        text[26] = b'+';
    }
    let offset = u32::from(offset_minutes.unsigned_abs());
    put(&mut text[27..29], offset / 60);
    put(&mut text[30..32], offset % 60);
    text
}

/// Writes as many digits as there are places.
fn put(places: &mut [u8], mut number: u32) {
    for place in places.iter_mut().rev() {
        *place = b"0123456789"[(number % 10) as usize];
        number /= 10;
    }
}
