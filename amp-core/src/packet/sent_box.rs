use std::fmt;

use super::insert::insert;
use super::{ANSWER, ASK, COMMAND, ERROR, ERROR_CODE, ERROR_DESCRIPTION, features};
use crate::wire::{BoxLimits, Excerpt, MAX_KEY, MAX_VALUE, Pairs};

/// A box that is about to be sent, to which an extension may add keys.
pub struct SentBox<'a> {
    buffer: &'a mut Vec<u8>,
    start: usize,
    limits: BoxLimits,
}

impl<'a> SentBox<'a> {
    /// The box that begins at `start` and ends the buffer.
    pub(crate) fn new(buffer: &'a mut Vec<u8>, start: usize, limits: BoxLimits) -> Self {
        Self { buffer, start, limits }
    }

    /// All pairs, in the order of their keys: AMP's own, such as `_command` and `_ask`, and the fields.
    #[must_use]
    pub fn pairs(&self) -> Pairs<'_> {
        Pairs::new(&self.buffer[self.start..])
    }

    /// The value of a key.
    #[must_use]
    pub fn value(&self, key: &[u8]) -> Option<&[u8]> {
        self.pairs().find(|(found, _)| *found == key).map(|(_, value)| value)
    }

    /// Adds a pair in the order of keys. The key begins with `_`, so that it is no field of a command, and a peer that does not
    /// know it ignores it (`wire.md`, section 7).
    ///
    /// Returns `false`, and leaves the box unchanged, if the [limits](BoxLimits) of a box leave no room for the pair, if the box
    /// has the key already, or if the key is one of AMP's or of this library's own.
    #[must_use = "a box that has no room is sent without the key"]
    pub fn add(&mut self, key: &str, value: &[u8]) -> bool {
        let key = key.as_bytes();
        is_free(key)
            && key.len() <= MAX_KEY
            && value.len() <= MAX_VALUE
            && self.value(key).is_none()
            && insert(self.buffer, self.start, (key, value), self.limits)
    }
}

impl fmt::Debug for SentBox<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SentBox").field(&Excerpt::of(&self.buffer[self.start..])).finish()
    }
}

/// Whether an extension may use the key.
fn is_free(key: &[u8]) -> bool {
    let own = [ASK, COMMAND, ANSWER, ERROR, ERROR_CODE, ERROR_DESCRIPTION];
    key.starts_with(b"_")
        && key != features::ANNOUNCEMENT
        && key != features::MARK
        && own.iter().all(|own| own.name_bytes() != key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{END, put_pair};

    fn sent(limits: BoxLimits, add: impl FnOnce(&mut SentBox<'_>)) -> String {
        let mut buffer = b"before".to_vec();
        for key in [&b"Upper"[..], b"_ask", b"_command", b"a"] {
            put_pair(&mut buffer, key, b"v");
        }
        buffer.extend_from_slice(&END);
        add(&mut SentBox::new(&mut buffer, 6, limits));
        buffer.escape_ascii().to_string()
    }

    #[test]
    fn keys_are_added_in_bytewise_order_each_once() {
        let bytes = sent(BoxLimits::DEFAULT, |sent| {
            assert!(sent.add("_trace", b"1") && sent.add("_a", b"") && sent.add("_b", b"2"));
            assert!(!sent.add("_b", b"3"));
            assert_eq!((sent.value(b"_b"), sent.value(b"_command")), (Some(&b"2"[..]), Some(&b"v"[..])));
        });
        let expected = b"before\0\x05Upper\0\x01v\0\x02_a\0\0\0\x04_ask\0\x01v\0\x02_b\0\x012\0\x08_command\0\x01v\0\x06_trace\0\x011\0\x01a\0\x01v\0\0";
        assert_eq!(bytes, expected.escape_ascii().to_string());
    }

    #[test]
    fn what_has_no_room_and_what_is_no_key_of_an_extension_is_left_out() {
        let unchanged = sent(BoxLimits::DEFAULT, |_| {});
        let length = 10 + 9 + 13 + 6 + 2;
        for limits in [BoxLimits::new().bytes(length + 5), BoxLimits::DEFAULT.pairs(4)] {
            assert_eq!(sent(limits, |sent| assert!(!sent.add("_k", b""))), unchanged);
        }
        let fits = BoxLimits::new().bytes(length + 6).pairs(5);
        assert_ne!(sent(fits, |sent| assert!(sent.add("_k", b""))), unchanged);
        let long = format!("_{}", "k".repeat(MAX_KEY));
        for key in ["", "k", "_ask", "_answer", "_error", "_error_code", "_amp", "_notify", &long] {
            assert_eq!(sent(BoxLimits::DEFAULT, |sent| assert!(!sent.add(key, b""), "{key}")), unchanged);
        }
        assert_eq!(sent(BoxLimits::DEFAULT, |sent| assert!(!sent.add("_k", &[0; MAX_VALUE + 1]))), unchanged);
    }
}
