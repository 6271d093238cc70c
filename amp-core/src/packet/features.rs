//! Announcements between two ends of this library beside the commands (`wire.md`, section 7): a key on the first box that each
//! sends, and commands whose names begin with `amp.`. A peer that has not announced receives nothing else of it.

use super::insert::insert;
use super::{Tag, put_ask_with};
use crate::escaped::Escaped;
use crate::value::{BoxWriter, EncodeError, Key};
use crate::wire::{BoxLimits, Pairs};

pub(super) const ANNOUNCEMENT: &[u8] = b"_amp";
/// Key of a marked notification: its tag asks for credit, not for the command's answer.
pub(super) const MARK: &[u8] = b"_notify";
/// The version, then the features that this end understands.
const WORDS: &[u8] = b"1 goodbye notify";

/// Prefix of the names of the library's own commands.
pub(crate) const OWN: &[u8] = b"amp.";
/// Announces if nothing else is sent, and carries the mark of a notification that has no room for it.
pub(crate) const HELLO: &str = "amp.Hello";
/// Reports why the connection ends; the last box.
pub(crate) const GOODBYE: &str = "amp.Goodbye";

/// Features that the peer has announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Features {
    /// Learns from `amp.Goodbye` why the connection ends.
    pub(crate) goodbye: bool,
    /// Answers a marked notification when its responder has started.
    pub(crate) notify: bool,
}

impl Features {
    /// The features announced by a peer's first box; `None` if it announces nothing that this end understands.
    pub(crate) fn of(first: Pairs<'_>) -> Option<Self> {
        let mut given = None;
        for (key, value) in first {
            if key == ANNOUNCEMENT {
                given = Some(value);
            }
        }
        let mut words = given?.split(|byte| *byte == b' ');
        if words.next() != Some(b"1") {
            return None;
        }
        let mut features = Self::default();
        for word in words {
            match word {
                b"goodbye" => features.goodbye = true,
                b"notify" => features.notify = true,
                // A later version understands more.
                _ => {}
            }
        }
        Some(features)
    }
}

/// Announces in the box that begins at `start` and ends the buffer. Returns whether there was room for it.
pub(crate) fn announce(buffer: &mut Vec<u8>, start: usize, limits: BoxLimits) -> bool {
    insert(buffer, start, (ANNOUNCEMENT, WORDS), limits)
}

/// Marks the notification that begins at `start` and ends the buffer. Returns whether there was room for it.
pub(crate) fn mark(buffer: &mut Vec<u8>, start: usize, limits: BoxLimits) -> bool {
    insert(buffer, start, (MARK, b""), limits)
}

/// Whether a key is that of a marked notification.
pub(super) fn is_mark(key: &[u8]) -> bool {
    key == MARK
}

/// Writes `amp.Hello`.
pub(crate) fn put_hello(buffer: &mut Vec<u8>, tag: Option<Tag>, limits: BoxLimits) -> Result<(), EncodeError> {
    put_ask_with(buffer, tag, HELLO, |_| Ok(()), limits, None)
}

/// Writes `amp.Goodbye`.
pub(crate) fn put_goodbye(buffer: &mut Vec<u8>, code: &str, text: &str, limits: BoxLimits) -> Result<(), EncodeError> {
    let put = |out: &mut BoxWriter<'_>| {
        out.put_raw(Key::from_wire(b"\0\x04code"), code.as_bytes())?;
        out.put_raw(Key::from_wire(b"\0\x04text"), text.as_bytes())
    };
    put_ask_with(buffer, None, GOODBYE, put, limits, None)
}

/// Returns the code and the text of an `amp.Goodbye`, made safe for display: control characters are escaped and the length is
/// bounded, so that a peer forges no line of a log.
pub(crate) fn take_goodbye(pairs: Pairs<'_>) -> (String, String) {
    let (mut code, mut text) = (String::new(), String::new());
    for (key, value) in pairs {
        match key {
            b"code" => code = printable(value, 64),
            b"text" => text = printable(value, Escaped::<&str>::MAX),
            _ => {}
        }
    }
    (code, text)
}

