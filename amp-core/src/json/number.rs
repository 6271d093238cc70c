//! Integers of any size as text.

use serde_json::{Number, Value as Json};

use super::JsonErrorKind;
use crate::schema::Integers;
use crate::value::Digits;

/// From here on JavaScript rounds integers.
const MAX_EXACT: u64 = (1 << 53) - 1;

/// The integer as Python writes it: digits without zeros in front, perhaps a minus.
pub(super) fn canonical(bytes: &[u8], name: &str) -> Result<String, JsonErrorKind> {
    let not_an_integer = || JsonErrorKind::NotA("an integer");
    let Digits { negative, digits } = Digits::parse(bytes).ok_or_else(not_an_integer)?;
    let digits = String::from_utf8(digits).map_err(|_| not_an_integer())?;
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        let may_be_zero = Integers::of(name).is_none_or(|integers| integers.zero);
        return if may_be_zero { Ok("0".to_owned()) } else { Err(JsonErrorKind::NotA("an integer other than 0")) };
    }
    if !holds(name, negative, digits) {
        return Err(JsonErrorKind::OutOfRange(name.to_owned()));
    }
    Ok(format!("{}{digits}", if negative { "-" } else { "" }))
}

/// Whether the Rust type of that name holds an integer that is not 0.
fn holds(name: &str, negative: bool, digits: &str) -> bool {
    let Some(Integers { signed, bits, .. }) = Integers::of(name) else { return true };
    let Some(spare) = 128_u32.checked_sub(if signed { bits.saturating_sub(1) } else { bits }) else {
        return signed || !negative;
    };
    let most = u128::MAX.checked_shr(spare).unwrap_or(0);
    match (digits.parse::<u128>(), negative) {
        (Err(_), _) => false,
        (Ok(magnitude), false) => magnitude <= most,
        (Ok(magnitude), true) => signed && magnitude - 1 <= most,
    }
}

/// The text of a JSON value that is an integer: digits with perhaps a minus, and nothing else that Python reads.
pub(super) fn text(json: &Json) -> Option<String> {
    let text = match json {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        _ => return None,
    };
    let digits = text.strip_prefix('-').unwrap_or(&text);
    (!digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())).then_some(text)
}

/// A number, or a string where JavaScript would round the number.
pub(super) fn to_json(canonical: String) -> Json {
    match canonical.parse::<i64>() {
        Ok(number) if number.unsigned_abs() <= MAX_EXACT => Json::Number(Number::from(number)),
        _ => Json::String(canonical),
    }
}
