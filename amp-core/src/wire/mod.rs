//! The wire: bytes to boxes and back.
//!
//! A box is a run of pairs, ended by an empty key:
//!
//! ```text
//!   00 04  _ask     00 01  1        key length, key, value length, value
//!   00 08  _command 00 03  Sum      ...
//!   00 01  a        00 02  13
//!   00 00                           the end of the box
//! ```
//!
//! Lengths are big-endian `u16`. A key has 1 to [`MAX_KEY`] bytes, a value 0 to [`MAX_VALUE`];
//! within a box the last of two equal keys counts.
//!
//! `value::BoxWriter` writes and `value::BoxReader` reads boxes of typed values; here boxes are bytes.

// Imports nothing of ours.

pub(crate) mod amp_box;
mod decoder;
mod error;
mod raw_box;
mod rollback;
#[cfg(test)]
mod tests;

pub use crate::packet::PacketError;
pub(crate) use amp_box::AmpBox;
pub use amp_box::InsertError;
#[cfg(feature = "serde")]
pub(crate) use amp_box::text::{bytes_of_text, text_of_bytes};
pub use decoder::BoxDecoder;
pub use error::{Excerpt, WireError};
pub(crate) use raw_box::is_ascending;
pub use raw_box::{Pairs, RawBox};
pub(crate) use rollback::Rollback;

/// The longest key in bytes: the high byte of its length is always zero.
#[doc(alias("MAX_KEY_LENGTH"))]
pub const MAX_KEY: usize = 255;

/// The longest value in bytes.
#[doc(alias("MAX_VALUE_LENGTH"))]
pub const MAX_VALUE: usize = 65_535;

/// Limits on the memory that a peer may make this end hold for one box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BoxLimits {
    /// Bytes of one box with its lengths and its end. Default 1 MiB.
    pub bytes: usize,
    /// Pairs of one box. Default 1,024.
    pub pairs: usize,
    /// Maximum depth of boxes and lists nested within a value. Default 32.
    pub nesting: u8,
    /// Bytes of memory that a received box may decode to: text, byte strings and lists with all that they hold, and the memory
    /// that value types of a user's own [charge](crate::value::RawValue::charge). Default 16 MiB.
    ///
    /// An ask that decodes to more is answered with [`codes::INVALID_ARGUMENT`](crate::error::codes::INVALID_ARGUMENT). If an
    /// answer does, its one call fails.
    pub decoded_bytes: usize,
    /// Items of all lists of a received box together, including those of nested boxes. Default 262,144. Exceeding it has the same
    /// effect as exceeding [`decoded_bytes`](Self::decoded_bytes).
    pub items: usize,
}

impl BoxLimits {
    /// The defaults: 1 MiB, 1,024 pairs, 32 levels, 16 MiB decoded, 262,144 items.
    pub const DEFAULT: Self =
        Self { bytes: 1 << 20, pairs: 1024, nesting: 32, decoded_bytes: 16 << 20, items: 1 << 18 };

    /// The defaults, as a start: `BoxLimits::new().bytes(64 * 1024)`.
    #[must_use]
    pub const fn new() -> Self {
        Self::DEFAULT
    }

    /// Sets the bytes of one box.
    #[must_use]
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets the pairs of one box.
    #[must_use]
    pub const fn pairs(mut self, pairs: usize) -> Self {
        self.pairs = pairs;
        self
    }

    /// Sets how deep boxes and lists may nest within a value.
    #[must_use]
    pub const fn nesting(mut self, nesting: u8) -> Self {
        self.nesting = nesting;
        self
    }

    /// Sets the bytes of memory that a received box may decode to.
    #[must_use]
    pub const fn decoded_bytes(mut self, decoded_bytes: usize) -> Self {
        self.decoded_bytes = decoded_bytes;
        self
    }

    /// Sets the items of all lists of a received box.
    #[must_use]
    pub const fn items(mut self, items: usize) -> Self {
        self.items = items;
        self
    }
}

impl Default for BoxLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The end of a box: an empty key.
pub(crate) const END: [u8; 2] = [0, 0];

/// Appends a pair whose lengths were checked.
pub(crate) fn put_pair(buffer: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    for part in [key, value] {
        buffer.extend_from_slice(&length_bytes(part.len()));
        buffer.extend_from_slice(part);
    }
}

/// Appends the first `length` bytes of an array. The whole array is copied and the rest cut off again: its size is known at
/// compile time, and a few stores cost less than a call of `memcpy`.
#[inline]
pub(crate) fn put_first<const N: usize>(buffer: &mut Vec<u8>, bytes: &[u8; N], length: usize) {
    let end = buffer.len() + length;
    buffer.extend_from_slice(bytes);
    buffer.truncate(end);
}

/// The two bytes of a length that was checked to fit.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "every caller has checked the length against the format's bounds")]
pub(crate) fn length_bytes(length: usize) -> [u8; 2] {
    debug_assert!(length <= MAX_VALUE);
    (length as u16).to_be_bytes()
}

/// The big-endian length at `at`, if both of its bytes are there.
#[inline]
pub(crate) fn length_at(bytes: &[u8], at: usize) -> Option<usize> {
    let pair: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
    Some(usize::from(u16::from_be_bytes(pair)))
}
