//! Texts of types that are known here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::JsonErrorKind;
use super::coding::{read, written};
use crate::value::{RawValue, Value};

/// The text as the Rust type of that name writes it. That of a type which is not known here stays as it is.
pub(super) fn respelled(name: &str, text: &str) -> Result<String, JsonErrorKind> {
    by_type(name).map_or_else(|| Ok(text.to_owned()), |respell| respell(text))
}

/// Whether the type of that name is known here.
pub(super) fn is_known(name: &str) -> bool {
    by_type(name).is_some()
}

type Respell = fn(&str) -> Result<String, JsonErrorKind>;

fn by_type(name: &str) -> Option<Respell> {
    Some(match name {
        "char" => by::<char>,
        "IpAddr" => by::<IpAddr>,
        "Ipv4Addr" => by::<Ipv4Addr>,
        "Ipv6Addr" => by::<Ipv6Addr>,
        "SocketAddr" => by::<SocketAddr>,
        "SocketAddrV4" => by::<SocketAddrV4>,
        "SocketAddrV6" => by::<SocketAddrV6>,
        #[cfg(feature = "ipnet")]
        "IpNet" => by::<ipnet::IpNet>,
        #[cfg(feature = "ipnet")]
        "Ipv4Net" => by::<ipnet::Ipv4Net>,
        #[cfg(feature = "ipnet")]
        "Ipv6Net" => by::<ipnet::Ipv6Net>,
        #[cfg(feature = "url")]
        "Url" => by::<url::Url>,
        #[cfg(feature = "uuid")]
        "Uuid" => by::<uuid::Uuid>,
        _ => return None,
    })
}

fn by<T: Value>(text: &str) -> Result<String, JsonErrorKind> {
    let value: T = read(RawValue::new(text.as_bytes()))?;
    String::from_utf8(written(&value, "a text")?).map_err(|_| JsonErrorKind::NotA("UTF-8 text"))
}

/// What the bytes and the text of an IP address are called, by the name of its Rust type.
pub(super) fn address(name: &str) -> (&'static str, &'static str) {
    match name {
        "Ipv4Addr" => ("the 4 bytes of an IPv4 address", "an IPv4 address, in a string"),
        "Ipv6Addr" => ("the 16 bytes of an IPv6 address", "an IPv6 address, in a string"),
        _ => ("the 4 or 16 bytes of an IP address", "an IP address, in a string"),
    }
}

/// Whether the Rust type of that name holds the address.
pub(super) fn holds(name: &str, address: IpAddr) -> bool {
    match name {
        "Ipv4Addr" => address.is_ipv4(),
        "Ipv6Addr" => address.is_ipv6(),
        _ => true,
    }
}
