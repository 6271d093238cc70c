//! Rules common to Python's `int()` and `float()`: surrounding white space, single underscores between digits.

use std::borrow::Cow;

/// Removes the white space that Python strips from bytes: `\x1c` and `\xa0` stay.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    const fn is_space(byte: &u8) -> bool {
        matches!(byte, b' ' | b'\t'..=b'\r')
    }
    let start = bytes.iter().position(|byte| !is_space(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// Removes underscores, if each stands between two digits.
pub(super) fn join_digits(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !bytes.contains(&b'_') {
        return Some(Cow::Borrowed(bytes));
    }
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let misplaced =
        |(at, byte): (usize, &u8)| *byte == b'_' && !(is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)));
    if bytes.iter().enumerate().any(misplaced) {
        return None;
    }
    Some(bytes.iter().copied().filter(|byte| *byte != b'_').collect())
}
