use ::bytes::{Bytes, BytesMut};

use super::*;
use crate::wire::{BoxDecoder, BoxLimits, RawBox};

#[test]
fn rule_45_a_boolean_is_exactly_true_or_false() {
    writes([(true, "True"), (false, "False")]);
    accepts::<bool>([("True", true), ("False", false)]);
    rejects::<bool>("`True` or `False`", &[b"true", b"TRUE", b"1", b"0", b"", b"True ", b" True", b"T", b"True\0"]);
}

#[test]
fn rule_46_text_is_strict_utf_8_with_nul_and_byte_order_mark_kept() {
    for text in ["", "snowman \u{2603}", "a\0b", "\u{feff}bom", "\u{10ffff}"] {
        assert_eq!(encoded(&text.to_owned()), text.as_bytes());
        assert_eq!(decoded::<String>(text.as_bytes()), Ok(text.to_owned()));
    }
    let rows: &[&[u8]] = &[b"\xff", b"a\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x98"];
    rejects::<String>("UTF-8 text", rows);
}

#[test]
fn a_byte_string_is_its_bytes_in_each_of_its_types() {
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(encoded(&bytes), bytes);
    assert_eq!(encoded(&Bytes::from(bytes.clone())), bytes);
    assert_eq!(encoded(&[1_u8, 2, 3]), [1, 2, 3]);
    assert_eq!(decoded::<Vec<u8>>(&bytes), Ok(bytes.clone()));
    assert_eq!(decoded::<Bytes>(&bytes), Ok(Bytes::from(bytes.clone())));
    assert_eq!(decoded::<[u8; 4]>(&bytes[..4]), Ok([0, 1, 2, 3]));
    assert_eq!(decoded::<Vec<u8>>(b""), Ok(vec![]));
}

#[test]
fn an_array_of_bytes_takes_its_own_length_only() {
    for length in [0, 3, 5] {
        let wrong = DecodeErrorKind::Length { expected: 4, actual: length };
        assert_eq!(decoded::<[u8; 4]>(&vec![0; length]), Err(wrong));
    }
}

/// A box with one value of so many bytes, cut out of a buffer of `allocation` bytes at least.
fn data_of(length: usize, allocation: usize) -> (RawBox, usize) {
    let mut wire = BytesMut::with_capacity(allocation.max(length + 7));
    wire.extend_from_slice(b"\0\x01d");
    wire.extend_from_slice(&u16::try_from(length).expect("a length of a value").to_be_bytes());
    wire.extend_from_slice(&vec![7; length]);
    wire.extend_from_slice(b"\0\0");
    let capacity = wire.capacity();
    let raw = BoxDecoder::with_leftover(BoxLimits::DEFAULT, wire).next_box().expect("a box").expect("whole");
    (raw, capacity)
}

#[test]
fn large_bytes_are_a_slice_of_the_received_box_unless_that_keeps_more_than_twice_their_length_and_small_ones_are_not() {
    let rows = [
        (8191, 0, false),
        (8192, 0, true),
        (65_535, 0, true),
        (8192, 16_385, true),
        (8192, 16_386, false),
        (32_768, 65_536, true),
        (32_768, 98_304, false),
    ];
    for (length, allocation, sliced) in rows {
        let (raw, capacity) = data_of(length, allocation);
        let value = BoxReader::new(&raw, 1).find(b"d").expect("the key");
        assert_eq!(value.pinned(), capacity);
        let data = Bytes::decode(value).expect("bytes");
        let within = raw.as_bytes().as_ptr_range().contains(&data.as_ptr());
        assert_eq!((data.len(), within), (length, sliced), "{allocation}");
    }
}

#[test]
fn bytes_are_a_slice_however_small_for_a_type_that_asks_for_it_and_other_bytes_are_copied() {
    let wire = BytesMut::from(&b"\0\x01d\0\x03abc\0\0"[..]);
    let raw = BoxDecoder::with_leftover(BoxLimits::DEFAULT, wire).next_box().expect("a box").expect("whole");
    let value = BoxReader::new(&raw, 1).find(b"d").expect("the key");
    let slice = value.to_slice();
    assert_eq!(slice, "abc");
    assert!(raw.as_bytes().as_ptr_range().contains(&slice.as_ptr()));
    let unpacked = vec![7; 10_000];
    let other = value.with_bytes(&unpacked);
    assert_eq!(other.pinned(), 10_000, "they are not in the buffer");
    assert_eq!(
        (other.as_bytes(), other.to_slice(), other.to_shared()),
        (&unpacked[..], unpacked.clone().into(), unpacked.clone().into())
    );
}

/// A type of another crate.
#[derive(Debug, PartialEq)]
struct Version(u8, u8);

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == 0 { Err(std::fmt::Error) } else { write!(f, "v{}.{}", self.0, self.1) }
    }
}

impl std::str::FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.strip_prefix('v').and_then(|text| text.split_once('.'));
        let parse = |(major, minor): (&str, &str)| Some(Self(major.parse().ok()?, minor.parse().ok()?));
        numbers.and_then(parse).ok_or_else(|| format!("the secret {text}"))
    }
}

#[test]
fn a_type_with_a_text_travels_as_it() {
    writes([(Text(Version(1, 20)), "v1.20")]);
    accepts([("v1.20", Text(Version(1, 20)))]);
    assert_eq!(decoded("[::1]:80".as_bytes()), Ok(Text(std::net::SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 80)))));
    assert!(refused(&Text(Version(0, 1))).to_string().contains("Display"));
    rejects::<Text<Version>>(type_name::<Version>(), &[b"", b"1.20", b"v1.256"]);
    rejects::<Text<Version>>("UTF-8 text", &[b"v1.2\xff"]);
    let error = <Text<Version>>::decode(RawValue::new(b"1.20")).expect_err("no version");
    assert!(error.to_string().ends_with("::Version") && !error.to_string().contains("1.20"), "{error}");
    assert_eq!(format!("{}", Text(Version(1, 2))), "v1.2");
}
