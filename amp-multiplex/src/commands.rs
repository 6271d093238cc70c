//! txampext's three commands, unchanged on the wire (`wire.md` section 3), with keys of ours that its peers ignore.

use std::hash::{Hash, Hasher};

use amp_core::schema::AmpType;
use amp_core::{BoxWriter, DecodeError, EncodeError, Key, RawValue, Value, ValueWriter};
use amp_derive::{Arguments, Command, ErrorCodes};
use bytes::Bytes;
use uuid::Uuid;

/// Opens a stream to a factory of the peer.
#[derive(Command, Debug)]
#[amp(response = Connected, errors = ConnectRefusal, crate = amp_core)]
pub(crate) struct Connect {
    pub(crate) factory: String,
    /// This end can take a stream that is closed in one direction only.
    pub(crate) half_close: Option<bool>,
    /// How much this end keeps for its reader: no window needs to be larger.
    pub(crate) keeps: Option<u64>,
}

#[derive(Arguments, Debug)]
#[amp(crate = amp_core)]
pub(crate) struct Connected {
    pub(crate) connection: Id,
    /// So can the other, and it was asked.
    pub(crate) half_close: Option<bool>,
    pub(crate) keeps: Option<u64>,
}

#[derive(ErrorCodes, Debug, thiserror::Error)]
#[amp(crate = amp_core)]
pub(crate) enum ConnectRefusal {
    #[error("the peer has no such factory")]
    NoSuchFactory(String),
    #[error("the peer refused the stream: {0}")]
    ConnectionRefused(String),
}

/// Carries bytes of a stream. Its answer is the credit: it comes when the bytes were consumed.
#[derive(Command, Debug)]
#[amp(errors = StreamGone, crate = amp_core)]
pub(crate) struct Transmit {
    pub(crate) connection: Id,
    pub(crate) data: Bytes,
}

impl Transmit {
    /// Writes one whose data is not copied first.
    pub(crate) fn put(connection: Id, data: &[u8], out: &mut BoxWriter<'_>) -> Result<(), EncodeError> {
        out.put(Key::from_wire(b"\0\x0aconnection"), &connection)?;
        out.put_raw(Key::from_wire(b"\0\x04data"), data)
    }
}

/// Ends a stream.
#[derive(Command, Debug)]
#[amp(errors = StreamGone, crate = amp_core)]
pub(crate) struct Disconnect {
    pub(crate) connection: Id,
    /// Only what the sender of this writes has ended; it goes on reading.
    pub(crate) half: Option<bool>,
    /// What it wrote has ended before its time.
    pub(crate) cut: Option<bool>,
}

#[derive(ErrorCodes, Debug, thiserror::Error)]
#[amp(crate = amp_core)]
pub(crate) enum StreamGone {
    /// txampext sends it without a description.
    #[error("the peer knows no such stream")]
    NoSuchConnection(String),
}

/// The name of a stream on the wire, chosen by the end that was asked to connect: 32 hex digits from us and from
/// txampext, any bytes up to [`Id::MOST`] from others.
#[derive(Clone, Copy, Eq)]
pub(crate) struct Id {
    length: u8,
    bytes: [u8; Self::MOST],
}

impl Id {
    const MOST: usize = 64;

    /// An id that nobody can guess.
    pub(crate) fn random() -> Self {
        let mut bytes = [0; Self::MOST];
        let length = Uuid::new_v4().simple().encode_lower(&mut bytes).len();
        Self { length: u8::try_from(length).unwrap_or(0), bytes }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Without the length: no key is made of two.
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
        let given = raw.as_bytes();
        let mut bytes = [0; Self::MOST];
        match (bytes.get_mut(..given.len()), u8::try_from(given.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(given);
                Ok(Self { length, bytes })
            }
            _ => Err(DecodeError::custom("not a stream's id of at most 64 bytes")),
        }
    }
}

impl std::fmt::Debug for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}
