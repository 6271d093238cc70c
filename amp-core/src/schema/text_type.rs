/// Types of the standard library and of other crates whose text this library knows.
macro_rules! text_types {
    ($($variant:ident $name:literal)*) => {
        /// A type that is known here, of which a schema says only the name: its text travels, or, of an address, its bytes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum TextType {
            $($variant,)*
        }

        impl TextType {
            /// The type of a name. `None` if only its own program knows it.
            pub(crate) fn of(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

text_types! {
    Char "char"
    IpAddr "IpAddr"
    Ipv4Addr "Ipv4Addr"
    Ipv6Addr "Ipv6Addr"
    SocketAddr "SocketAddr"
    SocketAddrV4 "SocketAddrV4"
    SocketAddrV6 "SocketAddrV6"
    IpNet "IpNet"
    Ipv4Net "Ipv4Net"
    Ipv6Net "Ipv6Net"
    Url "Url"
    Uuid "Uuid"
}
