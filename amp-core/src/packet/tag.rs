//! Tags in their wire form.

use crate::wire::put_first;

/// The tag of a peer's ask, opaque. A copy: a slow responder must not hold the receive buffer.
#[derive(Debug)]
pub(crate) enum AskTag {
    /// Nearly every tag: a counter in some spelling.
    Short {
        bytes: [u8; Self::SHORT],
        length: u8,
    },
    Long(Box<[u8]>),
}

impl AskTag {
    const SHORT: usize = 16;

    /// A copy of the tag.
    pub(crate) fn of(tag: &[u8]) -> Self {
        match u8::try_from(tag.len()) {
            Ok(length) if tag.len() <= Self::SHORT => {
                let mut bytes = [0; Self::SHORT];
                bytes[..tag.len()].copy_from_slice(tag);
                Self::Short { bytes, length }
            }
            _ => Self::Long(tag.into()),
        }
    }

    /// A copy of the tag that has `length` bytes and is at the start of `bytes`.
    #[inline]
    pub(super) fn at_start(bytes: &[u8], length: usize) -> Self {
        match (bytes.first_chunk(), u8::try_from(length)) {
            // Together with the bytes behind it in the box: a copy of constant size is one move, a copy of a few bytes is a call
            // of `memcpy`.
            (Some(chunk), Ok(short)) if length <= Self::SHORT => Self::Short { bytes: *chunk, length: short },
            _ => Self::of(&bytes[..length]),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { bytes, length } => &bytes[..usize::from(*length)],
            Self::Long(bytes) => bytes,
        }
    }

    /// Returns how many bytes it holds beside itself.
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Short { .. } => 0,
            Self::Long(bytes) => bytes.len(),
        }
    }

    /// Appends the tag.
    #[inline]
    pub(super) fn put(&self, buffer: &mut Vec<u8>) {
        match self {
            Self::Short { bytes, length } => put_first(buffer, bytes, usize::from(*length)),
            Self::Long(bytes) => buffer.extend_from_slice(bytes),
        }
    }
}

/// The tag of one of our own asks as it is written: lowercase hex, no leading zeros (`wire.md` rule 13).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag {
    digits: [u8; 16],
    length: u8,
}

impl Tag {
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "each half is cut off on purpose, and the length is 16 at most"
    )]
    pub(crate) fn of(number: u64) -> Self {
        // Its highest digit is the first one that is not zero.
        let length = (number | 1).ilog2() / 4 + 1;
        let mut digits = [0; 16];
        if length <= 8 {
            let first = hex(number as u32) << (8 * (8 - length));
            digits[..8].copy_from_slice(&first.to_be_bytes());
        } else {
            let all = u128::from(hex((number >> 32) as u32)) << 64 | u128::from(hex(number as u32));
            digits = (all << (8 * (16 - length))).to_be_bytes();
        }
        Self { digits, length: length as u8 }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.digits[..usize::from(self.length)]
    }

    /// Appends the tag.
    #[inline]
    pub(super) fn put(&self, buffer: &mut Vec<u8>) {
        put_first(buffer, &self.digits, usize::from(self.length));
    }

    /// The number that was written as exactly these bytes: `01` is not `1`.
    #[inline]
    pub(crate) fn parse(bytes: &[u8]) -> Option<u64> {
        if bytes.is_empty() || bytes.len() > 16 || bytes[0] == b'0' {
            return None;
        }
        bytes.iter().try_fold(0, |number: u64, byte| {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            Some(number << 4 | u64::from(digit))
        })
    }
}

/// The eight hex digits of a number, the last one in the lowest byte. All at once: every ask of ours has a tag.
#[inline]
fn hex(number: u32) -> u64 {
    // Each half of a part moves away from the other, until every nibble has a byte of its own.
    let mut nibbles = u64::from(number);
    nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff;
    nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff;
    nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Digits from ten on carry when six is added.
    let letters = (nibbles + 6 * EACH) >> 4 & EACH;
    nibbles + u64::from(b'0') * EACH + letters * u64::from(b'a' - b'0' - 10)
}
