use std::collections::BTreeMap;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

use super::numbering::Numbering;
use super::{Rule, WireValue};

/// The declarations of a set of commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct Schema {
    /// The commands, by their names on the wire.
    pub commands: BTreeMap<String, CommandSchema>,
    /// The boxes that are nested in arguments and answers, by the names of their Rust structs.
    pub boxes: BTreeMap<String, Vec<FieldSchema>>,
    /// The enums in arguments and answers, by their Rust names.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "BTreeMap::is_empty"))]
    pub enums: BTreeMap<String, EnumSchema>,
}

/// The declaration of an enum that travels as one value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct EnumSchema {
    /// The key of the code, where a variant is a box.
    pub tag: Option<String>,
    /// Whether other codes are kept; if not they are refused.
    pub other: bool,
    /// Its variants, without the one that keeps other codes.
    pub variants: Vec<VariantSchema>,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct VariantSchema {
    /// The code on the wire.
    pub code: String,
    /// The doc comment.
    pub doc: String,
    /// Its fields, without the code.
    pub fields: Vec<FieldSchema>,
}

/// The declaration of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct CommandSchema {
    /// The doc comment.
    pub doc: String,
    /// Whether the caller waits for an answer.
    pub answered: bool,
    /// The fields of the ask.
    pub arguments: Vec<FieldSchema>,
    /// The fields of the answer.
    pub response: Vec<FieldSchema>,
    /// The errors with which it may be answered.
    pub errors: Vec<ErrorSchema>,
}

/// A field of a box.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct FieldSchema {
    /// The key on the wire.
    pub name: String,
    /// The doc comment.
    pub doc: String,
    /// The type of the value.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub value: TypeSchema,
    /// Whether it may be absent.
    pub optional: bool,
    /// What an absent one is to its receiver; a sender always writes it then.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub default: Option<WireValue>,
    /// Other keys under which it is read.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub aliases: Vec<String>,
    /// Its constraints.
    pub constraints: Vec<ConstraintSchema>,
}

/// The AMP type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TypeSchema {
    /// `Integer`, with the name of the Rust type that bounds it.
    Integer(String),
    /// `Float`.
    Float,
    /// `Boolean`.
    Boolean,
    /// `Unicode`.
    Unicode,
    /// `String`: bytes.
    Bytes,
    /// `Decimal`.
    Decimal,
    /// `DateTime`.
    DateTime,
    /// `Path`.
    Path,
    /// `Unicode`: the text of a value, by the name of its Rust type.
    Text(String),
    /// `Float`: seconds, from 0 on.
    Duration,
    /// `String`: the bytes of an IP address, by the name of its Rust type.
    Octets(String),
    /// `ListOf` the inner type.
    ListOf(Box<TypeSchema>),
    /// The list type with exactly so many items.
    Array(Box<TypeSchema>, usize),
    /// One nested box in a `String`, by its name in [`Schema::boxes`].
    Box(String),
    /// `AmpList`, by the name of its boxes in [`Schema::boxes`].
    AmpList(String),
    /// `AmpList` whose boxes have the keys `key`, which is in no two of them, and `value`; by their name in [`Schema::boxes`].
    Map(String),
    /// `String`: JSON text.
    Json,
    /// `String`: JSON text in ASCII.
    AsciiJson,
    /// `String`: the inner type compressed with zlib, which has at most so many bytes before.
    Zlib(Box<TypeSchema>, usize),
    /// A text that is the code of a variant, by the name of the enum in [`Schema::enums`].
    Enum(String),
    /// One nested box with the code of a variant and its fields, by the name of the enum in [`Schema::enums`].
    Tagged(String),
    /// A list of such boxes, one behind the other.
    TaggedList(String),
    /// A value over several keys of its box.
    Big {
        /// The type of the value.
        value: Box<TypeSchema>,
        /// The most bytes of the encoded value.
        maximum: usize,
        /// How its keys are numbered.
        numbering: Numbering,
    },
    /// A value or argument type of the user's own.
    Custom(String),
}

impl TypeSchema {
    /// The type of the one value, whatever its keys, and decompressed.
    pub(super) fn whole(&self) -> &Self {
        match self {
            Self::Big { value, .. } | Self::Zlib(value, _) => value.whole(),
            other => other,
        }
    }

    /// Whether a value may have no bytes, as [`AmpType::may_be_empty`](super::AmpType).
    pub(crate) fn may_be_empty(&self) -> bool {
        match self {
            Self::Integer(_)
            | Self::Float
            | Self::Boolean
            | Self::Decimal
            | Self::DateTime
            | Self::Duration
            | Self::Octets(_)
            | Self::Json
            | Self::AsciiJson
            | Self::Zlib(..)
            | Self::Box(_)
            | Self::Tagged(_) => false,
            Self::Array(_, length) => *length == 0,
            _ => true,
        }
    }
}

/// A constraint on a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct ConstraintSchema {
    /// The rule's code: `in_set`, `range`, …
    pub code: String,
    /// The rule, for people.
    pub words: String,
    /// The values that it compares with.
    pub rule: Rule,
}

/// An error that a command declares.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[non_exhaustive]
pub struct ErrorSchema {
    /// The code on the wire.
    pub code: String,
    /// The name of the variant.
    pub name: String,
    /// The doc comment.
    pub doc: String,
    /// Whether the connection ends after it.
    pub fatal: bool,
    /// Whether it stands for an argument that does not decode or breaks a constraint.
    pub invalid_argument: bool,
    /// The keys that it adds to the error box.
    pub fields: Vec<FieldSchema>,
}
