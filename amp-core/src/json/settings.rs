use super::JsonErrorKind;
use super::patterns::Patterns;
use crate::schema::{FieldSchema, Schema};
use crate::wire::BoxLimits;

/// How a [`Converter`](super::Converter) writes and reads bytes, which JSON has no type for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BytesForm {
    /// Base64 with the standard alphabet and padding.
    #[default]
    Base64,
    /// Text as it is, with `\\` for a backslash and `\xff` for each byte that is not UTF-8: for people, and for commands whose byte
    /// strings are text.
    Escaped,
}

/// What a converter knows and is told.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) schema: Schema,
    pub(super) patterns: Patterns,
    pub(super) limits: BoxLimits,
    pub(super) bytes: BytesForm,
    pub(super) ignores_unknown: bool,
}

impl Settings {
    /// The fields of a nested box.
    pub(super) fn fields_of(&self, name: &str) -> Result<&[FieldSchema], JsonErrorKind> {
        let fields = self.schema.boxes.get(name).map(Vec::as_slice);
        fields.ok_or_else(|| JsonErrorKind::NoSuchBox(name.to_owned()))
    }
}
