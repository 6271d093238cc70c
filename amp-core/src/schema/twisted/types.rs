use std::fmt;

use super::names::Names;
use crate::schema::TypeSchema;

/// An argument's constructor.
pub(super) struct Type<'a>(pub(super) &'a TypeSchema, pub(super) &'a str, pub(super) &'a Names);

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, optional, names) = self;
        let and = if optional.is_empty() { "" } else { ", " };
        match value {
            TypeSchema::Integer(_) => write!(f, "amp.Integer({optional})"),
            TypeSchema::Float => write!(f, "amp.Float({optional})"),
            TypeSchema::Boolean => write!(f, "amp.Boolean({optional})"),
            TypeSchema::Unicode => write!(f, "amp.Unicode({optional})"),
            TypeSchema::Bytes | TypeSchema::Custom(_) => write!(f, "amp.String({optional})"),
            TypeSchema::Decimal => write!(f, "amp.Decimal({optional})"),
            TypeSchema::DateTime => write!(f, "amp.DateTime({optional})"),
            TypeSchema::Path => write!(f, "amp.Path({optional})"),
            TypeSchema::ListOf(item) => write!(f, "amp.ListOf({}{and}{optional})", Type(item, "", names)),
            TypeSchema::Box(name) => write!(f, "_Box({}{and}{optional})", names.fields_of(name)),
            TypeSchema::AmpList(name) => write!(f, "_AmpList({}{and}{optional})", names.fields_of(name)),
        }
    }
}
