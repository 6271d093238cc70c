use std::cmp::Ordering;
use std::collections::HashSet;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn rule_47_a_decimal_keeps_its_sign_its_digits_and_its_exponent() {
    #[rustfmt::skip]
    let texts = [
        "1", "-1", "1.0", "1E+2", "1.5E+2", "0.1", "0.000001", "1E-7", "-0", "0E+3", "Infinity", "-Infinity", "NaN", "-NaN",
        "sNaN", "-sNaN", "NaN123", "1E+999999", "100", "0.00", "0E-7", "0.000000", "12.50", "123456789.123456789", "-sNaN5",
        "1E+999999999999999999", "1E-1999999999999999997", "0E-1999999999999999997", "1.000E-1999999999999999994",
    ];
    for text in texts {
        let value = decoded::<Decimal>(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((value.as_str(), value.to_string(), encoded(&value)), (text, text.into(), text.into()));
    }
    let different: HashSet<_> = texts.map(decimal).into();
    assert_eq!(different.len(), texts.len(), "no two are equal");
}

#[test]
fn rule_48_every_spelling_that_python_reads_is_a_decimal() {
    #[rustfmt::skip]
    let rows = [
        ("+1", "1"), ("1e2", "1E+2"), ("inf", "Infinity"), ("infinity", "Infinity"), ("nan", "NaN"), ("snan", "sNaN"),
        ("NaN12", "NaN12"), (" 1 ", "1"), ("1_000", "1000"), (".5", "0.5"), ("5.", "5"), ("+INF", "Infinity"), ("-iNfInItY", "-Infinity"),
        ("-nan0", "-NaN"), ("sNaN007", "sNaN7"), ("1__0", "10"), ("_1_", "1"), ("1_e_5", "1E+5"), ("n_an_1", "NaN1"), ("-_1", "-1"),
        ("\x1c\x1f1\x0b\x0c\t\r\n", "1"), ("00012", "12"), ("-00", "-0"), ("00.10", "0.10"), ("12E+1", "1.2E+2"), ("0e3", "0E+3"),
        ("0.0000001", "1E-7"), ("100E-5", "0.00100"), ("1e-0000000000000000000000000007", "1E-7"), ("000.000", "0.000"), ("0.0e1", "0"),
        ("1.5e1", "15"), ("1.5e+0", "1.5"), ("0.10e-5", "0.0000010"), ("0.1e-6", "1E-7"), ("12.34e5", "1.234E+6"),
        ("1e999999999999999999", "1E+999999999999999999"), ("0.001e1000000000000000002", "1E+999999999999999999"),
    ];
    for (spelling, text) in rows {
        let value = decoded::<Decimal>(spelling.as_bytes()).unwrap_or_else(|error| panic!("{spelling:?}: {error}"));
        assert_eq!(value.as_str(), text, "{spelling:?}");
        assert_eq!(decimal(spelling), value);
    }
}

#[test]
fn rule_48_what_python_does_not_read_is_no_decimal() {
    #[rustfmt::skip]
    let rows: &[&[u8]] = &[
        b"", b"abc", b" ", b"_", b".", b"-", b"+", b"e5", b"1e", b"1e+", b".e1", b"--1", b"+-1", b"- 1", b"1 2", b"1 _", b"1.2.3", b"1e5.0",
        b"1e+-5", b"1e 5", b"infin", b"in", b"nan 1", b"nan-1", b"nan1.0", b"snane", b"qnan", b"1\0", b"\x001", b"0x10", b"1,5", b"True",
        b"\xff", b"\xa05", "\u{665}".as_bytes(), "1\u{a0}".as_bytes(), "\u{221e}".as_bytes(),
        b"1e1000000000000000000", b"10e999999999999999999", b"1e-1999999999999999998", b"0e1000000000000000000", b"0e-1999999999999999998",
        b"0.1e-1999999999999999997", b"1e9223372036854775807", b"1e9223372036854775808", b"1e-9223372036854775808", b"1.1e-9223372036854775808",
        b"1e99999999999999999999999",
    ];
    rejects::<Decimal>("a decimal", rows);
    assert_eq!("1x".parse::<Decimal>(), Err(ConvertError::NotA("a decimal")));
}

#[test]
fn rule_48_a_decimal_may_have_as_many_digits_as_a_value_has_bytes() {
    for text in ["9".repeat(65_535), format!("0.{}", "1".repeat(65_533)), format!("NaN{}", "1".repeat(65_532))] {
        let value = decoded::<Decimal>(text.as_bytes()).expect("digits");
        assert_eq!(encoded(&value), text.as_bytes());
        assert_eq!(value.compare(&value), (!value.is_nan()).then_some(Ordering::Equal));
    }
}

#[test]
fn a_decimal_is_made_of_a_coefficient_and_an_exponent() {
    let rows = [
        (150, -2, "1.50"),
        (0, -2, "0.00"),
        (-5, 0, "-5"),
        (3, 2, "3E+2"),
        (1, i32::MIN, "1E-2147483648"),
        (i128::MIN, i32::MAX, "-1.70141183460469231731687303715884105728E+2147483685"),
    ];
    for (coefficient, exponent, text) in rows {
        assert_eq!(Decimal::new(coefficient, exponent).as_str(), text);
    }
    for constant in [Decimal::ZERO, Decimal::INFINITY, Decimal::NEG_INFINITY, Decimal::NAN] {
        assert_eq!(decimal(constant.as_str()), constant);
    }
}

#[test]
fn a_decimal_says_what_kind_of_number_it_is() {
    let kinds = |text: &str| {
        let it = decimal(text);
        (it.is_finite(), it.is_infinite(), it.is_nan(), it.is_zero(), it.is_sign_negative())
    };
    assert_eq!(kinds("-0E+3"), (true, false, false, true, true));
    assert_eq!(kinds("0.001"), (true, false, false, false, false));
    assert_eq!(kinds("-Infinity"), (false, true, false, false, true));
    assert_eq!(kinds("NaN0"), (false, false, true, false, false));
    assert_eq!(kinds("-sNaN12"), (false, false, true, false, true));
}

#[test]
fn numbers_are_in_order_whatever_their_digits_and_nans_are_in_none() {
    let order = [
        "-Infinity",
        "-1E+999999999999",
        "-10.5",
        "-10.4",
        "-1E-7",
        "0",
        "1E-999999999999",
        "0.9",
        "1",
        "1.01",
        "9.99",
        "1E+1",
    ];
    for (index, one) in order.into_iter().enumerate() {
        for (at, other) in order.into_iter().enumerate() {
            assert_eq!(decimal(one).compare(&decimal(other)), Some(index.cmp(&at)), "{one} and {other}");
        }
        assert_eq!(decimal(one).compare(&Decimal::INFINITY), Some(Ordering::Less));
        assert_eq!(decimal(one).compare(&Decimal::NAN), None);
        assert_eq!(decimal("-sNaN1").compare(&decimal(one)), None);
    }
    for (one, other) in
        [("1.0", "1"), ("-0", "0E+9"), ("1E+2", "100"), ("100.00", "1.0E+2"), ("-1.50", "-1.5"), ("inf", "infinity")]
    {
        assert_eq!(decimal(one).compare(&decimal(other)), Some(Ordering::Equal), "{one} and {other}");
    }
}

#[test]
fn integers_are_decimals_and_come_back() {
    macro_rules! bounds {
        ($($type:ident)*) => {$(
            for number in [$type::MIN, 0, 1, $type::MAX] {
                let decimal = Decimal::from(number);
                assert_eq!(decimal.as_str(), number.to_string());
                assert_eq!($type::try_from(&decimal), Ok(number));
                assert_eq!($type::try_from(decimal), Ok(number));
            }
            let over = decimal(&format!("{}0", $type::MAX));
            assert_eq!($type::try_from(&over), Err(ConvertError::OutOfRange(stringify!($type))));
        )*};
    }
    bounds! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }
}

