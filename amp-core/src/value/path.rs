use std::path::{Path, PathBuf};

use super::{DecodeError, EncodeError, RawValue, Value, ValueWriter};
use crate::schema::AmpType;

/// Twisted's `Path`: an absolute path as UTF-8 text (`wire.md` rule 51).
///
/// A path is received as it was written. Twisted makes it absolute and takes `..` and repeated slashes out, by the names alone; here a path that
/// is relative, empty or contains `..` arrives as such, because what it means is a matter of this machine's directories and links. Whoever
/// opens a path of a peer's checks first where it leads.
///
/// # Errors
/// A path that is relative, or not UTF-8, is not sent.
impl Value for PathBuf {
    const TYPE: AmpType = AmpType::Path;

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        encode(self, out)
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        String::decode(raw).map(Self::from)
    }
}

pub(super) fn encode(path: &Path, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
    if !path.is_absolute() {
        return Err(EncodeError::custom("a relative path; make it absolute, for example by `std::path::absolute`"));
    }
    let text =
        path.to_str().ok_or_else(|| EncodeError::custom("a path that is not UTF-8; send its bytes as `Vec<u8>`"))?;
    out.write(text.as_bytes());
    Ok(())
}
