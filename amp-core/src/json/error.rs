use std::fmt;

use crate::escaped::Escaped;
use crate::schema::{EnumSchema, FieldSchema};
use crate::value::DecodeErrorKind;
use crate::violation::Place;

/// Why JSON and a box do not convert to each other. It names the field and never shows the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    path: String,
    kind: Box<JsonErrorKind>,
}

/// The fault of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// A field that may not be absent is, or is `null`.
    #[error("missing")]
    Missing,
    /// Keys that are no fields.
    #[error("{}", Unknown { keys, fields })]
    UnknownKeys {
        /// The keys, at most [`MAX_KEYS`](JsonError::MAX_KEYS) of them; bytes that are not UTF-8 as `\xff`.
        keys: Vec<String>,
        /// The fields that there are.
        fields: Vec<String>,
    },
    /// Not a value of the type.
    #[error("not {0}")]
    NotA(&'static str),
    /// An integer that the type of this name does not hold.
    #[error("out of range for {0}")]
    OutOfRange(String),
    /// More than [`MAX_VALUE`](crate::wire::MAX_VALUE) bytes.
    #[error("more than 65535 bytes on the wire; declare it at both ends as `Big`, or use several calls or a stream")]
    TooLong,
    /// More than the declared maximum of a [`Big`](crate::value::Big), or of a compressed value before it is compressed.
    #[error("more than {limit} bytes, its declared maximum")]
    OverMaximum {
        /// The maximum.
        limit: usize,
    },
    /// A part of a [`Big`](crate::value::Big) is not in the box, and a later one is.
    #[error("its part `{}` is missing, and later ones are there", Escaped(key))]
    MissingPart {
        /// The key of the part.
        key: String,
    },
    /// Bytes of another length than the array has.
    #[error("{actual} bytes where {expected} are expected")]
    Length {
        /// The length of the array.
        expected: usize,
        /// The length of the value.
        actual: usize,
    },
    /// A list of another length than the array has.
    #[error("{actual} items where {expected} are expected")]
    Items {
        /// The length of the array.
        expected: usize,
        /// The number of items in the list.
        actual: usize,
    },
    /// A key of a map that came before in it.
    #[error("a key that came before")]
    DuplicateKey,
    /// A field under two of its names.
    #[error("given twice, as `{}` and as `{}`", Escaped(one), Escaped(other))]
    GivenTwice {
        /// The first name.
        one: String,
        /// Another name.
        other: String,
    },
    /// The code of no variant.
    #[error("not one of {}", Names(codes))]
    UnknownCode {
        /// The codes that there are.
        codes: Vec<String>,
    },
    /// More than [`BoxLimits::bytes`](crate::wire::BoxLimits::bytes) in one box.
    #[error("the box has more than {limit} bytes; see `BoxLimits::bytes`")]
    BoxTooLong {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// A field of the schema whose name is no key.
    #[error("a key has 1 to 255 bytes and does not begin with `_`")]
    Key,
    /// Nested deeper than [`BoxLimits::nesting`](crate::wire::BoxLimits::nesting).
    #[error("nested too deep; see `BoxLimits::nesting`")]
    TooDeep,
    /// A list or a nested box that is cut short.
    #[error("cut short")]
    Truncated,
    /// The JSON takes more memory than [`BoxLimits::decoded_bytes`](crate::wire::BoxLimits::decoded_bytes).
    #[error("its JSON takes more than {limit} bytes; see `BoxLimits::decoded_bytes`")]
    TooManyBytes {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// The lists have more than [`BoxLimits::items`](crate::wire::BoxLimits::items) together.
    #[error("more than {limit} items in the lists of one box; see `BoxLimits::items`")]
    TooManyItems {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// The value breaks a constraint.
    #[error("{}", Escaped(words))]
    Constraint {
        /// The rule, for programs: `range`.
        code: String,
        /// The rule, for people: `not in 1..=65535`.
        words: String,
    },
    /// A nested box that the schema names and does not have.
    #[error("the schema has no box `{}`", Escaped(.0))]
    NoSuchBox(String),
    /// An enum that the schema names and does not have.
    #[error("the schema has no enum `{}` of this kind", Escaped(.0))]
    NoSuchEnum(String),
}

impl JsonError {
    /// So many unknown keys are named.
    pub const MAX_KEYS: usize = 16;

    #[cold]
    pub(super) fn at(place: Place<'_>, kind: JsonErrorKind) -> Self {
        Self { path: place.to_string(), kind: Box::new(kind) }
    }

    /// Where the fault is, such as `rows[3].name`; empty when it is the whole.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The kind of the fault.
    #[must_use]
    pub fn kind(&self) -> &JsonErrorKind {
        &self.kind
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return self.kind.fmt(f);
        }
        write!(f, "{}: {}", Escaped(&self.path), self.kind)
    }
}

impl std::error::Error for JsonError {}

impl JsonErrorKind {
    #[cold]
    pub(super) fn unknown(keys: Vec<String>, fields: &[FieldSchema]) -> Self {
        Self::UnknownKeys { keys, fields: fields.iter().map(|field| field.name.clone()).collect() }
    }

    #[cold]
    pub(super) fn unknown_code(declared: &EnumSchema) -> Self {
        Self::UnknownCode { codes: declared.variants.iter().map(|variant| variant.code.clone()).collect() }
    }

    /// The fault of a value that [`Value::decode`](crate::value::Value::decode) refuses.
    #[cold]
    pub(super) fn of(kind: &DecodeErrorKind) -> Self {
        match kind {
            DecodeErrorKind::TooDeep => Self::TooDeep,
            DecodeErrorKind::Truncated => Self::Truncated,
            DecodeErrorKind::NotA(what) => Self::NotA(what),
            DecodeErrorKind::OutOfRange(name) => Self::OutOfRange((*name).to_owned()),
            DecodeErrorKind::OverMaximum { limit } => Self::OverMaximum { limit: *limit },
            // Nothing is charged, and no other value is decoded.
            _ => Self::NotA("a value of its type"),
        }
    }
}

/// Keys that are unknown, and the fields that there are.
struct Unknown<'a> {
    keys: &'a [String],
    fields: &'a [String],
}

impl fmt::Display for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no such field: {}; ", Names(self.keys))?;
        if self.fields.is_empty() {
            f.write_str("there are none")
        } else {
            write!(f, "there are {}", Names(self.fields))
        }
    }
}

struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            write!(f, "{}`{}`", if index > 0 { ", " } else { "" }, Escaped(name))?;
        }
        Ok(())
    }
}
