//! Numbers, booleans and text, spelling by spelling: what Twisted accepts is accepted, and what it writes is written.

use std::fmt::Write;

use amp::value::{RawValue, Value, ValueWriter};
use amp::{Arguments, Command, Connection};

use crate::harness::{Twisted, on, soon};

/// What Twisted's argument type makes of each spelling, as Python shows it; `None` where it refuses.
async fn accepted_by(twisted: &mut Twisted, argument: &str, spellings: &[&[u8]]) -> String {
    let listed: Vec<_> = spellings.iter().map(|spelling| python_bytes(spelling)).collect();
    twisted.say(&format!("accepts({argument}, [{}])", listed.join(", "))).await
}

pub(crate) fn python_bytes(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("b'"), |mut text, byte| {
        write!(text, "\\x{byte:02x}").unwrap();
        text
    }) + "'"
}

/// What we make of each spelling, written as Python's list of strings.
pub(crate) fn accepted_here<T: Value>(spellings: &[&[u8]], show: impl Fn(&T) -> String) -> String {
    let shown = spellings.iter().map(|spelling| match T::decode(RawValue::new(spelling)) {
        Ok(value) => format!("'{}'", show(&value)),
        Err(_) => "None".into(),
    });
    format!("[{}]", shown.collect::<Vec<_>>().join(", "))
}

/// Our text for a value.
pub(crate) fn written<T: Value>(value: &T) -> String {
    let mut bytes = Vec::new();
    value.encode(&mut ValueWriter::new(&mut bytes)).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn rule_41_integers_are_read_as_twisted_reads_them() {
    let Some((mut twisted, _)) = Twisted::listen().await else { return };
    #[rustfmt::skip]
    let spellings: &[&[u8]] = &[
        b"0", b"-0", b"+5", b" 5", b"5 ", b" \t5\n ", b"\x0b5\x0c", b"1_000", b"007", b"-12", b"\r\n-1_2_3",
        b"170141183460469231731687303715884105727", b"-170141183460469231731687303715884105728",
        b"", b" ", b"_1", b"1_", b"1__0", b"0x10", b"1e3", b"1.0", b"-", b"--1", b"- 1", b"5\0", b"True", b"+-1", b"+_1",
        b"\x1c5", b"\xa05", "\u{661}".as_bytes(), b"1\x002", b"-_1", b"1 2", b"0_0", b"++1", b"0b1", b"1l",
    ];
    let theirs = accepted_by(&mut twisted, "Integer()", spellings).await;
    assert_eq!(accepted_here::<i128>(spellings, i128::to_string), theirs);
}

#[tokio::test]
async fn rule_44_floats_are_read_as_twisted_reads_them() {
    let Some((mut twisted, _)) = Twisted::listen().await else { return };
    #[rustfmt::skip]
    let spellings: &[&[u8]] = &[
        b"1", b"1.", b".5", b"-.5e3", b"1e5", b"1E5", b"inf", b"Inf", b"INF", b"infinity", b"-Infinity", b"+inf", b"nan",
        b"NaN", b"-nan", b" 1.5\n", b"1_0.5", b"-0", b"1e400", b"-1e400", b"1e-400", b"+1.5E+3", b"1_0e1_0", b"00.10",
        b"9007199254740993", b"2.2250738585072011e-308", b"0.1e1", b"1e+05", b"iNfInItY",
        b"", b" ", b"0x1p3", b"1,5", b"nan(1)", b"1e", b"1.5\0", b"e5", b".", b"1e+", b"_1.0", b"1_.0", b"1._0", b"1__0.0",
        b"infinit", b"in_f", b"1f", b"--1", b"+-1", b"1 .5", b"1e5.0", b"1e_5", "\u{661}".as_bytes(), b"-", b"+", b"\x1c1",
    ];
    let theirs = accepted_by(&mut twisted, "Float()", spellings).await;
    assert_eq!(accepted_here::<f64>(spellings, written), theirs);
}

#[tokio::test]
async fn rule_45_booleans_are_read_as_twisted_reads_them() {
    let Some((mut twisted, _)) = Twisted::listen().await else { return };
    let spellings: &[&[u8]] =
        &[b"True", b"False", b"true", b"TRUE", b"1", b"0", b"", b"True ", b"T", b" False", b"False\0"];
    let theirs = accepted_by(&mut twisted, "Boolean()", spellings).await;
    assert_eq!(accepted_here::<bool>(spellings, written), theirs);
}

#[tokio::test]
async fn rule_46_text_is_read_as_twisted_reads_it() {
    let Some((mut twisted, _)) = Twisted::listen().await else { return };
    #[rustfmt::skip]
    let spellings: &[&[u8]] = &[
        b"", b"plain", "\u{2603}\u{1f40d}".as_bytes(), b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x98",
        b"\x80", b"\xf0\x9f\x90\x8d", b"\xe2\x82\xac", b"a\xc3\xa9", b"\xc3", b"\xf8\x88\x80\x80\x80",
    ];
    let theirs = accepted_by(&mut twisted, "Unicode()", spellings).await;
    assert_eq!(accepted_here::<String>(spellings, String::clone), theirs);
}

#[derive(Command, Debug)]
#[amp(name = "Floats", response = Given)]
struct Floats {
    values: Vec<f64>,
}

#[derive(Arguments, Debug)]
struct Given {
    values: Vec<f64>,
}

/// The same command, seen as its texts.
#[derive(Command, Debug)]
#[amp(name = "Floats", response = Texts)]
struct FloatTexts {
    values: Vec<String>,
}

#[derive(Arguments, Debug, PartialEq)]
struct Texts {
    values: Vec<String>,
}

/// The vectors of the protocol's table, and the neighbours of every place where the form changes.
fn vectors() -> Vec<f64> {
    let mut vectors = vec![0.0, 1.0, 5.0, 0.1, 5e-324, f64::MAX, f64::MIN_POSITIVE, 1.5e-07, 123_456.789, 1.0 / 3.0];
    for exponent in [-5, -4, -3, 15, 16, 17, 22, 23, 100, 300, -300] {
        let power = 10_f64.powi(exponent);
        vectors.extend([power, power.next_up(), power.next_down(), power * 1.5]);
    }
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..500 {
        bits = bits.rotate_left(7).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        vectors.extend(Some(f64::from_bits(bits)).filter(|value| value.is_finite()));
    }
    vectors.extend(vectors.clone().iter().map(|value| -value));
    vectors.extend([f64::INFINITY, f64::NEG_INFINITY, f64::NAN]);
    vectors
}

#[tokio::test]
async fn rule_43_floats_are_written_as_twisted_writes_them() {
    let Some((connection, _twisted)) = Twisted::called_by(Connection::builder()).await else { return };
    let ours: Vec<_> = vectors().iter().map(written).collect();
    let theirs = soon(connection.call(FloatTexts { values: ours.clone() })).await.unwrap();
    assert_eq!(theirs.values, ours);
    let given = soon(connection.call(Floats { values: vectors() })).await.unwrap().values;
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&given), bits(&vectors()));
}