#[test]
fn a_decimal_is_an_integer_if_nothing_is_lost_and_no_exponent_asks_for_memory() {
    for (text, number) in
        [("1.0", 1), ("1E+2", 100), ("-0", 0), ("0E-9", 0), ("0E+999999999", 0), ("-12.00E+1", -120), ("1000E-3", 1)]
    {
        assert_eq!(i32::try_from(decimal(text)), Ok(number), "{text}");
    }
    for text in [
        "1.5",
        "0.1",
        "1E-1",
        "100E-3",
        "1E-999999999999",
        "Infinity",
        "-Infinity",
        "NaN",
        "sNaN1",
        "1.0000000000000000000000000001",
    ] {
        assert_eq!(i32::try_from(decimal(text)), Err(ConvertError::NotA("an integer")), "{text}");
    }
    for text in ["1E+10", "-2147483649", "1E+999999999999999999", "1E+4299", "1E+4300"] {
        assert_eq!(i32::try_from(decimal(text)), Err(ConvertError::OutOfRange("i32")), "{text}");
    }
    assert_eq!(u8::try_from(decimal("-1")), Err(ConvertError::OutOfRange("u8")));
}

#[cfg(feature = "num-bigint")]
#[test]
fn big_integers_are_decimals_and_come_back_up_to_4300_digits() {
    use num_bigint::BigInt;

    let most = BigInt::from(10).pow(4299);
    assert_eq!(BigInt::try_from(Decimal::from(&most)), Ok(most.clone()));
    assert_eq!(BigInt::try_from(&decimal("-1E+4299")), Ok(-&most));
    for over in [Decimal::from(most * 10), decimal("1E+4300"), decimal("1E+999999999")] {
        assert_eq!(BigInt::try_from(over), Err(ConvertError::OutOfRange("BigInt")));
    }
    assert_eq!(BigInt::try_from(decimal("1.5")), Err(ConvertError::NotA("an integer")));
}
