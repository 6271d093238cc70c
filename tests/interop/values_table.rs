//! The table of `docs/values.md`: every row is compiled, its bytes are what Rust writes and reads, and what Twisted's type of the row does.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use amp::testing::ask_bytes;
use amp::value::{
    AsciiJson, Big, DateTime, Decimal, DecodeError, EncodeError, Json, Octets, RawValue, Text, ValueWriter, Zlib,
};
use amp::{Arguments, Command, Value};
use bytes::Bytes;

use crate::harness::Twisted;
use crate::numbers::python_bytes;

/// Bytes, and what Twisted's type makes of them: an expression for the type, and one for the value.
type Sample = (Vec<u8>, &'static str, &'static str);

/// Shows that Rust writes and reads the value as these bytes.
#[expect(clippy::needless_pass_by_value, reason = "the table names values")]
#[track_caller]
fn is<T: Value + PartialEq + Debug>(value: T, bytes: &[u8], twisted: &'static str, python: &'static str) -> Sample {
    let mut written = Vec::new();
    value.encode(&mut ValueWriter::new(&mut written)).unwrap();
    assert_eq!(written.escape_ascii().to_string(), bytes.escape_ascii().to_string());
    assert_eq!(T::decode(RawValue::new(bytes)).unwrap(), value);
    (written, twisted, python)
}

/// Shows that Rust does not read these bytes.
#[track_caller]
fn refused<T: Value + Debug>(bytes: &[u8]) {
    let read = T::decode(RawValue::new(bytes));
    assert!(read.is_err(), "{read:?}");
}

#[derive(Arguments, Debug, PartialEq)]
struct Node {
    b: u8,
    a: String,
}

