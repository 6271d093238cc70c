use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::*;

#[test]
fn addresses_are_text() {
    writes([
        (IpAddr::V4(Ipv4Addr::LOCALHOST), "127.0.0.1"),
        (IpAddr::V6(Ipv6Addr::LOCALHOST), "::1"),
        (IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped()), "::ffff:127.0.0.1"),
    ]);
    writes([(Ipv4Addr::BROADCAST, "255.255.255.255")]);
    writes([(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), "2001:db8::1")]);
    let v4 = SocketAddr::from((Ipv4Addr::LOCALHOST, 80));
    writes([(v4, "127.0.0.1:80"), (SocketAddr::from((Ipv6Addr::LOCALHOST, 80)), "[::1]:80")]);
    accepts([
        ("2001:DB8:0:0::1", Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        ("::ffff:127.0.0.1", Ipv4Addr::LOCALHOST.to_ipv6_mapped()),
    ]);
    accepts([("10.0.0.1:65535", SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 65_535))]);
    accepts([("[fe80::1%3]:1", SocketAddrV6::new(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1), 1, 0, 3))]);
    assert_eq!(encoded(&vec![Ipv4Addr::LOCALHOST]), b"\0\x09127.0.0.1");
}

#[test]
fn what_is_no_address_is_refused_without_showing_it() {
    let odd: &[&[u8]] =
        &[b"", b"127.1", b"127.0.0.01", b" ::1", b"::1 ", b"[::1]", b"localhost", b"1.2.3.4/8", b"1.2.3.4\0"];
    rejects::<IpAddr>("an IP address", odd);
    rejects::<Ipv4Addr>("an IPv4 address", &[b"::1", b"256.0.0.1"]);
    rejects::<Ipv6Addr>("an IPv6 address", &[b"127.0.0.1", b"fe80::1%eth0", b"1::2::3"]);
    rejects::<SocketAddr>("an IP address with a port", &[b"127.0.0.1", b"::1:80", b"127.0.0.1:65536", b"127.0.0.1:"]);
    rejects::<IpAddr>("UTF-8 text", &[b"\xff"]);
}

#[test]
fn octets_are_the_bytes_of_an_address() {
    assert_eq!(encoded(&Octets(Ipv4Addr::new(10, 0, 0, 255))), [10, 0, 0, 255]);
    assert_eq!(encoded(&Octets(IpAddr::from(Ipv6Addr::LOCALHOST)))[14..], [0, 1]);
    assert_eq!(decoded(b"\x7f\0\0\x01"), Ok(Octets(IpAddr::V4(Ipv4Addr::LOCALHOST))));
    assert_eq!(decoded(&[0; 16]), Ok(Octets(IpAddr::V6(Ipv6Addr::UNSPECIFIED))));
    assert_eq!(decoded(&[0; 16]), Ok(Octets(Ipv6Addr::UNSPECIFIED)));
    assert_eq!(decoded(&[0; 4]), Ok(Octets(Ipv4Addr::UNSPECIFIED)));
    for length in [0, 3, 5, 15, 17] {
        let bytes = vec![b'1'; length];
        rejects::<Octets<IpAddr>>("the 4 or 16 bytes of an IP address", &[&bytes]);
        let other = |expected| DecodeErrorKind::Length { expected, actual: length };
        assert_eq!(decoded::<Octets<Ipv4Addr>>(&bytes), Err(other(4)));
        assert_eq!(decoded::<Octets<Ipv6Addr>>(&bytes), Err(other(16)));
    }
}

#[test]
fn octets_are_used_as_the_address() {
    let mut address = Octets::from(Ipv4Addr::LOCALHOST);
    assert!(address.is_loopback());
    *address = Ipv4Addr::BROADCAST;
    assert_eq!(address.into_inner(), Ipv4Addr::BROADCAST);
}

#[cfg(feature = "ipnet")]
#[test]
fn addresses_with_a_prefix_length_are_text_and_keep_the_bits_of_the_host() {
    use ipnet::{IpNet, Ipv4Net, Ipv6Net};

    for text in ["10.0.0.0/8", "10.1.2.3/8", "0.0.0.0/0", "2001:db8::/32", "::1/128"] {
        assert_eq!(encoded(&decoded::<IpNet>(text.as_bytes()).expect("a network")), text.as_bytes());
    }
    rejects::<IpNet>(
        "an IP address with a prefix length",
        &[b"10.0.0.0", b"10.0.0.0/33", b"10.0.0.0/255.0.0.0", b"::/129", b"/8", b""],
    );
    rejects::<Ipv4Net>("an IPv4 address with a prefix length", &[b"::/8"]);
    rejects::<Ipv6Net>("an IPv6 address with a prefix length", &[b"10.0.0.0/8"]);
}

#[cfg(feature = "uuid")]
#[test]
fn a_uuid_is_its_text_and_every_spelling_of_it_is_read() {
    let id = ::uuid::Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
    writes([(id, "12345678-9abc-def0-1234-56789abcdef0")]);
    accepts([
        ("12345678-9abc-def0-1234-56789abcdef0", id),
        ("12345678-9ABC-DEF0-1234-56789ABCDEF0", id),
        ("123456789abcdef0123456789abcdef0", id),
        ("{12345678-9abc-def0-1234-56789abcdef0}", id),
        ("urn:uuid:12345678-9abc-def0-1234-56789abcdef0", id),
    ]);
    let short = b"12345678-9abc-def0-1234-56789abcdef";
    rejects::<::uuid::Uuid>("a UUID", &[b"", short, b" 123456789abcdef0123456789abcdef0", &[0; 16], b"\xff"]);
}

#[cfg(feature = "url")]
#[test]
fn a_url_is_its_text_in_the_form_of_the_standard() {
    use ::url::Url;

    let url = |text: &str| Url::parse(text).expect("a URL");
    writes([(url("https://example.com/a?b=c#d"), "https://example.com/a?b=c#d")]);
    accepts([
        ("HTTP://EXAMPLE.com", url("http://example.com/")),
        ("http://m\u{fc}nchen.example/\u{2603}", url("http://xn--mnchen-3ya.example/%E2%98%83")),
        ("mailto:a@b", url("mailto:a@b")),
    ]);
    rejects::<Url>("an absolute URL", &[b"", b"/a", b"example.com", b"http://", b"http://[::1", b"http://a:99999/"]);
    rejects::<Url>("UTF-8 text", &[b"http://\xff"]);
}
