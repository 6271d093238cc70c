use std::fmt;

use super::names::Names;
use crate::schema::TypeSchema;

/// An argument's constructor.
pub(super) struct Type<'a>(pub(super) &'a TypeSchema, pub(super) &'a str, pub(super) &'a Names);

/// What Python reads a text with, where it has a type for it.
pub(super) fn python_class(name: &str) -> Option<&'static str> {
    Some(match name {
        "IpAddr" => "ipaddress.ip_address",
        "Ipv4Addr" => "ipaddress.IPv4Address",
        "Ipv6Addr" => "ipaddress.IPv6Address",
        "IpNet" => "ipaddress.ip_interface",
        "Ipv4Net" => "ipaddress.IPv4Interface",
        "Ipv6Net" => "ipaddress.IPv6Interface",
        "SocketAddr" | "SocketAddrV4" | "SocketAddrV6" => "_socket_address",
        "Uuid" => "uuid.UUID",
        _ => return None,
    })
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
