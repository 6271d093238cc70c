use std::borrow::Cow;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::sample_commands::Kid;

#[test]
fn what_holds_a_value_travels_as_that_value() {
    assert_eq!(encoded(&Box::new(5_i64)), b"5");
    assert_eq!(encoded(&Arc::new(true)), b"True");
    assert_eq!(decoded(b"5"), Ok(Box::new(5_i64)));
    assert_eq!(decoded(b"a"), Ok(Arc::new(Box::new("a".to_owned()))));
    for bytes in [&b""[..], b"sn\xe2\x98\x83w"] {
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(encoded(&Arc::<str>::from(&*text)), bytes);
        assert_eq!(decoded(bytes), Ok(Arc::<str>::from(&*text)));
        assert_eq!(decoded(bytes), Ok(Box::<str>::from(&*text)));
    }
    rejects::<Box<str>>("UTF-8 text", &[b"\xff"]);
    rejects::<Box<i64>>("an integer", &[b"x"]);
}

#[test]
fn what_may_be_a_constant_travels_as_its_value_and_arrives_owned() {
    assert_eq!(encoded(&Cow::Borrowed("a")), b"a");
    assert!(matches!(decoded::<Cow<'static, str>>(b"a"), Ok(Cow::Owned(text)) if text == "a"));
    assert_eq!(encoded(&Cow::Borrowed(&b"\0\xff"[..])), b"\0\xff");
    assert_eq!(decoded(b"\0\xff"), Ok(Cow::Borrowed(&b"\0\xff"[..])));
    assert_eq!(encoded(&Cow::Borrowed(&[1_i64, 2][..])), b"\0\x011\0\x012");
    assert_eq!(decoded(b"\0\x011\0\x012"), Ok(Cow::Borrowed(&[1_i64, 2][..])));
    #[cfg(unix)]
    {
        assert_eq!(encoded(&Cow::Borrowed(Path::new("/etc"))), b"/etc");
        assert!(refused(&Cow::Borrowed(Path::new("etc"))).to_string().contains("relative"));
    }
    assert_eq!(decoded(b"/etc"), Ok(Cow::Borrowed(Path::new("/etc"))));
}

#[test]
fn a_list_of_holders_is_the_list_of_what_they_hold() {
    fn alike<T: Value + Debug + PartialEq + Clone>(items: Vec<T>) {
        let bytes = encoded(&items);
        let boxed: Vec<_> = items.iter().cloned().map(Box::new).collect();
        let shared: Vec<_> = items.iter().cloned().map(Arc::new).collect();
        let slice: Arc<[T]> = items.clone().into();
        assert_eq!([encoded(&boxed), encoded(&shared), encoded(&slice)], [&bytes[..]; 3]);
        assert_eq!(decoded(&bytes), Ok(boxed));
        assert_eq!(decoded(&bytes), Ok(shared));
        assert_eq!(decoded(&bytes), Ok(slice));
        assert_eq!(decoded(&bytes), Ok(items.into_boxed_slice()));
    }
    alike(vec![1_i64, 2]);
    alike(Vec::<i64>::new());
    alike(vec![1_u8, 2, 0]);
    alike(vec![vec![1_u8, 2], vec![]]);
    alike(vec![vec!["a".to_owned()], vec![]]);
    // Boxes are an AmpList.
    let kid = || Kid { k: 1 };
    assert_eq!(encoded(&vec![Box::new(kid()), Box::new(kid())]), encoded(&vec![kid(), kid()]));
    assert_eq!(decoded::<Vec<Arc<Kid>>>(&encoded(&vec![kid()])).map(|kids| kids.len()), Ok(1));
    assert_eq!(encoded(&[Box::new(kid())]), encoded(&vec![kid()]));
}

#[test]
fn a_fault_in_a_list_of_holders_is_named_by_its_place() {
    let long = vec![Box::new(String::new()), Box::new("a".repeat(70_000))];
    let error = long.encode(&mut ValueWriter::new(&mut Vec::new())).expect_err("too long");
    assert_eq!(error.path(), "[1]");
    let long = vec![Arc::new(vec![]), Arc::new(vec!["".to_owned(), "a".repeat(70_000)])];
    let error = long.encode(&mut ValueWriter::new(&mut Vec::new())).expect_err("too long");
    assert_eq!(error.path(), "[1][1]");
    let error = <Vec<Box<i64>>>::decode(RawValue::new(b"\0\x011\0\x01x")).expect_err("x is no integer");
    assert_eq!(error.path(), "[1]");
}

#[test]
fn an_array_is_a_list_of_exactly_so_many_items() {
    assert_eq!(encoded(&[1_i64, -2]), b"\0\x011\0\x02-2");
    assert_eq!(decoded(b"\0\x011\0\x02-2"), Ok([1_i64, -2]));
    assert_eq!(decoded(b""), Ok([0_i64; 0]));
    assert_eq!(decoded(b"\0\x01a\0\0"), Ok(["a".to_owned(), String::new()]));
    for (bytes, actual) in [(&b""[..], 0), (b"\0\x011", 1), (b"\0\x011\0\x012\0\x013", 3)] {
        assert_eq!(decoded::<[i64; 2]>(bytes), Err(DecodeErrorKind::Items { expected: 2, actual }));
    }
    // The number of items is looked at before they are.
    assert_eq!(decoded::<[i64; 2]>(b"\0\x01x"), Err(DecodeErrorKind::Items { expected: 2, actual: 1 }));
    assert_eq!(decoded::<[i64; 2]>(b"\0\x011\0\x022"), Err(DecodeErrorKind::Truncated));
    rejects::<[i64; 2]>("an integer", &[b"\0\x011\0\x01x"]);
    assert_eq!(decoded::<[[i64; 1]; 2]>(b"\0\x03\0\x011\0\x03\0\x012"), Ok([[1], [2]]));
}

#[test]
fn an_array_of_u8_is_a_byte_string_of_its_length() {
    assert_eq!(encoded(b"\0\xff"), b"\0\xff");
    assert_eq!(decoded(b"\0\xff"), Ok(*b"\0\xff"));
    assert_eq!(decoded::<[u8; 2]>(b"1"), Err(DecodeErrorKind::Length { expected: 2, actual: 1 }));
    assert_eq!(encoded(&[Box::new(1_u8)]), b"\x01");
    assert_eq!(decoded(b"\x01"), Ok([Box::new(1_u8)]));
}

#[test]
fn a_character_is_a_text_of_one() {
    writes([('a', "a"), ('\0', "\0"), ('\u{2603}', "\u{2603}"), ('\u{10ffff}', "\u{10ffff}")]);
    accepts([("a", 'a'), ("\u{feff}", '\u{feff}'), ("\u{10ffff}", '\u{10ffff}')]);
    rejects::<char>("exactly one character", &[b"", b"ab", "e\u{301}".as_bytes()]);
    rejects::<char>("UTF-8 text", &[b"\xff", b"\xed\xa0\x80", b"a\xff"]);
    assert_eq!(encoded(&vec!['a', 'b']), b"\0\x01a\0\x01b", "a list, and no text");
}

#[test]
fn an_integer_that_is_not_0_is_an_integer() {
    let one = NonZero::new(1_u8).expect("not 0");
    writes([(one, "1"), (NonZero::<u8>::MAX, "255")]);
    writes([(NonZero::<i64>::MIN, "-9223372036854775808")]);
    accepts([(" +1", one), ("0_1", one)]);
    rejects::<NonZero<u8>>("an integer other than 0", &[b"0", b"-0", b"00", b" 0 "]);
    rejects::<NonZero<u8>>("an integer", &[b"", b"x"]);
    assert_eq!(decoded::<NonZero<u8>>(b"256"), Err(DecodeErrorKind::OutOfRange("u8")));
    assert_eq!(encoded(&vec![one]), b"\0\x011", "a list of integers, and no bytes");
}
