//! Times as others write them.

use crate::value::{ConvertError, DateTime};

/// Reads the 32 characters of AMP, and any other time of RFC 3339. What is shorter than a microsecond is cut off.
pub(super) fn parse(text: &str) -> Result<DateTime, ConvertError> {
    let read = text.parse();
    match (&read, of_rfc_3339(text)) {
        (Err(_), Some(form)) => form.parse(),
        _ => read,
    }
}

/// The form of AMP, of a text such as `2012-01-23T12:34:56.5Z`.
fn of_rfc_3339(text: &str) -> Option<String> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let (rest, offset) = match rest.strip_suffix(['Z', 'z']) {
        Some(rest) => (rest, "+00:00"),
        None => rest.split_at_checked(rest.len().checked_sub(6)?)?,
    };
    let (clock, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let places = ["0000-00-00", "00:00:00", "+00:00"];
    let fits = places.iter().zip([date, clock, offset]).all(|(places, text)| is_like(places, text));
    fits.then(|| format!("{date}T{clock}.{:0<6}{offset}", &fraction[..fraction.len().min(6)]))
}

/// Whether a text has a digit for each digit, a sign for a sign and otherwise the same characters.
fn is_like(places: &str, text: &str) -> bool {
    let fits = |(place, byte): (u8, u8)| match place {
        b'0' => byte.is_ascii_digit(),
        b'+' => matches!(byte, b'+' | b'-'),
        _ => byte == place,
    };
    places.len() == text.len() && places.bytes().zip(text.bytes()).all(fits)
}
