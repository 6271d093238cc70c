use std::fmt;

/// Why bytes are not boxes. The byte stream cannot be resynchronized.
#[doc(alias("MalformedAmpBox"))]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// A key length over [`MAX_KEY`](super::MAX_KEY): the peer does not speak AMP, or the stream lost synchronization.
    #[error("a key of {length} bytes where 255 is the most; the bytes begin {start}{}", start.hint())]
    KeyTooLong {
        /// The claimed length.
        length: usize,
        /// The bytes from the start of the box.
        start: Excerpt,
    },
    /// A box over [`BoxLimits::bytes`](super::BoxLimits::bytes).
    #[error("a box of more than {limit} bytes; raise `BoxLimits::bytes` if the peer is trusted")]
    BoxTooLong {
        /// The limit that was exceeded.
        limit: usize,
    },
    /// A box over [`BoxLimits::pairs`](super::BoxLimits::pairs).
    #[error("a box of more than {limit} pairs; raise `BoxLimits::pairs` if the peer is trusted")]
    TooManyPairs {
        /// The limit that was exceeded.
        limit: usize,
    },
}

/// The first bytes of invalid input, for logs and reasons.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Excerpt {
    bytes: [u8; Self::MAX],
    length: u8,
}

impl Excerpt {
    /// At most this many bytes are kept.
    pub const MAX: usize = 32;

    /// Keeps the first bytes of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let length = bytes.len().min(Self::MAX);
        let mut kept = [0; Self::MAX];
        kept[..length].copy_from_slice(&bytes[..length]);
        Self { bytes: kept, length: u8::try_from(length).unwrap_or(0) }
    }

    /// The bytes that were kept.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Describes what the bytes look like, if they are a well-known mistake.
    fn hint(&self) -> &'static str {
        const HTTP: [&[u8]; 7] = [b"GET ", b"POST ", b"HEAD ", b"PUT ", b"DELETE ", b"OPTIONS ", b"PRI * HTTP"];
        let bytes = self.as_bytes();
        if HTTP.iter().any(|method| bytes.starts_with(method)) {
            "; this is an HTTP request, and the port speaks AMP"
        } else if bytes.starts_with(&[0x16, 0x03]) {
            "; this is a TLS handshake, and the port speaks plain AMP"
        } else if bytes.starts_with(b"SSH-") {
            "; this is an SSH greeting, and the port speaks AMP"
        } else {
            ""
        }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