/// Returns at most `most` characters, escaped. A character has up to four bytes, and invalid UTF-8 is shown as replacement
/// characters.
fn printable(bytes: &[u8], most: usize) -> String {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * most)]);
    let end = start.char_indices().nth(most).map(|(end, _)| end);
    let (shown, rest) = end.map_or((&*start, ""), |end| (&start[..end], "…"));
    format!("{}{rest}", Escaped(shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{END, put_pair};

    fn ask() -> Vec<u8> {
        let mut bytes = b"before".to_vec();
        put_ask_with(
            &mut bytes,
            Some(Tag::of(1)),
            "Sum",
            |out| out.put(Key::from_wire(b"\0\x01a"), &1),
            BoxLimits::DEFAULT,
            None,
        )
        .expect("a short ask");
        bytes
    }

    #[test]
    fn an_announcement_stands_in_the_order_of_keys_and_is_read_again() {
        let mut bytes = ask();
        assert!(announce(&mut bytes, 6, BoxLimits::DEFAULT));
        let expected =
            b"before\0\x04_amp\0\x101 goodbye notify\0\x04_ask\0\x011\0\x08_command\0\x03Sum\0\x01a\0\x011\0\0";
        assert_eq!(bytes.escape_ascii().to_string(), expected.escape_ascii().to_string());
        let features = Features::of(Pairs::new(&bytes[6..]));
        assert_eq!(features, Some(Features { goodbye: true, notify: true }));
    }

    #[test]
    fn a_mark_stands_in_the_order_of_keys_and_only_where_it_fits() {
        let mut bytes = ask();
        assert!(mark(&mut bytes, 6, BoxLimits::DEFAULT));
        let expected = b"before\0\x04_ask\0\x011\0\x08_command\0\x03Sum\0\x07_notify\0\0\0\x01a\0\x011\0\0";
        assert_eq!(bytes.escape_ascii().to_string(), expected.escape_ascii().to_string());

        let full = ask();
        let length = full.len() - 6;
        for limits in [BoxLimits::new().bytes(length + 10), BoxLimits::DEFAULT.pairs(3)] {
            let mut bytes = full.clone();
            assert!(!mark(&mut bytes, 6, limits));
            assert_eq!(bytes, full);
        }
        let mut bytes = full;
        assert!(mark(&mut bytes, 6, BoxLimits::new().bytes(length + 11).pairs(4)));
        let mut only = Vec::new();
        put_pair(&mut only, b"_a", b"");
        only.extend_from_slice(&END);
        assert!(mark(&mut only, 0, BoxLimits::DEFAULT));
        assert_eq!(only, b"\0\x02_a\0\0\0\x07_notify\0\0\0\0");
    }

    #[test]
    fn words_that_are_not_known_are_passed_over_and_another_version_is_no_announcement() {
        let given = |value: &[u8]| {
            let mut bytes = Vec::new();
            put_pair(&mut bytes, b"_amp", value);
            bytes.extend_from_slice(&END);
            Features::of(Pairs::new(&bytes))
        };
        let none = Features::default();
        assert_eq!(given(b"1"), Some(none));
        assert_eq!(given(b"1 later  \xff notify "), Some(Features { notify: true, ..none }));
        for other in [&b""[..], b"2 notify", b"notify 1", b"10", b" 1"] {
            assert_eq!(given(other), None, "{}", other.escape_ascii());
        }
    }

    #[test]
    fn what_a_peer_says_at_its_end_forges_no_line_and_is_bounded() {
        let mut bytes = Vec::new();
        put_goodbye(&mut bytes, "NO\n", &"x\u{1b}[2J\u{202e}".repeat(1000), BoxLimits::DEFAULT).expect("it fits");
        let (code, text) = take_goodbye(Pairs::new(&bytes));
        assert_eq!(code, "NO\\n");
        assert!(text.starts_with("x\\u{1b}[2J\\u{202e}x") && text.ends_with('…') && text.len() < 4096, "{text}");
    }

    #[test]
    fn what_belongs_to_the_library_sorts_between_its_own_keys() {
        let keys = [ANNOUNCEMENT, b"_answer", b"_ask", b"_command", MARK, b"a"];
        assert!(keys.is_sorted());
    }
}
