use std::fmt;

use super::names::Names;
use crate::schema::{TextType, TypeSchema};

/// An argument's constructor.
pub(super) struct Type<'a>(pub(super) &'a TypeSchema, pub(super) &'a str, pub(super) &'a Names);

/// What Python reads a text with, where it has a type for it.
pub(super) fn python_class(name: &str) -> Option<&'static str> {
    match TextType::of(name)? {
        TextType::IpAddr => Some("ipaddress.ip_address"),
        TextType::Ipv4Addr => Some("ipaddress.IPv4Address"),
        TextType::Ipv6Addr => Some("ipaddress.IPv6Address"),
        TextType::IpNet => Some("ipaddress.ip_interface"),
        TextType::Ipv4Net => Some("ipaddress.IPv4Interface"),
        TextType::Ipv6Net => Some("ipaddress.IPv6Interface"),
        TextType::SocketAddr | TextType::SocketAddrV4 | TextType::SocketAddrV6 => Some("_socket_address"),
        TextType::Uuid => Some("uuid.UUID"),
        TextType::Char | TextType::Url => None,
    }
}

impl fmt::Display for Type<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(value, optional, names) = self;
        let and = if optional.is_empty() { "" } else { ", " };
        match value {
            TypeSchema::Integer(_) => write!(f, "amp.Integer({optional})"),
            TypeSchema::Float | TypeSchema::Duration => write!(f, "amp.Float({optional})"),
            TypeSchema::Boolean => write!(f, "amp.Boolean({optional})"),
            TypeSchema::Unicode => write!(f, "amp.Unicode({optional})"),
            TypeSchema::Bytes | TypeSchema::Custom(_) => write!(f, "amp.String({optional})"),
            TypeSchema::Decimal => write!(f, "amp.Decimal({optional})"),
            TypeSchema::DateTime => write!(f, "amp.DateTime({optional})"),
            TypeSchema::Path => write!(f, "amp.Path({optional})"),
            TypeSchema::Text(name) => match python_class(name) {
                Some(class) => write!(f, "_Text({class}{and}{optional})"),
                None => write!(f, "amp.Unicode({optional})"),
            },
            TypeSchema::Octets(name) => {
                write!(f, "_Octets({}{and}{optional})", python_class(name).unwrap_or("ipaddress.ip_address"))
            }
            TypeSchema::Array(list, _) => Type(list, optional, names).fmt(f),
            TypeSchema::ListOf(item) => write!(f, "amp.ListOf({}{and}{optional})", Type(item, "", names)),
            TypeSchema::Enum(name) => write!(f, "_Enum({}{and}{optional})", names.variants_of(name)),
            TypeSchema::Tagged(name) => write!(f, "_Tagged({}{and}{optional})", names.variants_of(name)),
            TypeSchema::TaggedList(name) => write!(f, "_TaggedList({}{and}{optional})", names.variants_of(name)),
            TypeSchema::Box(name) => write!(f, "_Box({}{and}{optional})", names.fields_of(name)),
            TypeSchema::Json => write!(f, "_Json({optional})"),
            TypeSchema::AsciiJson => write!(f, "_Json(True{and}{optional})"),
            TypeSchema::Zlib(inner, most) => {
                write!(f, "_Zlib({}, {most}{and}{optional})", Type(inner, "", names))
            }
            TypeSchema::Map(name) => write!(f, "{}({}{and}{optional})", names.map_class(name), names.fields_of(name)),
            TypeSchema::Big { value, maximum, numbering } => {
                let start = numbering.start();
                let empty = if start == 0 && value.may_be_empty() { ", empty=True" } else { "" };
                write!(f, "_Big({}, {maximum}, {start}{empty}{and}{optional})", Type(value, "", names))
            }
            TypeSchema::AmpList(name) => write!(f, "_AmpList({}{and}{optional})", names.fields_of(name)),
        }
    }
}
