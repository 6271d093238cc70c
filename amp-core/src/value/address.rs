//! Addresses: as text, and an IP address as its bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

#[cfg(feature = "ipnet")]
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::wrapper::wrapper;
use super::{DecodeError, DecodeErrorKind, EncodeError, RawValue, Value, ValueWriter, text};
use crate::schema::{AmpType, TextType};

macro_rules! addresses {
    ($($type:ident $what:literal)*) => {$(
        /// A `Unicode`: the text of the address.
        impl Value for $type {
            const TYPE: AmpType = AmpType::Text(|| TextType::$type.name());

            fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
                text::encode(self, out)
            }

            fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
                text::parse(raw, $what)
            }
        }
    )*};
}

addresses! {
    IpAddr "an IP address"
    Ipv4Addr "an IPv4 address"
    Ipv6Addr "an IPv6 address"
    SocketAddr "an IP address with a port"
    SocketAddrV4 "an IPv4 address with a port"
    SocketAddrV6 "an IPv6 address with a port"
}

#[cfg(feature = "ipnet")]
addresses! {
    IpNet "an IP address with a prefix length"
    Ipv4Net "an IPv4 address with a prefix length"
    Ipv6Net "an IPv6 address with a prefix length"
}

wrapper! {
    /// An IP address as its bytes in network order: 4 of an [`Ipv4Addr`], 16 of an [`Ipv6Addr`], either of an [`IpAddr`].
    ///
    /// It is a `String` in AMP, and an `ipaddress` object in the module of [`Schema::to_twisted`](crate::schema::Schema::to_twisted).
    /// Addresses without it travel as text.
    ///
    /// ```
    /// # extern crate amp_core as amp;
    /// use amp::value::{Octets, RawValue, Value, ValueWriter};
    /// use std::net::{IpAddr, Ipv4Addr};
    ///
    /// let mut bytes = Vec::new();
    /// Octets(Ipv4Addr::LOCALHOST).encode(&mut ValueWriter::new(&mut bytes)).unwrap();
    /// assert_eq!(bytes, [127, 0, 0, 1]);
    /// let address = <Octets<IpAddr>>::decode(RawValue::new(&bytes)).unwrap();
    /// assert!(address.is_loopback());
    /// ```
    ///
    /// # Errors
    /// Bytes of another length are refused.
    #[derive(Copy)]
    Octets
}

/// An address that [`Octets`] holds.
pub trait OctetsOf: Copy + Sized {
    /// The name of the type in schemas.
    #[doc(hidden)]
    const NAME: &'static str;

    /// Appends the bytes.
    #[doc(hidden)]
    fn write(self, out: &mut ValueWriter<'_>);

    /// Reads the bytes, if there are as many as needed.
    #[doc(hidden)]
    fn read(bytes: &[u8]) -> Result<Self, DecodeErrorKind>;
}

macro_rules! octets {
    ($($type:ident $length:literal)*) => {$(
        impl OctetsOf for $type {
            const NAME: &'static str = TextType::$type.name();

            fn write(self, out: &mut ValueWriter<'_>) {
                out.write(&self.octets());
            }

            fn read(bytes: &[u8]) -> Result<Self, DecodeErrorKind> {
                let octets = <[u8; $length]>::try_from(bytes);
                octets.map(Self::from).map_err(|_| DecodeErrorKind::Length { expected: $length, actual: bytes.len() })
            }
        }
    )*};
}

octets! { Ipv4Addr 4 Ipv6Addr 16 }

impl OctetsOf for IpAddr {
    const NAME: &'static str = TextType::IpAddr.name();

    fn write(self, out: &mut ValueWriter<'_>) {
        match self {
            Self::V4(address) => address.write(out),
            Self::V6(address) => address.write(out),
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, DecodeErrorKind> {
        match bytes.len() {
            4 => Ipv4Addr::read(bytes).map(Self::V4),
            16 => Ipv6Addr::read(bytes).map(Self::V6),
            _ => Err(DecodeErrorKind::NotA("the 4 or 16 bytes of an IP address")),
        }
    }
}

impl<T: OctetsOf> Value for Octets<T> {
    const TYPE: AmpType = AmpType::Octets(T::NAME);

    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        self.0.write(out);
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        Ok(Self(T::read(raw.as_bytes())?))
    }
}
