//! The keys of a value over several of them: the two conventions of `wire.md`, section 6. This is the one place that knows their form.

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

#[cfg(feature = "tokio")]
use crate::wire::{END, MAX_VALUE};

/// How the keys of a value over several of them are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
pub enum Numbering {
    /// `name`, `name.2`, `name.3`, …
    FromTwo,
    /// `name.0`, `name.1`, …, and none for an empty value.
    FromZero,
}

impl Numbering {
    /// The first number in a key.
    pub(crate) const fn start(self) -> usize {
        match self {
            Self::FromTwo => 2,
            Self::FromZero => 0,
        }
    }

    /// Which part has this key, counted from 0; `None` if it is no part of `name`. A number has no leading zeros: `name.02` is another key. One
    /// that a `usize` does not hold is the largest of all, because no box has as many parts.
    pub(crate) const fn index_of(self, key: &[u8], name: &[u8]) -> Option<usize> {
        if key.len() < name.len() || !begins_with(key, name) {
            return None;
        }
        if key.len() == name.len() {
            return if matches!(self, Self::FromTwo) { Some(0) } else { None };
        }
        let first = name.len() + 1;
        if key[name.len()] != b'.' || key.len() == first || (key[first] == b'0' && key.len() > first + 1) {
            return None;
        }
        let (mut number, mut at) = (0_usize, first);
        while at < key.len() {
            if !key[at].is_ascii_digit() {
                return None;
            }
            number = number.saturating_mul(10).saturating_add((key[at] - b'0') as usize);
            at += 1;
        }
        match self {
            Self::FromTwo if number < 2 => None,
            Self::FromTwo => Some(number - 1),
            Self::FromZero => Some(number),
        }
    }

    /// The key of the part at `index`.
    pub(crate) fn key(self, name: &str, index: usize) -> String {
        match self {
            Self::FromTwo if index == 0 => name.to_owned(),
            Self::FromTwo => format!("{name}.{}", index + 1),
            Self::FromZero => format!("{name}.{index}"),
        }
    }

    /// The bytes of a box with nothing but the parts of a value of `length` bytes.
    #[cfg(feature = "tokio")]
    pub(crate) fn box_len(self, name: &str, length: usize) -> usize {
        let parts = length.div_ceil(MAX_VALUE).max(usize::from(self == Self::FromTwo));
        let keys: usize = (0..parts).map(|index| 4 + self.key(name, index).len()).sum();
        keys + length + END.len()
    }
}

const fn begins_with(key: &[u8], name: &[u8]) -> bool {
    let mut at = 0;
    while at < name.len() {
        if key[at] != name[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::Numbering::{FromTwo, FromZero};
    use super::*;

    #[test]
    fn each_key_is_the_part_that_it_was_made_for() {
        for numbering in [FromTwo, FromZero] {
            for index in (0..30).chain([99, 100, 65_536]) {
                let key = numbering.key("a.b", index);
                assert_eq!(numbering.index_of(key.as_bytes(), b"a.b"), Some(index), "{key}");
            }
        }
        assert_eq!([0, 1, 2].map(|index| FromTwo.key("a", index)), ["a", "a.2", "a.3"]);
        assert_eq!([0, 1, 2].map(|index| FromZero.key("a", index)), ["a.0", "a.1", "a.2"]);
    }

    #[test]
    fn a_key_of_another_form_is_no_part() {
        let odd = ["", "b", "ab", "a.", "a.x", "a.02", "a.00", "a.+2", "a.-1", "a.2 ", "a.2.2", "a,2", "A.2"];
        for (numbering, others) in [(FromTwo, &["a.0", "a.1"][..]), (FromZero, &["a"])] {
            for key in odd.iter().chain(others) {
                assert_eq!(numbering.index_of(key.as_bytes(), b"a"), None, "{key}");
            }
            let huge = format!("a.{}", "9".repeat(200));
            assert!(numbering.index_of(huge.as_bytes(), b"a").is_some_and(|index| index >= usize::MAX - 1));
        }
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn the_parts_of_a_value_take_as_many_bytes_as_they_do() {
        use crate::command::{Argument, Big, FromTwo as Two, FromZero as Zero};
        use crate::value::{BoxWriter, Key};
        const KEY: Key = Key::from_wire(b"\0\x03row");
        fn written(put: impl FnOnce(&mut BoxWriter<'_>)) -> usize {
            let mut bytes = Vec::new();
            let mut out = BoxWriter::new(&mut bytes, 32);
            put(&mut out);
            out.finish(usize::MAX).expect("a box");
            bytes.len()
        }
        for length in [0, 1, MAX_VALUE - 1, MAX_VALUE, MAX_VALUE + 1, 12 * MAX_VALUE] {
            let two = Big::<_, { usize::MAX }, Two>::new(vec![0_u8; length]);
            assert_eq!(FromTwo.box_len("row", length), written(|out| two.put(KEY, out).expect("it fits")));
            let zero = Big::<_, { usize::MAX }, Zero>::new(vec![0_u8; length]);
            assert_eq!(FromZero.box_len("row", length), written(|out| zero.put(KEY, out).expect("it fits")));
        }
    }
}
