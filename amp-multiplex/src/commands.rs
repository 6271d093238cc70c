//! txampext's three commands, unchanged on the wire (`wire.md` section 3), with keys of ours that its peers ignore.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use amp_core::schema::AmpType;
use amp_core::value::{Argument, BoxReader, BoxWriter, DecodeError, EncodeError, Key, RawValue, Value, ValueWriter};
use amp_derive::{Arguments, Command, ErrorCodes};
use bytes::Bytes;
use uuid::Uuid;

/// Opens a stream to a factory of the peer.
#[derive(Command, Debug)]
#[amp(response = Connected, errors = ConnectRefusal, crate = amp_core)]
pub(crate) struct Connect {
    /// A byte string, as is every field that txampext declares.
    pub(crate) factory: Bytes,
    /// This end supports half-close: a stream that is closed in one direction only.
    pub(crate) half_close: ExtraKey<bool>,
    /// Bytes that this end buffers for its reader: no window needs to be larger.
    pub(crate) keeps: ExtraKey<u64>,
}

#[derive(Arguments, Debug)]
#[amp(crate = amp_core)]
pub(crate) struct Connected {
    pub(crate) connection: Id,
    /// Set only if the Connect asked for it: the accepting end also supports half-close.
    pub(crate) half_close: ExtraKey<bool>,
    pub(crate) keeps: ExtraKey<u64>,
}

#[derive(ErrorCodes, Debug, thiserror::Error)]
#[amp(crate = amp_core)]
pub(crate) enum ConnectRefusal {
    #[error("the peer has no such factory")]
    NoSuchFactory(String),
    #[error("the peer refused the stream: {0}")]
    ConnectionRefused(String),
}

/// Carries bytes of a stream. Its answer is the credit: it is sent when the bytes were consumed.
#[derive(Command, Debug)]
#[amp(errors = StreamGone, crate = amp_core)]
pub(crate) struct Transmit {
    pub(crate) connection: Id,
    pub(crate) data: Data,
}

impl Transmit {
    /// Encodes a Transmit whose data is borrowed.
    pub(crate) fn put(connection: &Id, data: &[u8], out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        out.put(Key::from_wire(b"\0\x0aconnection"), connection)?;
        out.put_raw(Key::from_wire(b"\0\x04data"), data)
    }
}

/// The bytes of a [`Transmit`], and how much memory they pin. Few bytes are copied when they are decoded. Many are a slice of the
/// receive buffer: whether they are copied is decided later, in one place.
#[derive(Debug)]
pub(crate) struct Data {
    bytes: Bytes,
    /// The size of the allocation that they are a slice of: at least their own size.
    pinned: usize,
}

impl Data {
    /// Fewer bytes than this are copied in any case.
    const SLICE_FROM: usize = 16 * 1024;

    /// Bytes that are a slice of an allocation of `pinned` bytes.
    pub(crate) fn pinning(bytes: Bytes, pinned: usize) -> Self {
        Self { pinned: pinned.max(bytes.len()), bytes }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes
    }

    pub(crate) fn pinned(&self) -> usize {
        self.pinned
    }

    /// Returns how much they pin beside themselves.
    pub(crate) fn pinned_beside(&self) -> usize {
        self.pinned - self.bytes.len()
    }

    /// The bytes in memory of their own.
    pub(crate) fn into_copied(self) -> Bytes {
        if self.pinned_beside() == 0 { self.bytes } else { Bytes::copy_from_slice(&self.bytes) }
    }
}

/// Bytes in memory of their own.
impl From<Bytes> for Data {
    fn from(bytes: Bytes) -> Self {
        Self::pinning(bytes, 0)
    }
}

impl Value for Data {
    const TYPE: AmpType = AmpType::Bytes;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(&self.bytes);
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        Ok(match raw.as_bytes() {
            few if few.len() < Self::SLICE_FROM => Bytes::copy_from_slice(few).into(),
            _ => Self::pinning(raw.to_slice(), raw.pinned()),
        })
    }
}

/// Closes a stream.
#[derive(Command, Debug)]
#[amp(errors = StreamGone, crate = amp_core)]
pub(crate) struct Disconnect {
    pub(crate) connection: Id,
    /// Only the direction from the sender of this is closed.
    pub(crate) half: ExtraKey<bool>,
    /// The bytes that were sent are not all that was meant.
    pub(crate) cut: ExtraKey<bool>,
}

#[derive(ErrorCodes, Debug, thiserror::Error)]
#[amp(crate = amp_core)]
pub(crate) enum StreamGone {
    /// txampext sends it without a description.
    #[error("the peer knows no such stream")]
    NoSuchConnection(String),
}

/// A key of ours beside txampext's. Peers that do not know it may use it for themselves: if a value does not decode, the key
/// counts as absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExtraKey<T>(pub(crate) Option<T>);

impl<T: Argument> Argument for ExtraKey<T> {
    const DECLARED: AmpType = T::DECLARED;
    const OPTIONAL: bool = true;

    fn put(&self, key: Key, out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        self.0.as_ref().map_or(Ok(()), |value| value.put(key, out))
    }

    fn take(key: Key, from: &mut BoxReader<'_>) -> Result<Option<Self>, DecodeError> {
        Ok(Some(Self(T::take(key, from).unwrap_or_default())))
    }

    fn absent() -> Option<Self> {
        Some(Self(None))
    }
}

/// The name of a stream on the wire, chosen by the end that was asked to connect: 32 hex digits from us and from txampext, any
/// byte string from others (`wire.md` rule 73).
#[derive(Clone)]
pub(crate) enum Id {
    /// Nearly every id: no allocation.
    Short {
        length: u8,
        bytes: [u8; Self::SHORT],
    },
    Long(Arc<[u8]>),
}

impl Id {
    /// As many bytes as fit without enlarging the enum; a uuid with hyphens does.
    const SHORT: usize = 38;

    /// An id that cannot be guessed.
    pub(crate) fn random() -> Self {
        let mut bytes = [0; Self::SHORT];
        let length = Uuid::new_v4().simple().encode_lower(&mut bytes).len();
        Self::Short { length: u8::try_from(length).unwrap_or(0), bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// Returns how many bytes it holds beside itself, shared by its clones.
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Short { .. } => 0,
            Self::Long(bytes) => bytes.len(),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => &bytes[..usize::from(*length)],
            Self::Long(bytes) => bytes,
        }
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Id {}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Without the length: no key consists of two.
        state.write(self.as_bytes());
    }
}

impl Value for Id {
    const TYPE: AmpType = AmpType::Bytes;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(self.as_bytes());
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        let received = raw.as_bytes();
        let mut bytes = [0; Self::SHORT];
        Ok(match (bytes.get_mut(..received.len()), u8::try_from(received.len())) {
            (Some(short), Ok(length)) => {
                short.copy_from_slice(received);
                Self::Short { length, bytes }
            }
            _ => Self::Long(received.into()),
        })
    }
}

/// Shows at most 64 bytes: a name that the peer chose must not fill the log.
impl std::fmt::Debug for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.as_bytes();
        let shown = &bytes[..bytes.len().min(64)];
        write!(f, "{}{}", shown.escape_ascii(), if shown.len() < bytes.len() { "..." } else { "" })
    }
}
