use super::{DecodeError, DecodeErrorKind};

/// Why a text or a value of another type is no [`Decimal`](super::Decimal) or [`DateTime`](super::DateTime), or one of these is no
/// value of another type. It never shows the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// Not what is named here.
    #[error("not {0}")]
    NotA(&'static str),
    /// A value that the type of this name cannot represent.
    #[error("out of range for {0}")]
    OutOfRange(&'static str),
}

/// For a value type that reads one of these first.
impl From<ConvertError> for DecodeError {
    fn from(error: ConvertError) -> Self {
        match error {
            ConvertError::NotA(what) => DecodeErrorKind::NotA(what).into(),
            ConvertError::OutOfRange(name) => DecodeErrorKind::OutOfRange(name).into(),
        }
    }
}
