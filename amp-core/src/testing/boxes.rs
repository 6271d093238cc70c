//! Boxes as bytes, and bytes as a person reads them.

use std::fmt::Write;
use std::panic::Location;

use crate::wire::{AmpBox, BoxDecoder, BoxLimits, MAX_KEY, MAX_VALUE, put_pair};

/// How many bytes of one value are shown.
const SHOWN: usize = 200;

/// The bytes of a box with these pairs in this order, sorted or not, with equal keys or none: also what no connection would send.
///
/// # Panics
/// When a key is empty or has more than [`MAX_KEY`] bytes, or a value has more than [`MAX_VALUE`].
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::testing::box_bytes;
///
/// assert_eq!(box_bytes(&[("_answer", "1"), ("total", "3")]), b"\0\x07_answer\0\x011\0\x05total\0\x013\0\0");
/// ```
#[must_use]
#[track_caller]
pub fn box_bytes<K: AsRef<[u8]>, V: AsRef<[u8]>>(pairs: &[(K, V)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, value) in pairs {
        let (key, value) = (key.as_ref(), value.as_ref());
        assert!(!key.is_empty(), "an empty key ends the box: {}", readable(&bytes));
        assert!(key.len() <= MAX_KEY, "a key of {} bytes where {MAX_KEY} is the most", key.len());
        assert!(value.len() <= MAX_VALUE, "a value of {} bytes where {MAX_VALUE} is the most", value.len());
        put_pair(&mut bytes, key, value);
    }
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

/// The boxes that the bytes hold, to be compared without regard to the order of their keys.
///
/// # Panics
/// When the bytes are not a sequence of whole boxes.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::AmpBox;
/// use amp::testing::{box_bytes, boxes};
///
/// # fn main() -> Result<(), amp::wire::InsertError> {
/// let bytes = [box_bytes(&[("b", "2"), ("a", "1")]), box_bytes(&[("c", "3")])].concat();
/// assert_eq!(boxes(&bytes), [AmpBox::new().with("a", "1")?.with("b", "2")?, AmpBox::new().with("c", "3")?]);
/// # Ok(())
/// # }
/// ```
#[must_use]
#[track_caller]
pub fn boxes(bytes: &[u8]) -> Vec<AmpBox> {
    let mut decoder = BoxDecoder::new(BoxLimits::DEFAULT);
    decoder.buffer().extend_from_slice(bytes);
    let mut found = Vec::new();
    loop {
        match decoder.next_box() {
            Ok(Some(raw)) => found.push(AmpBox::from(&raw)),
            Ok(None) if decoder.into_leftover().is_empty() => return found,
            Ok(None) => panic!("the last box is not whole: {}", readable(bytes)),
            Err(error) => panic!("these are not boxes, {error}: {}", readable(bytes)),
        }
    }
}

/// Shows bytes as the boxes that they are, one on a line, and what is not a whole box as bytes. Long values are cut.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::testing::{box_bytes, readable};
///
/// let ask = box_bytes(&[("_ask", "1"), ("_command", "Sum"), ("a", "\n")]);
/// assert_eq!(readable(&ask), r#"{_ask: "1", _command: "Sum", a: "\n"}"#);
/// assert_eq!(readable(&ask[..3]), r#"no whole box: "\x00\x04_""#);
/// assert_eq!(readable(b""), "nothing");
/// ```
#[must_use]
pub fn readable(bytes: &[u8]) -> String {
    let (mut lines, mut rest) = (Vec::new(), bytes);
    while let Extent::Whole(length) = extent(rest) {
        lines.push(line(&rest[..length]));
        rest = &rest[length..];
    }
    if !rest.is_empty() {
        lines.push(format!("no whole box: {}", quoted(rest)));
    }
    if lines.is_empty() { "nothing".to_owned() } else { lines.join("\n") }
}

/// The pairs of one whole box.
fn line(whole: &[u8]) -> String {
    let (mut text, mut rest) = ("{".to_owned(), whole);
    while let Some((key, behind)) = part(rest)
        && !key.is_empty()
        && let Some((value, behind)) = part(behind)
    {
        let comma = if text.len() > 1 { ", " } else { "" };
        write!(text, "{comma}{}: {}", key.escape_ascii(), quoted(value)).expect("a text takes everything");
        rest = behind;
    }
    text.push('}');
    text
}

fn quoted(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let cut = if bytes.len() > SHOWN { format!("… ({} bytes)", bytes.len()) } else { String::new() };
    format!("\"{}\"{cut}", shown.escape_ascii())
}

/// How far the first box of some bytes goes.
#[derive(Debug, PartialEq)]
pub(super) enum Extent {
    /// So many bytes.
    Whole(usize),
    /// It is not over before so many bytes more.
    Missing(usize),
    /// No box begins so.
    NoBox,
}

pub(super) fn extent(bytes: &[u8]) -> Extent {
    let (mut at, mut is_key) = (0, true);
    loop {
        let Some((length, _)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk) else {
            return Extent::Missing(at + 2 - bytes.len());
        };
        let length = usize::from(u16::from_be_bytes(*length));
        at += 2;
        match length {
            0 if is_key && at == 2 => return Extent::NoBox,
            0 if is_key => return Extent::Whole(at),
            _ if is_key && length > MAX_KEY => return Extent::NoBox,
            _ => at += length,
        }
        is_key = !is_key;
    }
}

/// The key or value that the bytes begin with, and what is behind it.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, behind) = bytes.split_first_chunk()?;
    behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// Fails because of what came, in words that show both sides.
#[cold]
pub(super) fn differ(got: &[u8], expected: &str, at: &Location<'_>) -> ! {
    panic!("{at} expected\n{}\nbut this came:\n{}", indented(expected), indented(&readable(got)));
}

pub(super) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_read_to_its_end_and_no_further() {
        let whole = box_bytes(&[("a", ""), ("b", "22")]);
        assert_eq!(extent(&whole), Extent::Whole(whole.len()));
        assert_eq!(extent(&[&whole[..], b"\0"].concat()), Extent::Whole(whole.len()));
        // One read of what is missing never takes a byte of the next box.
        let mut have = 0;
        while let Extent::Missing(more) = extent(&whole[..have]) {
            assert!(more > 0 && have + more <= whole.len(), "{have} and {more}");
            have += more;
        }
        assert_eq!(have, whole.len());
        assert_eq!((extent(b"\x01\0"), extent(b"\0\0")), (Extent::NoBox, Extent::NoBox));
    }

    #[test]
    fn long_values_are_cut_and_say_how_long_they_are() {
        let text = readable(&box_bytes(&[("a", "x".repeat(1000))]));
        assert!(text.ends_with("x\"… (1000 bytes)}") && text.len() < 250, "{text}");
    }
}
