use super::*;

const NOT_INTEGERS: &[&[u8]] = &[
    b"",
    b" ",
    b"_1",
    b"1_",
    b"1__0",
    b"0x10",
    b"1e3",
    b"1.0",
    b"-",
    b"--1",
    b"+-1",
    b"- 1",
    b"5\0",
    b"True",
    b"\x1c5",
    b"\xa05",
    "\u{665}".as_bytes(),
    "\u{ff15}".as_bytes(),
    b"1 2",
    b"_",
    b"-_1",
    b"+",
];

#[test]
fn rule_41_every_spelling_that_python_reads_is_an_integer() {
    accepts::<i64>([
        ("-0", 0),
        ("+5", 5),
        (" 5", 5),
        ("5 ", 5),
        ("\t5\n", 5),
        ("\x0b5\x0c", 5),
        ("\r5", 5),
        ("1_000", 1000),
        ("-1_0_0", -100),
        ("007", 7),
        ("13", 13),
        ("000000000000000000000000000000000000000000001", 1),
    ]);
    accepts::<u8>([("-0", 0), ("+255", 255), (" -0 ", 0)]);
}

#[test]
fn rule_41_what_python_does_not_read_is_no_integer_of_any_width() {
    rejects::<i8>("an integer", NOT_INTEGERS);
    rejects::<i64>("an integer", NOT_INTEGERS);
    rejects::<u64>("an integer", NOT_INTEGERS);
    rejects::<i128>("an integer", NOT_INTEGERS);
    rejects::<u128>("an integer", NOT_INTEGERS);
    rejects::<usize>("an integer", NOT_INTEGERS);
}

#[test]
fn rule_41_4300_digits_are_an_integer_and_4301_are_not() {
    let most = "9".repeat(4300);
    assert_eq!(decoded::<i64>(most.as_bytes()), Err(DecodeErrorKind::OutOfRange("i64")));
    assert_eq!(decoded::<u128>(format!("-{most}").as_bytes()), Err(DecodeErrorKind::OutOfRange("u128")));
    let zeros = format!("{}7", "0".repeat(4299));
    assert_eq!(decoded::<u8>(zeros.as_bytes()), Ok(7));
    let over = format!("0{zeros}");
    assert_eq!(decoded::<u8>(over.as_bytes()), Err(DecodeErrorKind::NotA("an integer")));
}

/// The decimal digits of the next number.
fn next(digits: &str) -> String {
    let nines = digits.len() - digits.trim_end_matches('9').len();
    let (head, _) = digits.split_at(digits.len() - nines);
    let zeros = "0".repeat(nines);
    match head.as_bytes().split_last() {
        None => format!("1{zeros}"),
        Some((last, rest)) => format!("{}{}{zeros}", String::from_utf8_lossy(rest), char::from(last + 1)),
    }
}

macro_rules! bounds {
    ($($type:ident)*) => {$(
        for value in [$type::MIN, $type::MAX] {
            assert_eq!(encoded(&value), value.to_string().into_bytes());
            assert_eq!(decoded::<$type>(value.to_string().as_bytes()), Ok(value));
        }
        let above = next(&$type::MAX.to_string());
        let below = format!("-{}", next($type::MIN.to_string().trim_start_matches('-')));
        for outside in [above, below] {
            assert_eq!(
                decoded::<$type>(outside.as_bytes()),
                Err(DecodeErrorKind::OutOfRange(stringify!($type))),
                "{outside}"
            );
        }
    )*};
}

#[test]
fn rule_41_every_width_holds_its_bounds_and_nothing_beyond_them() {
    bounds! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }
    assert_eq!((next("9"), next("129"), next("130")), ("10".into(), "130".into(), "131".into()));
}

#[test]
fn rule_42_integers_are_written_without_plus_and_spaces() {
    writes([(0_i64, "0"), (5, "5"), (-5, "-5"), (1_000_000, "1000000")]);
    writes([(u128::MAX, "340282366920938463463374607431768211455")]);
}

#[cfg(feature = "num-bigint")]
mod big {
    use num_bigint::BigInt;

    use super::*;

    #[test]
    fn rule_41_a_big_integer_takes_every_spelling_and_4300_digits() {
        rejects::<BigInt>("an integer", NOT_INTEGERS);
        accepts::<BigInt>([
            ("-0", BigInt::from(0)),
            (" 1_000\n", BigInt::from(1000)),
            ("+123456789012345678901234567890", BigInt::from(123_456_789_012_345_678_901_234_567_890_i128)),
        ]);
        let most = format!("-{}", "9".repeat(4300));
        let number = decoded::<BigInt>(most.as_bytes()).expect("4300 digits are read");
        assert_eq!(encoded(&number), most.as_bytes());
        assert_eq!(decoded::<BigInt>(&[b'9'; 4301]), Err(DecodeErrorKind::NotA("an integer")));
    }

    #[test]
    fn rule_41_a_big_integer_that_no_peer_could_read_is_refused() {
        let over = BigInt::from(10).pow(4300);
        assert!(matches!(refused(&over), EncodeErrorKind::Custom(_)));
        assert_eq!(encoded(&(over - 1)).len(), 4300);
    }
}
