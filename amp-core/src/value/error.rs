use std::fmt::{self, Display};

use crate::violation::Violations;

/// Why a received value does not convert to a Rust value. It names the argument, and never shows the value.
#[derive(Debug)]
pub struct DecodeError(Box<Located<DecodeErrorKind>>);

/// The fault of a received value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The key is not in the box.
    #[error("missing")]
    Missing,
    /// The text is not valid for the type.
    #[error("not {0}")]
    NotA(&'static str),
    /// A number that the Rust type cannot represent.
    #[error("out of range for {0}")]
    OutOfRange(&'static str),
    /// A byte string of another length than the array has.
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
    /// More bytes than the declared maximum: of a [`Big`](super::Big), or of what a `Zlib` decompresses to.
    #[error("more than {limit} bytes, the maximum that this end declares")]
    OverMaximum {
        /// The maximum.
        limit: usize,
    },
    /// A part of a [`Big`](super::Big) is not in the box, and a later one is. The path is its key.
    #[error("missing, and later parts of the value are there")]
    MissingPart,
    /// A list or a nested box that is cut short.
    #[error("cut short")]
    Truncated,
    /// Nested deeper than [`BoxLimits::nesting`](crate::wire::BoxLimits::nesting).
    #[error("nested too deep; see `BoxLimits::nesting`")]
    TooDeep,
    /// The box decodes to more than [`BoxLimits::decoded_bytes`](crate::wire::BoxLimits::decoded_bytes).
    #[error("decodes to more than {limit} bytes; see `BoxLimits::decoded_bytes`")]
    TooManyBytes {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// The lists of the box have more than [`BoxLimits::items`](crate::wire::BoxLimits::items) together.
    #[error("more than {limit} items in the lists of one box; see `BoxLimits::items`")]
    TooManyItems {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// There is no room for the decoded values beside other memory that is held; there may be later. An ask is answered with
    /// [`codes::BUSY`](crate::error::codes::BUSY) then.
    #[error("no room for what it decodes to; see `Settings::max_inbound`")]
    NoRoom,
    /// The values decode and break constraints. The length of a list is checked before it is decoded.
    #[error("{0}")]
    Constraints(Violations),
    /// A rule of a user's own value type.
    #[error("{0}")]
    Custom(String),
}

/// Why a Rust value cannot be encoded. Nothing was sent.
#[derive(Debug)]
pub struct EncodeError(Box<Located<EncodeErrorKind>>);

/// The fault of a value to be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// More than [`MAX_VALUE`](crate::wire::MAX_VALUE) bytes.
    #[error(
        "{length} bytes where 65535 is the most of one value; declare it at both ends as `Big`, which is split over several keys, or use several calls or a stream"
    )]
    TooLong {
        /// The length that the value would have.
        length: usize,
    },
    /// More bytes than the declared maximum: of a [`Big`](super::Big), or of what a `Zlib` compresses.
    #[error(
        "{length} bytes where {maximum} is the declared maximum; raise it at both ends, or use several calls or a stream"
    )]
    OverMaximum {
        /// The length that the value would have.
        length: usize,
        /// The maximum.
        maximum: usize,
    },
    /// More than [`BoxLimits::bytes`](crate::wire::BoxLimits::bytes) in one box.
    #[error("the box has more than {limit} bytes; see `BoxLimits::bytes`")]
    BoxTooLong {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// A key that is empty, longer than 255 bytes or begins with `_`.
    #[error("a key has 1 to 255 bytes and does not begin with `_`")]
    Key,
    /// Nested deeper than [`BoxLimits::nesting`](crate::wire::BoxLimits::nesting).
    #[error("nested too deep; see `BoxLimits::nesting`")]
    TooDeep,
    /// The values break constraints.
    #[error("{0}")]
    Constraints(Violations),
    /// A rule of a user's own value type.
    #[error("{0}")]
    Custom(String),
}

impl EncodeErrorKind {
    /// Whether a shorter value could be sent.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_too_long(&self) -> bool {
        matches!(self, Self::TooLong { .. } | Self::OverMaximum { .. } | Self::BoxTooLong { .. })
    }
}

/// A fault and the place where it is, such as `nodes[3].port`.
#[derive(Debug)]
struct Located<K> {
    path: String,
    kind: K,
}

impl<K: Display> Display for Located<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return self.kind.fmt(f);
        }
        write!(f, "{}: {}", self.path, self.kind)
    }
}

impl<K> Located<K> {
    fn at_key(&mut self, key: &str) {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path.insert_str(0, dot);
        self.path.insert_str(0, key);
    }

    /// What was found in the first of a list of one.
    fn moved_to_index(&mut self, index: usize) {
        if let Some(rest) = self.path.strip_prefix("[0]") {
            self.path = format!("[{index}]{rest}");
        }
    }

    fn at_index(&mut self, index: usize) {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path.insert_str(0, &format!("[{index}]{dot}"));
    }
}

/// The common interface for both directions.
macro_rules! located_error {
    ($error:ident, $kind:ident) => {
        impl $error {
            /// A fault of a user's own value type: `what` names the expected form, without the value.
            #[must_use]
            pub fn custom(what: impl Display) -> Self {
                $kind::Custom(what.to_string()).into()
            }

            /// The same fault, found within the value of `key`.
            #[must_use]
            pub fn at_key(mut self, key: &str) -> Self {
                self.0.at_key(key);
                self
            }

            /// The same fault, found within the item at `index`.
            #[must_use]
            pub fn at_index(mut self, index: usize) -> Self {
                self.0.at_index(index);
                self
            }

            /// Where the fault is, such as `nodes[3].port`; empty when it is the box as a whole.
            #[must_use]
            pub fn path(&self) -> &str {
                &self.0.path
            }

            /// The kind of the fault.
            #[must_use]
            pub fn kind(&self) -> &$kind {
                &self.0.kind
            }
        }

        impl From<$kind> for $error {
            fn from(kind: $kind) -> Self {
                Self(Box::new(Located { path: String::new(), kind }))
            }
        }

        impl Display for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::error::Error for $error {}
    };
}

impl EncodeError {
    /// The same for the item at `index`, which was encoded as a list of one.
    #[must_use]
    pub(crate) fn moved_to_index(mut self, index: usize) -> Self {
        self.0.moved_to_index(index);
        self
    }
}

impl DecodeError {
    /// The same, with violations placed within the whole box: for a nested list the path names its box.
    #[cfg(feature = "tokio")]
    #[cold]
    pub(crate) fn into_placed(mut self) -> Self {
        if let DecodeErrorKind::Constraints(found) = &mut self.0.kind {
            found.move_into(&std::mem::take(&mut self.0.path));
        }
        self
    }
}

located_error!(DecodeError, DecodeErrorKind);
located_error!(EncodeError, EncodeErrorKind);
