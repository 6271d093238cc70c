use super::JsonErrorKind;
use super::patterns::Patterns;
use crate::schema::{EnumSchema, FieldSchema, Schema};
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

    /// The key of the codes of an enum whose variants are boxes.
    pub(super) fn tag_of(&self, name: &str) -> Result<&str, JsonErrorKind> {
        let tag = self.enum_of(name)?.tag.as_deref();
        tag.ok_or_else(|| JsonErrorKind::NoSuchEnum(name.to_owned()))
    }

    /// The fields of a variant. One that is not known has none, where the enum keeps it.
    pub(super) fn variant_of(&self, name: &str, code: &str) -> Result<&[FieldSchema], JsonErrorKind> {
        let declared = self.enum_of(name)?;
        match declared.variants.iter().find(|variant| variant.code == code) {
            Some(variant) => Ok(&variant.fields),
            None if declared.other => Ok(&[]),
            None => Err(JsonErrorKind::unknown_code(declared)),
        }
    }

    fn enum_of(&self, name: &str) -> Result<&EnumSchema, JsonErrorKind> {
        self.schema.enums.get(name).ok_or_else(|| JsonErrorKind::NoSuchEnum(name.to_owned()))
    }
}
