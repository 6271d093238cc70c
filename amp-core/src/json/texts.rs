//! Texts of types that are known here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::JsonErrorKind;
use super::coding::{read, written};
use crate::schema::TextType;
use crate::value::{RawValue, Value};

/// The text as its Rust type writes it. That of a type which is not known here stays as it is.
pub(super) fn respelled(of: Option<TextType>, text: &str) -> Result<String, JsonErrorKind> {
    by_type(of).map_or_else(|| Ok(text.to_owned()), |respell| respell(text))
}

/// Whether the type can be read here.
pub(super) fn is_known(of: Option<TextType>) -> bool {
    by_type(of).is_some()
}

type Respell = fn(&str) -> Result<String, JsonErrorKind>;

fn by_type(of: Option<TextType>) -> Option<Respell> {
    Some(match of? {
        TextType::Char => by::<char>,
        TextType::IpAddr => by::<IpAddr>,
        TextType::Ipv4Addr => by::<Ipv4Addr>,
        TextType::Ipv6Addr => by::<Ipv6Addr>,
        TextType::SocketAddr => by::<SocketAddr>,
        TextType::SocketAddrV4 => by::<SocketAddrV4>,
        TextType::SocketAddrV6 => by::<SocketAddrV6>,
        #[cfg(feature = "ipnet")]
        TextType::IpNet => by::<ipnet::IpNet>,
        #[cfg(feature = "ipnet")]
        TextType::Ipv4Net => by::<ipnet::Ipv4Net>,
        #[cfg(feature = "ipnet")]
        TextType::Ipv6Net => by::<ipnet::Ipv6Net>,
        #[cfg(feature = "url")]
        TextType::Url => by::<url::Url>,
        #[cfg(feature = "uuid")]
        TextType::Uuid => by::<uuid::Uuid>,
        #[cfg(not(all(feature = "ipnet", feature = "url", feature = "uuid")))]
        _ => return None,
    })
}

fn by<T: Value>(text: &str) -> Result<String, JsonErrorKind> {
    let value: T = read(RawValue::new(text.as_bytes()))?;
    String::from_utf8(written(&value, "a text")?).map_err(|_| JsonErrorKind::NotA("UTF-8 text"))
}

/// What the bytes and the text of an IP address are called.
pub(super) fn address(of: Option<TextType>) -> (&'static str, &'static str) {
    match of {
        Some(TextType::Ipv4Addr) => ("the 4 bytes of an IPv4 address", "an IPv4 address, in a string"),
        Some(TextType::Ipv6Addr) => ("the 16 bytes of an IPv6 address", "an IPv6 address, in a string"),
        _ => ("the 4 or 16 bytes of an IP address", "an IP address, in a string"),
    }
}

/// Whether the type holds the address.
pub(super) fn holds(of: Option<TextType>, address: IpAddr) -> bool {
    match of {
        Some(TextType::Ipv4Addr) => address.is_ipv4(),
        Some(TextType::Ipv6Addr) => address.is_ipv6(),
        _ => true,
    }
}
