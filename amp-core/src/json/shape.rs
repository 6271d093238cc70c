use crate::schema::TypeSchema;

/// The shape of a value: the one place that looks at a type of the schema.
#[derive(Clone, Copy)]
pub(super) enum Shape<'a> {
    One(Scalar<'a>),
    /// Items, each behind its length.
    ListOf(&'a TypeSchema),
    /// One nested box, by its name in the schema.
    Box(&'a str),
    /// Boxes, one behind the other.
    AmpList(&'a str),
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
    /// Of a type that is not known here.
    Custom,
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
            TypeSchema::ListOf(item) => Self::ListOf(item),
            TypeSchema::Box(name) => Self::Box(name),
            TypeSchema::AmpList(name) => Self::AmpList(name),
            // FIXME
            TypeSchema::Big { value, .. } => Self::of(value),
            TypeSchema::Text(_) | TypeSchema::Enum(_) | TypeSchema::Json | TypeSchema::AsciiJson => {
                Self::One(Scalar::Unicode)
            }
            TypeSchema::Duration => Self::One(Scalar::Float),
            TypeSchema::Octets(_) | TypeSchema::Zlib(..) | TypeSchema::Tagged(_) | TypeSchema::TaggedList(_) => {
                Self::One(Scalar::Bytes)
            }
            TypeSchema::Array(list, _) => Self::of(list),
            TypeSchema::Map(name) => Self::AmpList(name),
            TypeSchema::Custom(_) => Self::One(Scalar::Custom),
        }
    }
}