#[tokio::test]
async fn rule_43_floats_of_twisted_arrive_as_they_are() {
    let floats = on(async |Floats { values }| Ok(Given { values }));
    let Some(mut served) = Twisted::calling(std::sync::Arc::new(floats)).await else { return };
    let listed = "[0.0, -0.0, 5.0, 0.1, 1e15, 1e16, 1e-05, 0.0001, 1e22, 5e-324, 1.7976931348623157e308]";
    let result = served.twisted.say(&format!("call(Floats, values={listed})")).await;
    let expected =
        "[0.0, -0.0, 5.0, 0.1, 1000000000000000.0, 1e+16, 1e-05, 0.0001, 1e+22, 5e-324, 1.7976931348623157e+308]";
    assert_eq!(result, format!("{{'values': {expected}}}"));
}

mod big {
    use amp::{Arguments, Command, Connection};
    use num_bigint::BigInt;

    use super::{accepted_by, accepted_here};
    use crate::harness::{Twisted, on, soon};

    #[derive(Command, Debug)]
    #[amp(response = Number)]
    struct Big {
        number: BigInt,
    }

    #[derive(Arguments, Debug)]
    struct Number {
        number: BigInt,
    }

    #[tokio::test]
    async fn rule_41_integers_of_4300_digits_go_both_ways_and_longer_ones_are_refused_as_twisted_does() {
        let Some((connection, mut twisted)) = Twisted::called_by(Connection::builder()).await else { return };
        for digits in [1, 30, 39, 40, 4300] {
            let number = BigInt::from(1) - BigInt::from(10).pow(digits);
            assert_eq!(soon(connection.call(Big { number: number.clone() })).await.unwrap().number, number);
        }
        let (most, over) = ("9".repeat(4300), "9".repeat(4301));
        let spellings: &[&[u8]] = &[most.as_bytes(), over.as_bytes(), b" -1_0 ", b"", b"-"];
        let theirs = accepted_by(&mut twisted, "Integer()", spellings).await;
        assert_eq!(accepted_here::<BigInt>(spellings, BigInt::to_string), theirs);
    }

    #[tokio::test]
    async fn rule_41_integers_of_twisted_of_any_size_arrive_as_they_are() {
        let big = on(async |Big { number }| Ok(Number { number }));
        let Some(mut served) = Twisted::calling(std::sync::Arc::new(big)).await else { return };
        for number in ["10**4299", "-10**40", "2**127", "0"] {
            let same = format!("call(Big, number={number}).addCallback(lambda it: it['number'] == {number})");
            assert_eq!(served.twisted.say(&same).await, "True", "{number}");
        }
    }
}
