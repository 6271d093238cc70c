use std::char::TryFromCharError;
use std::fmt;
use std::ops::Bound;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// The values that a constraint compares with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Rule {
    /// One of these values.
    InSet(Vec<WireValue>),
    /// None of these values.
    NotInSet(Vec<WireValue>),
    /// Between these values.
    Range(Bound<WireValue>, Bound<WireValue>),
    /// As long as this: bytes, characters or items.
    Length(Bound<usize>, Bound<usize>),
    /// As many bytes of UTF-8.
    LengthInBytes(Bound<usize>, Bound<usize>),
    /// Matched as a whole by this regular expression.
    Pattern(String),
    /// A rule for each item of a list.
    Each(Box<Rule>),
    /// Known to Rust only.
    Opaque,
}

impl Rule {
    /// Whether only Rust knows its meaning.
    pub(super) fn is_opaque(&self) -> bool {
        match self {
            Self::Opaque => true,
            Self::Each(rule) => rule.is_opaque(),
            _ => false,
        }
    }
}

/// A value in its wire form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(try_from = "String", into = "String"))]
pub struct WireValue(pub Vec<u8>);

impl<B: AsRef<[u8]> + ?Sized> From<&B> for WireValue {
    fn from(bytes: &B) -> Self {
        Self(bytes.as_ref().to_vec())
    }
}

/// A character for each byte, so that JSON shows plain text as it is and keeps every other byte.
impl From<WireValue> for String {
    fn from(WireValue(bytes): WireValue) -> Self {
        bytes.into_iter().map(char::from).collect()
    }
}

impl TryFrom<String> for WireValue {
    type Error = TryFromCharError;

    fn try_from(text: String) -> Result<Self, TryFromCharError> {
        text.chars().map(u8::try_from).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for WireValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InSet(items) => write!(f, "one of {}", Items(items)),
            Self::NotInSet(items) => write!(f, "none of {}", Items(items)),
            Self::Range(start, end) => write!(f, "within {}", Bounds(start, end)),
            Self::Length(start, end) => write!(f, "length within {}", Bounds(start, end)),
            Self::LengthInBytes(start, end) => write!(f, "length in bytes within {}", Bounds(start, end)),
            Self::Pattern(pattern) => write!(f, "matching {pattern}"),
            Self::Each(rule) => write!(f, "each {rule}"),
            Self::Opaque => f.write_str("a rule of the program"),
        }
    }
}

struct Items<'a>(&'a [WireValue]);

impl fmt::Display for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            write!(f, "{}{item}", if index > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

struct Bounds<'a, T>(&'a Bound<T>, &'a Bound<T>);

impl<T: fmt::Display> fmt::Display for Bounds<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Bound::Included(start) => write!(f, "{start}..")?,
            Bound::Excluded(start) => write!(f, "(over {start})..")?,
            Bound::Unbounded => f.write_str("..")?,
        }
        match self.1 {
            Bound::Included(end) => write!(f, "={end}"),
            Bound::Excluded(end) => write!(f, "{end}"),
            Bound::Unbounded => Ok(()),
        }
    }
}
