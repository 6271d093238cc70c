//! Boxes as bytes, and bytes as text for a person.

use std::collections::BTreeSet;
use std::panic::Location;

use bytes::BytesMut;

use crate::wire::{AmpBox, BoxDecoder, BoxLimits, MAX_KEY, MAX_VALUE, RawBox, WireError, put_pair};

/// A test sends and reads boxes that a connection with default limits would refuse.
pub(super) const ANY_SIZE: BoxLimits = BoxLimits {
    bytes: usize::MAX,
    pairs: usize::MAX,
    nesting: BoxLimits::DEFAULT.nesting,
    decoded_bytes: usize::MAX,
    items: usize::MAX,
};

/// How many bytes of one value are shown.
const SHOWN: usize = 200;

/// Encodes a box with these pairs, in this order. Keys may be unsorted or equal, which no connection would send.
///
/// # Panics
/// If a key is empty or has more than [`MAX_KEY`] bytes, or a value has more than [`MAX_VALUE`].
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
        assert!(!key.is_empty(), "an empty key ends the box: {}", format_boxes(&bytes));
        assert!(key.len() <= MAX_KEY, "a key of {} bytes where {MAX_KEY} is the most", key.len());
        assert!(value.len() <= MAX_VALUE, "a value of {} bytes where {MAX_VALUE} is the most", value.len());
        put_pair(&mut bytes, key, value);
    }
    bytes.extend_from_slice(&[0, 0]);
    bytes
}

/// Decodes a sequence of whole boxes of any size, to be compared without regard to the order of their keys.
///
/// # Panics
/// If the bytes are not a sequence of whole boxes, or if a key comes twice in one box: an [`AmpBox`] would show only one of its values.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::AmpBox;
/// use amp::testing::{box_bytes, decode_boxes};
///
/// # fn main() -> Result<(), amp::wire::InsertError> {
/// let bytes = [box_bytes(&[("b", "2"), ("a", "1")]), box_bytes(&[("c", "3")])].concat();
/// assert_eq!(decode_boxes(&bytes), [AmpBox::new().with("a", "1")?.with("b", "2")?, AmpBox::new().with("c", "3")?]);
/// # Ok(())
/// # }
/// ```
#[must_use]
#[track_caller]
pub fn decode_boxes(bytes: &[u8]) -> Vec<AmpBox> {
    match try_decode(bytes) {
        Ok(boxes) => boxes,
        Err(fault) => panic!("{fault}:\n{}", indented(&format_boxes(bytes))),
    }
}

fn try_decode(bytes: &[u8]) -> Result<Vec<AmpBox>, String> {
    let (raw, rest, fault) = split(bytes);
    match fault {
        Some(error) => Err(format!("these are not boxes, {error}")),
        None if !rest.is_empty() => Err("the last box is not whole".to_owned()),
        None => raw.iter().map(unique).collect(),
    }
}

/// The box with its keys in order, if each comes once.
fn unique(raw: &RawBox) -> Result<AmpBox, String> {
    let amp_box = AmpBox::from(raw);
    let mut keys = BTreeSet::new();
    match raw.pairs().find(|(key, _)| !keys.insert(*key)) {
        Some((key, _)) => Err(format!("the key `{}` comes twice in one box", key.escape_ascii())),
        None => Ok(amp_box),
    }
}

/// The box with its keys in order; a key that comes twice fails at the place that `at` says.
pub(super) fn decode_box(raw: &RawBox, at: &Location<'_>) -> AmpBox {
    unique(raw).unwrap_or_else(|fault| panic!("{at} {fault}:\n{}", indented(&format_boxes(raw.as_bytes()))))
}

/// Formats bytes for a person: one line for each box, with its pairs in the order of the bytes, and those that are not a whole box
/// as they are. Values of more than 200 bytes are cut.
///
/// ```
/// # extern crate amp_core as amp;
/// use amp::testing::{box_bytes, format_boxes};
///
/// let ask = box_bytes(&[("_ask", "1"), ("_command", "Sum"), ("a", "\n"), ("a", "2")]);
/// assert_eq!(format_boxes(&ask), r#"{_ask: "1", _command: "Sum", a: "\n", a: "2"}"#);
/// assert_eq!(format_boxes(&ask[..3]), r#"no whole box: "\x00\x04_""#);
/// assert_eq!(format_boxes(b""), "nothing");
/// ```
#[must_use]
pub fn format_boxes(bytes: &[u8]) -> String {
    let (raw, rest, _) = split(bytes);
    let mut lines: Vec<_> = raw.iter().map(line).collect();
    if !rest.is_empty() {
        lines.push(format!("no whole box: {}", quoted(&rest)));
    }
    if lines.is_empty() { "nothing".to_owned() } else { lines.join("\n") }
}

/// The whole boxes at the start of the bytes, what follows them, and why that is no box, if it is none.
fn split(bytes: &[u8]) -> (Vec<RawBox>, BytesMut, Option<WireError>) {
    let mut decoder = BoxDecoder::with_leftover(ANY_SIZE, bytes.into());
    let mut found = Vec::new();
    loop {
        match decoder.next_box() {
            Ok(Some(raw)) => found.push(raw),
            Ok(None) => return (found, decoder.into_leftover(), None),
            Err(error) => return (found, decoder.into_leftover(), Some(error)),
        }
    }
}

fn line(raw: &RawBox) -> String {
    let pairs: Vec<_> = raw.pairs().map(|(key, value)| format!("{}: {}", key.escape_ascii(), quoted(value))).collect();
    format!("{{{}}}", pairs.join(", "))
}

fn quoted(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(SHOWN)];
    let cut = if bytes.len() > SHOWN { format!("… ({} bytes)", bytes.len()) } else { String::new() };
    format!("\"{}\"{cut}", shown.escape_ascii())
}

/// Fails the test, and shows what was expected and what came.
#[cold]
pub(super) fn differ(got: &[u8], expected: &str, at: &Location<'_>) -> ! {
    panic!("{at} expected\n{}\nbut this came:\n{}", indented(expected), indented(&format_boxes(got)));
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
        let (mut decoder, mut have) = (BoxDecoder::new(ANY_SIZE), 0);
        let found = loop {
            if let Some(raw) = decoder.next_box().expect("a box") {
                break raw;
            }
            // One read of what is missing never takes a byte of the next box.
            let more = decoder.missing();
            assert!(more > 0 && have + more <= whole.len(), "{have} and {more}");
            decoder.buffer().extend_from_slice(&whole[have..have + more]);
            have += more;
        };
        assert_eq!((&found.as_bytes()[..], have), (&whole[..], whole.len()));
    }

    #[test]
    fn long_values_are_cut_and_say_how_long_they_are() {
        let text = format_boxes(&box_bytes(&[("a", "x".repeat(1000))]));
        assert!(text.ends_with("x\"… (1000 bytes)}") && text.len() < 250, "{text}");
    }
}
