//! Bytes as text: UTF-8 stays as it is, and every other byte has an escape. Imports nothing of ours.

use std::borrow::Cow;

/// The text of bytes: what is UTF-8 in them, with `\\` for a backslash, and `\xff` for each byte that is not. Different bytes have
/// different texts.
pub(crate) fn text_of_bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.contains('\\')
    {
        return text.into();
    }
    let mut escaped = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        escaped.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            escaped.extend(["\\x", &format!("{byte:02x}")]);
        }
    }
    escaped.into()
}

/// The bytes of a text. `None` if a backslash begins no escape.
pub(crate) fn bytes_of_text(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        if let Some(after) = escape.strip_prefix('\\') {
            bytes.push(b'\\');
            rest = after;
        } else {
            let (digits, after) = escape.strip_prefix('x')?.split_at_checked(2)?;
            // Without a sign, which would be read.
            let byte = digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u8::from_str_radix(digits, 16));
            bytes.push(byte?.ok()?);
            rest = after;
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}