#[derive(Value, Debug, PartialEq)]
struct Port(#[constrain(range = 1..)] u16);

#[derive(Value, Debug, PartialEq)]
enum State {
    InProgress,
}

#[derive(Value, Debug, PartialEq)]
enum Shape {
    Circle { radius: f64 },
}

/// A value of one's own.
#[derive(Debug, PartialEq)]
struct Tally(u8);

impl Value for Tally {
    fn encode(&self, out: &mut ValueWriter<'_>) -> Result<(), EncodeError> {
        out.write(&vec![b'|'; self.0.into()]);
        Ok(())
    }

    fn decode(raw: RawValue<'_>) -> Result<Self, DecodeError> {
        u8::try_from(raw.as_bytes().len()).map(Self).map_err(|_| DecodeError::custom("too many"))
    }
}

#[derive(Command, Debug)]
struct Perhaps {
    text: Option<String>,
}

#[derive(Command, Debug)]
struct Large {
    data: Big<Vec<u8>, 100_000>,
}

const NODE: &[u8] = b"\0\x01a\0\x01x\0\x01b\0\x017\0\0";
const ENTRY: &[u8] = b"\0\x03key\0\x01k\0\x05value\0\x013\0\0";

fn node() -> Node {
    Node { b: 7, a: "x".into() }
}

fn json() -> BTreeMap<String, String> {
    [("a".to_owned(), "\u{e9}".to_owned())].into()
}

/// The samples of a row by its first cell; `None` if there is no such row.
#[expect(clippy::too_many_lines, reason = "a table")]
fn samples(row: &str) -> Option<Vec<Sample>> {
    Some(match row {
        "`i8` … `i128`, `u8` … `u128`, `isize`, `usize`" => {
            refused::<i8>(b"128");
            vec![
                is(-128_i8, b"-128", "Integer()", "-128"),
                is(-13_i16, b"-13", "Integer()", "-13"),
                is(1_i32, b"1", "Integer()", "1"),
                is(i64::MAX, b"9223372036854775807", "Integer()", "2**63 - 1"),
                is(i128::MIN, b"-170141183460469231731687303715884105728", "Integer()", "-2**127"),
                is(255_u8, b"255", "Integer()", "255"),
                is(1_u16, b"1", "Integer()", "1"),
                is(1_u32, b"1", "Integer()", "1"),
                is(u64::MAX, b"18446744073709551615", "Integer()", "2**64 - 1"),
                is(u128::MAX, b"340282366920938463463374607431768211455", "Integer()", "2**128 - 1"),
                is(-1_isize, b"-1", "Integer()", "-1"),
                is(0_usize, b"0", "Integer()", "0"),
            ]
        }
        "`num_bigint::BigInt`" => {
            refused::<num_bigint::BigInt>("1".repeat(4301).as_bytes());
            let large = num_bigint::BigInt::from(2).pow(200);
            vec![is(large.clone(), large.to_string().as_bytes(), "Integer()", "2**200")]
        }
        "`f64`, `f32`" => vec![
            is(5.0, b"5.0", "Float()", "5.0"),
            is(1e16, b"1e+16", "Float()", "1e16"),
            is(f64::NEG_INFINITY, b"-inf", "Float()", "float('-inf')"),
            is(0.5_f32, b"0.5", "Float()", "0.5"),
        ],
        "`bool`" => vec![is(true, b"True", "Boolean()", "True"), is(false, b"False", "Boolean()", "False")],
        "`String`" => {
            refused::<String>(b"\xff");
            vec![is("\u{2603}".to_owned(), "\u{2603}".as_bytes(), "Unicode()", "'\u{2603}'")]
        }
        "`Vec<u8>`, `bytes::Bytes`, `[u8; N]`" => {
            refused::<[u8; 2]>(b"a");
            vec![
                is(vec![0_u8, 255], b"\0\xff", "String()", "b'\\x00\\xff'"),
                is(Bytes::from_static(b"ab"), b"ab", "String()", "b'ab'"),
                is(*b"ab", b"ab", "String()", "b'ab'"),
            ]
        }
        "`amp::value::Decimal`" => vec![
            is("1E+2".parse::<Decimal>().unwrap(), b"1E+2", "Decimal()", "decimal.Decimal('1E+2')"),
            is("-0.00".parse::<Decimal>().unwrap(), b"-0.00", "Decimal()", "decimal.Decimal('-0.00')"),
        ],
        "`amp::value::DateTime`" => {
            let text = "2012-01-23T12:34:56.054321-01:23";
            let python =
                "datetime.datetime(2012, 1, 23, 12, 34, 56, 54321, datetime.timezone(-datetime.timedelta(minutes=83)))";
            vec![is(text.parse::<DateTime>().unwrap(), text.as_bytes(), "DateTime()", python)]
        }
        "`std::path::PathBuf`" => vec![is(PathBuf::from("/a/b"), b"/a/b", "Path()", "FilePath('/a/b')")],
        "`char`" => {
            refused::<char>(b"ab");
            vec![is('\u{2603}', "\u{2603}".as_bytes(), "Unicode()", "'\u{2603}'")]
        }
        "`NonZero<u8>` … `NonZero<i128>`" => {
            refused::<NonZero<u8>>(b"0");
            vec![
                is(NonZero::<u8>::MIN, b"1", "Integer()", "1"),
                is(NonZero::<i128>::MIN, b"-170141183460469231731687303715884105728", "Integer()", "-2**127"),
            ]
        }
        "`std::time::Duration`" => {
            refused::<Duration>(b"-1.0");
            vec![is(Duration::from_millis(1500), b"1.5", "Float()", "1.5")]
        }
        "`IpAddr`, `Ipv4Addr`, `Ipv6Addr`; `SocketAddr`, `SocketAddrV4`, `SocketAddrV6`" => vec![
            is::<IpAddr>("::1".parse().unwrap(), b"::1", "Unicode()", "'::1'"),
            is(Ipv4Addr::LOCALHOST, b"127.0.0.1", "Unicode()", "'127.0.0.1'"),
            is::<std::net::Ipv6Addr>("::1".parse().unwrap(), b"::1", "Unicode()", "'::1'"),
            is::<SocketAddr>("127.0.0.1:80".parse().unwrap(), b"127.0.0.1:80", "Unicode()", "'127.0.0.1:80'"),
            is::<std::net::SocketAddrV4>("1.2.3.4:5".parse().unwrap(), b"1.2.3.4:5", "Unicode()", "'1.2.3.4:5'"),
            is::<std::net::SocketAddrV6>("[::1]:80".parse().unwrap(), b"[::1]:80", "Unicode()", "'[::1]:80'"),
        ],
        "`ipnet::IpNet`, `Ipv4Net`, `Ipv6Net`" => vec![
            is::<ipnet::IpNet>("10.0.0.1/8".parse().unwrap(), b"10.0.0.1/8", "Unicode()", "'10.0.0.1/8'"),
            is::<ipnet::Ipv4Net>("10.0.0.0/8".parse().unwrap(), b"10.0.0.0/8", "Unicode()", "'10.0.0.0/8'"),
            is::<ipnet::Ipv6Net>("fe80::/10".parse().unwrap(), b"fe80::/10", "Unicode()", "'fe80::/10'"),
        ],
        "`amp::value::Octets` of an IP address" => {
            refused::<Octets<IpAddr>>(b"123");
            vec![is(Octets(Ipv4Addr::LOCALHOST), b"\x7f\0\0\x01", "String()", "b'\\x7f\\x00\\x00\\x01'")]
        }
        "`uuid::Uuid`" => {
            let text = "12345678-9abc-def0-1234-56789abcdef0";
            let value: uuid::Uuid = text.parse().unwrap();
            assert_eq!(uuid::Uuid::decode(RawValue::new(text.replace('-', "").as_bytes())).unwrap(), value);
            vec![is(value, text.as_bytes(), "Unicode()", "'12345678-9abc-def0-1234-56789abcdef0'")]
        }
        "`url::Url`" => {
            refused::<url::Url>(b"/relative");
            let value: url::Url = "HTTP://example.com".parse().unwrap();
            vec![is(value, b"http://example.com/", "Unicode()", "'http://example.com/'")]
        }
        "`Box<T>`, `Arc<T>`, with `T` also `str` or `[U]`; `Cow<'static, T>` of `str`, `[U]` and `Path`" => vec![
            is(Box::new(7_u8), b"7", "Integer()", "7"),
            is(Arc::new(7_u8), b"7", "Integer()", "7"),
            is::<Box<str>>("a".into(), b"a", "Unicode()", "'a'"),
            is::<Arc<[u16]>>([1, 2].into(), b"\0\x011\0\x012", "ListOf(Integer())", "[1, 2]"),
            is::<Cow<'static, str>>("a".into(), b"a", "Unicode()", "'a'"),
            is::<Cow<'static, [u8]>>(vec![1].into(), b"\x01", "String()", "b'\\x01'"),
            is::<Cow<'static, std::path::Path>>(PathBuf::from("/a").into(), b"/a", "Path()", "FilePath('/a')"),
        ],
        "`[T; N]`" => {
            refused::<[u16; 2]>(b"\0\x011");
            vec![
                is([1_u16, 2], b"\0\x011\0\x012", "ListOf(Integer())", "[1, 2]"),
                is([node()], NODE, "AmpList([(b'a', Unicode()), (b'b', Integer())])", "[{'a': 'x', 'b': 7}]"),
            ]
        }
        "`Vec<T>`" => {
            vec![is(vec![vec![1_u16], vec![]], b"\0\x03\0\x011\0\0", "ListOf(ListOf(Integer()))", "[[1], []]")]
        }
        "a type with `#[derive(Arguments)]`" => {
            vec![is(node(), NODE, "Nested([(b'a', Unicode()), (b'b', Integer())])", "{'a': 'x', 'b': 7}")]
        }
        "`Vec` of such a type" => {
            let boxes = [NODE, NODE].concat();
            let twice = "[{'a': 'x', 'b': 7}, {'a': 'x', 'b': 7}]";
            vec![is(vec![node(), node()], &boxes, "AmpList([(b'a', Unicode()), (b'b', Integer())])", twice)]
        }
        "`BTreeMap<K, V>`, `HashMap<K, V>`" => {
            refused::<BTreeMap<String, u8>>(&[ENTRY, ENTRY].concat());
            let (list, python) =
                ("AmpList([(b'key', Unicode()), (b'value', Integer())])", "[{'key': 'k', 'value': 3}]");
            vec![
                is(BTreeMap::from([("k".to_owned(), 3_u8)]), ENTRY, list, python),
                is(HashMap::from([("k".to_owned(), 3_u8)]), ENTRY, list, python),
            ]
        }
        "`amp::value::Text<T>`" => vec![is(Text(7.5_f32), b"7.5", "Unicode()", "'7.5'")],
        "`amp::value::Json<T>`, `AsciiJson<T>`" => {
            let nested = "[".repeat(128) + &"]".repeat(128);
            refused::<Json<serde_json::Value>>(nested.as_bytes());
            vec![
                is(Json(json()), "{\"a\":\"\u{e9}\"}".as_bytes(), "String()", "'{\"a\":\"\u{e9}\"}'.encode()"),
                is(AsciiJson(json()), br#"{"a":"\u00e9"}"#, "String()", r#"b'{"a":"\\u00e9"}'"#),
            ]
        }
        "`amp::value::Zlib<T, MAX>`" => {
            let value = Zlib::<_, 4>("aaaa".to_owned());
            let mut bytes = Vec::new();
            value.encode(&mut ValueWriter::new(&mut bytes)).unwrap();
            refused::<Zlib<String, 3>>(&bytes);
            vec![is(value, &bytes, "", "")]
        }
        "`Option<T>`" => {
            assert_eq!(ask_bytes("1", &Perhaps { text: None }), b"\0\x04_ask\0\x011\0\x08_command\0\x07Perhaps\0\0");
            let bytes = ask_bytes("1", &Perhaps { text: Some("a".into()) });
            assert!(bytes.ends_with(b"\0\x07Perhaps\0\x04text\0\x01a\0\0"));
            vec![]
        }
        "a newtype with `#[derive(Value)]`" => vec![is(Port(80), b"80", "Integer()", "80")],
        "an enum with `#[derive(Value)]`" => {
            refused::<State>(b"done");
            let wire = b"\0\x06radius\0\x031.5\0\x04type\0\x06circle\0\0";
            let nested = "Nested([(b'radius', Float()), (b'type', Unicode())])";
            vec![
                is(State::InProgress, b"in_progress", "Unicode()", "'in_progress'"),
                is(Shape::Circle { radius: 1.5 }, wire, nested, "{'radius': 1.5, 'type': 'circle'}"),
            ]
        }
        "`amp::value::Big<T, MAX>`" => {
            let bytes = ask_bytes("1", &Large { data: vec![7; 70_000].into() });
            let parts = [(&b"data"[..], 65_535_usize), (b"data.2", 4465)];
            for (key, length) in parts {
                let key_length = u8::try_from(key.len()).unwrap();
                let length = u16::try_from(length).unwrap().to_be_bytes();
                let part = [&[0, key_length], key, &length, &[7; 100]].concat();
                assert!(bytes.windows(part.len()).any(|window| window == part), "{}", key.escape_ascii());
            }
            vec![]
        }
        "your own" => vec![is(Tally(3), b"|||", "String()", "b'|||'")],
        _ => return None,
    })
}

/// The cells of each row.
fn rows() -> Vec<(String, String)> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/values.md");
    let text = std::fs::read_to_string(page).unwrap();
    let table = text.split("|---|---|---|\n").nth(1).unwrap();
    let lines = table.lines().take_while(|line| line.starts_with('|'));
    let cells = lines.map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert!(cells.len() == 3 && cells.iter().all(|cell| !cell.is_empty()), "{line}");
        (cells[0].to_owned(), cells[1].to_owned())
    });
    cells.collect()
}

#[tokio::test]
async fn every_row_of_the_table_of_values_is_as_it_says_at_both_ends() {
    let Some((mut twisted, _)) = Twisted::listen().await else { return };
    let rows = rows();
    assert_eq!(rows.len(), 31);
    for (rust, amp) in &rows {
        let samples = samples(rust).unwrap_or_else(|| panic!("no sample of the row {rust}"));
        for (bytes, twisted_type, python) in samples {
            // Twisted has no such type.
            if twisted_type.is_empty() {
                continue;
            }
            // The row names Twisted's type, or one of them that say as much in words.
            let name = twisted_type.split('(').next().unwrap();
            let words = ["ListOf", "AmpList", "what it holds", "a nested box", "Argument"];
            assert!(amp.contains(name) || words.iter().any(|word| amp.contains(word)), "{rust}: {name} is not {amp}");
            let wire = python_bytes(&bytes);
            let both = format!(
                "(lambda it: (it.fromStringProto({wire}, None) == {python}, it.toStringProto({python}, None) == {wire}))({twisted_type})"
            );
            assert_eq!(twisted.say(&both).await, "(True, True)", "{rust}: {twisted_type} {python}");
        }
    }
}
