use super::{Numbering, Rule, WireValue};

/// The AMP type of a value, as a peer in another language has to declare it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum AmpType {
    /// `Integer`, with the name of the Rust type that bounds it.
    Integer(&'static str),
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
    /// `Unicode`: the text of a value, by the name of its Rust type. A name without a path, such as `Url` or `IpAddr`, says that the text is
    /// that of the type which this library knows by it. A type of your own has its path: `std::any::type_name`.
    Text(fn() -> &'static str),
    /// `Float`: seconds, from 0 on.
    Duration,
    /// `String`: the bytes of an IP address, by the name of its Rust type.
    Octets(&'static str),
    /// `ListOf` the inner type.
    ListOf(&'static AmpType),
    /// The list type with exactly so many items.
    Array(&'static AmpType, usize),
    /// One nested box in a `String`.
    Box(fn() -> BoxDeclaration),
    /// `AmpList`.
    AmpList(fn() -> BoxDeclaration),
    /// `AmpList` whose boxes have the keys `key`, which is in no two of them, and `value`.
    Map(fn() -> BoxDeclaration),
    /// `String`: JSON text.
    Json,
    /// `String`: JSON text in ASCII.
    AsciiJson,
    /// `String`: the inner type compressed with zlib, which has at most so many bytes before.
    Zlib(&'static AmpType, usize),
    /// A text that is the code of a variant.
    Enum(fn() -> EnumDeclaration),
    /// One nested box with the code of a variant and its fields.
    Tagged(fn() -> EnumDeclaration),
    /// A list of such boxes, one behind the other.
    TaggedList(fn() -> EnumDeclaration),
    /// The inner type with constraints of its own, or a list whose items have them.
    Constrained(&'static AmpType, fn() -> ConstrainedDeclaration),
    /// A value over several keys of its box: a [`Big`](crate::value::Big).
    Big {
        /// The type of the value.
        value: &'static AmpType,
        /// The most bytes of the encoded value.
        maximum: usize,
        /// How its keys are numbered.
        numbering: Numbering,
    },
    /// A value or argument type of the user's own, by the name of its Rust type.
    Custom(fn() -> &'static str),
}

impl AmpType {
    /// Whether a value may have no bytes, as far as the type says.
    pub(crate) const fn may_be_empty(&self) -> bool {
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
            Self::Constrained(inner, _) => inner.may_be_empty(),
            _ => true,
        }
    }
}

/// A command as it is declared. `#[derive(Command)]` writes one as [`Command::DECLARATION`](crate::Command::DECLARATION).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CommandDeclaration {
    /// The name on the wire.
    pub name: &'static str,
    /// The doc comment, without its indentation.
    pub doc: &'static str,
    /// Whether the caller waits for an answer.
    pub answered: bool,
    /// The fields of the ask.
    pub arguments: BoxDeclaration,
    /// The fields of the answer.
    pub response: BoxDeclaration,
    /// The errors with which it may be answered.
    pub errors: &'static [ErrorDeclaration],
}

#[cfg(feature = "tokio")]
impl CommandDeclaration {
    /// The name and the maximum of a field that may be longer than a box has room for, with its keys.
    pub(crate) fn field_over(&self, limit: usize) -> Option<(&'static str, usize)> {
        let errors = self.errors.iter().flat_map(|error| error.fields);
        let mut fields = self.arguments.fields.iter().chain(self.response.fields).chain(errors);
        fields.find_map(|field| match field.value {
            AmpType::Big { maximum, numbering, .. } => {
                (numbering.box_len(field.name, maximum) > limit).then_some((field.name, maximum))
            }
            _ => None,
        })
    }
}

/// The fields of a box, in bytewise order of their names.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct BoxDeclaration {
    /// The name of the Rust struct.
    pub name: &'static str,
    /// Its fields.
    pub fields: &'static [FieldDeclaration],
}

/// The variants of an enum that travels as one value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct EnumDeclaration {
    /// The name of the Rust enum.
    pub name: &'static str,
    /// The key of the code, where a variant is a box.
    pub tag: Option<&'static str>,
    /// Whether other codes are kept; if not they are refused.
    pub other: bool,
    /// Its variants, without the one that keeps other codes.
    pub variants: &'static [VariantDeclaration],
}

/// A variant of an enum.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct VariantDeclaration {
    /// The code on the wire.
    pub code: &'static str,
    /// The doc comment, without its indentation.
    pub doc: &'static str,
    /// Its fields, without the code.
    pub fields: &'static [FieldDeclaration],
}

/// The constraints of a type that has some of its own.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ConstrainedDeclaration {
    /// The constraints.
    pub constraints: &'static [ConstraintDeclaration],
    /// Whether they are for each item of the list.
    pub each: bool,
}

/// A field of a box.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FieldDeclaration {
    /// The key on the wire.
    pub name: &'static str,
    /// The doc comment, without its indentation.
    pub doc: &'static str,
    /// The type of the value.
    pub value: AmpType,
    /// Whether it may be absent.
    pub optional: bool,
    /// What an absent one is to its receiver; a sender always writes it then. The function returns `None` if that value cannot be written.
    pub default: Option<fn() -> Option<WireValue>>,
    /// Other keys under which it is read.
    pub aliases: &'static [&'static str],
    /// Its constraints.
    pub constraints: &'static [ConstraintDeclaration],
}

/// A constraint on a field.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ConstraintDeclaration {
    /// The rule, for people: `not in 1..=65535`.
    pub words: &'static str,
    /// The rule's code and the values that it compares with; sets may be known only at run time.
    pub rule: fn() -> (&'static str, Rule),
}

/// An error that a command declares.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ErrorDeclaration {
    /// The code on the wire.
    pub code: &'static str,
    /// The name of the variant.
    pub name: &'static str,
    /// The doc comment, without its indentation.
    pub doc: &'static str,
    /// Whether the connection ends after it.
    pub fatal: bool,
    /// Whether it stands for an argument that does not decode or breaks a constraint.
    pub invalid_argument: bool,
    /// The keys that it adds to the error box.
    pub fields: &'static [FieldDeclaration],
}
