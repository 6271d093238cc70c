use crate::schema::{FieldSchema, Numbering, TextType, TypeSchema};

/// The shape of a value: the one place that looks at a type of the schema.
#[derive(Clone, Copy)]
pub(super) enum Shape<'a> {
    One(Scalar<'a>),
    /// Items, each behind its length.
    ListOf(&'a TypeSchema),
    /// The list type with exactly so many items.
    Array(&'a TypeSchema, usize),
    /// One nested box, by its name in the schema.
    Box(&'a str),
    /// Boxes, one behind the other.
    AmpList(&'a str),
    /// Boxes that are entries, of which no two have one key.
    Map(&'a str),
    /// The code of a variant, by the name of the enum in the schema.
    Enum(&'a str),
    /// One nested box with the code of a variant.
    Tagged(&'a str),
    /// Such boxes, one behind the other.
    TaggedList(&'a str),
    /// JSON text.
    Json(Letters),
    /// Another value, compressed, of at most so many bytes before.
    #[cfg(feature = "zlib")]
    Zlib(&'a TypeSchema, usize),
}

/// A value that is no list and no box.
#[derive(Clone, Copy)]
pub(super) enum Scalar<'a> {
    /// By the name of the Rust type that bounds it.
    Integer(&'a str),
    Float,
    Boolean,
    Unicode,
    Bytes,
    Decimal,
    DateTime,
    Path,
    /// A text, and the Rust type that reads it, if that is known here.
    Text(Option<TextType>),
    Duration,
    /// The bytes of an IP address, and its Rust type.
    Octets(Option<TextType>),
    /// Of a type that is not known here.
    Custom,
}

/// The characters of JSON text.
#[derive(Clone, Copy)]
pub(super) enum Letters {
    Utf8,
    Ascii,
}

impl<'a> Shape<'a> {
    pub(super) fn of(value: &'a TypeSchema) -> Self {
        // No `_`: a new type is decided about here.
        match value {
            TypeSchema::Integer(name) => Self::One(Scalar::Integer(name)),
            TypeSchema::Float => Self::One(Scalar::Float),
            TypeSchema::Boolean => Self::One(Scalar::Boolean),
            TypeSchema::Unicode => Self::One(Scalar::Unicode),
            TypeSchema::Bytes => Self::One(Scalar::Bytes),
            TypeSchema::Decimal => Self::One(Scalar::Decimal),
            TypeSchema::DateTime => Self::One(Scalar::DateTime),
            TypeSchema::Path => Self::One(Scalar::Path),
            TypeSchema::Text(name) => Self::One(Scalar::Text(TextType::of(name))),
            TypeSchema::Duration => Self::One(Scalar::Duration),
            TypeSchema::Octets(name) => Self::One(Scalar::Octets(TextType::of(name))),
            TypeSchema::ListOf(item) => Self::ListOf(item),
            TypeSchema::Array(list, length) => Self::Array(list, *length),
            TypeSchema::Box(name) => Self::Box(name),
            TypeSchema::AmpList(name) => Self::AmpList(name),
            TypeSchema::Map(name) => Self::Map(name),
            TypeSchema::Json => Self::Json(Letters::Utf8),
            TypeSchema::AsciiJson => Self::Json(Letters::Ascii),
            TypeSchema::Zlib(inner, most) => Self::zlib(inner, *most),
            TypeSchema::Enum(name) => Self::Enum(name),
            TypeSchema::Tagged(name) => Self::Tagged(name),
            TypeSchema::TaggedList(name) => Self::TaggedList(name),
            // Its keys are those of a field, and not of a value.
            TypeSchema::Big { value, .. } => Self::of(value),
            TypeSchema::Custom(_) => Self::One(Scalar::Custom),
        }
    }

    #[cfg(feature = "zlib")]
    fn zlib(inner: &'a TypeSchema, most: usize) -> Self {
        Self::Zlib(inner, most)
    }

    /// Nothing decompresses it.
    #[cfg(not(feature = "zlib"))]
    fn zlib(_: &TypeSchema, _: usize) -> Self {
        Self::One(Scalar::Custom)
    }

    /// Whether `null` is one of its values, and does not say that there is none.
    fn has_null(self) -> bool {
        match self {
            Self::Json(_) => true,
            #[cfg(feature = "zlib")]
            Self::Zlib(inner, _) => Shape::of(inner).has_null(),
            _ => false,
        }
    }

    /// Whether its JSON can be the key of an object.
    fn is_key(self) -> bool {
        match self {
            Self::Enum(_) => true,
            Self::One(scalar) => !matches!(scalar, Scalar::Boolean | Scalar::Float | Scalar::Duration),
            _ => false,
        }
    }
}

/// Whether `null` is a value of the field.
pub(super) fn has_null(field: &FieldSchema) -> bool {
    Shape::of(&field.value).has_null()
}

/// The key and the value of a map's entries, if its JSON is an object. It is a list of entries where keys are no texts, or where `null`
/// would be both a value and none.
pub(super) fn entry(fields: &[FieldSchema]) -> Option<(&FieldSchema, &FieldSchema)> {
    let [key, value] = fields else { return None };
    let is_entry = (&*key.name, &*value.name, key.optional) == ("key", "value", false);
    let is_object = Shape::of(&key.value).is_key() && !(value.optional && has_null(value));
    (is_entry && is_object).then_some((key, value))
}

/// Whether a field without a key has a value of no bytes.
pub(super) fn is_empty_if_absent(field: &FieldSchema) -> bool {
    match &field.value {
        TypeSchema::Big { value, numbering: Numbering::FromZero, .. } => value.may_be_empty(),
        _ => false,
    }
}
