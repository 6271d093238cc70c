//! Decimals from those of other crates and back.
#![cfg(any(feature = "rust_decimal", feature = "bigdecimal"))]

use proptest::prelude::*;

use super::*;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Texts of all kinds of decimals, those that other crates have rather often.
fn decimals() -> impl Strategy<Value = Decimal> {
    "-?([0-9]{1,32}(\\.[0-9]{0,32})?([eE][-+]?[0-9]{1,2})?|[0-9]{1,3}[eE][-+]?[0-9]{1,18}|s?nan[0-9]{0,3}|inf)"
        .prop_map(|text| decimal(&text))
}

const NOT_FINITE: [&str; 5] = ["Infinity", "-Infinity", "NaN", "-NaN12", "sNaN"];

#[cfg(feature = "rust_decimal")]
mod of_rust_decimal {
    use ::rust_decimal::Decimal as RustDecimal;

    use super::*;

    fn converted(text: &str) -> Result<Decimal, ConvertError> {
        RustDecimal::try_from(&decimal(text)).map(Decimal::from)
    }

    #[test]
    fn rust_decimal_keeps_sign_digits_and_exponent_where_it_has_a_place_for_them() {
        #[rustfmt::skip]
        let texts = [
            "0", "-0", "0.00", "-0.00", "1", "1.0", "12.50", "-12.50", "100", "0.000001", "1E-28", "1.234E-25", "0E-28",
            "79228162514264337593543950335", "-79228162514264337593543950335", "7.9228162514264337593543950335",
        ];
        for text in texts {
            assert_eq!(converted(text), Ok(decimal(text)), "{text}");
        }
        assert_eq!(RustDecimal::try_from(decimal("12.50")), Ok(RustDecimal::new(1250, 2)));
    }

    #[test]
    fn rust_decimal_has_the_same_number_where_it_has_no_place_for_the_exponent() {
        #[rustfmt::skip]
        let rows = [
            ("1E+2", "100"), ("-1.5E+3", "-1500"), ("7E+28", "70000000000000000000000000000"), ("0E+9", "0"), ("-0E+999999999999", "-0"),
            ("0E-29", "0E-28"), ("0E-1999999999999999997", "0E-28"), ("10E-29", "1E-28"), ("1.0000000000000000000000000000000", "1.0000000000000000000000000000"),
            // 29 digits that are more than 96 bits.
            ("8.0000000000000000000000000000", "8.000000000000000000000000000"),
        ];
        for (text, shorter) in rows {
            assert_eq!(converted(text), Ok(decimal(shorter)), "{text}");
        }
    }

    #[test]
    fn rust_decimal_is_refused_what_it_would_round_and_what_is_not_finite() {
        #[rustfmt::skip]
        let texts = [
            "79228162514264337593543950336", "-79228162514264337593543950336", "8E+28", "1E+29", "1E-29", "1.1E-28", "1.00000000000000000000000000001",
            "8.0000000000000000000000000001", "1E+999999999999999999", "1E-1999999999999999997", "0.123456789012345678901234567890",
        ];
        for text in texts {
            assert_eq!(converted(text), Err(ConvertError::OutOfRange("rust_decimal::Decimal")), "{text}");
        }
        assert_eq!(converted(&"9".repeat(65_535)), Err(ConvertError::OutOfRange("rust_decimal::Decimal")));
        for text in NOT_FINITE {
            assert_eq!(converted(text), Err(ConvertError::NotA("a finite number")), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_rust_decimal_comes_back(coefficient in -79_228_162_514_264_337_593_543_950_335..=79_228_162_514_264_337_593_543_950_335_i128, scale in 0..=28_u32, minus: bool) {
            let mut number = RustDecimal::from_i128_with_scale(coefficient, scale);
            number.set_sign_negative(minus);
            let there = Decimal::from(number);
            comes_back(&there)?;
            let back = RustDecimal::try_from(&there);
            prop_assert_eq!(back.map(|back| back.unpack()), Ok(number.unpack()));
        }

        #[test]
        fn rust_decimal_has_the_number_or_refuses_it(decimal in decimals()) {
            match RustDecimal::try_from(&decimal) {
                Ok(number) => prop_assert_eq!(Decimal::from(number).compare(&decimal), Some(std::cmp::Ordering::Equal)),
                Err(error) => {
                    prop_assert_eq!(error == ConvertError::NotA("a finite number"), !decimal.is_finite());
                    // What its own parser reads without rounding has a place.
                    let read = RustDecimal::from_str_exact(decimal.as_str());
                    prop_assert!(read.is_err(), "{} is {}", decimal, read.expect("a number"));
                }
            }
        }
    }
}

#[cfg(feature = "bigdecimal")]
mod of_bigdecimal {
    use ::bigdecimal::BigDecimal;
    use ::bigdecimal::num_bigint::BigInt;

    use super::*;

    fn converted(text: &str) -> Result<Decimal, ConvertError> {
        BigDecimal::try_from(&decimal(text)).and_then(Decimal::try_from)
    }

    #[test]
    fn bigdecimal_keeps_digits_and_exponent_and_not_the_sign_of_a_zero() {
        #[rustfmt::skip]
        let texts = [
            "0", "0.00", "1", "1.0", "-12.50", "100", "1E+2", "1.50E+9", "0E+3", "1E-7", "1E+999999999999999999", "-1E-1999999999999999997",
            "0.1234567890123456789012345678901234567890",
        ];
        for text in texts {
            assert_eq!(converted(text), Ok(decimal(text)), "{text}");
        }
        assert_eq!((converted("-0"), converted("-0.00")), (Ok(Decimal::ZERO), Ok(decimal("0.00"))));
        assert_eq!(BigDecimal::try_from(decimal("12.50")).map(BigDecimal::into_bigint_and_scale), Ok((1250.into(), 2)));
        let long = "9".repeat(65_535);
        assert_eq!(converted(&long), Ok(decimal(&long)));
    }

    #[test]
    fn what_has_no_form_on_the_wire_is_no_decimal() {
        let long = BigInt::parse_bytes(&[b'9'; 65_536], 10).expect("a number");
        let longer = BigInt::from(1) << 100_000_000;
        let rows: [(BigInt, i64); 9] = [
            (1.into(), -1_000_000_000_000_000_000),
            (10.into(), -999_999_999_999_999_999),
            (1.into(), i64::MIN),
            (0.into(), i64::MIN),
            (1.into(), i64::MAX),
            (1.into(), 1_999_999_999_999_999_998),
            (long.clone(), 0),
            (-long / 10, 0),
            (longer, 0),
        ];
        for (coefficient, scale) in rows {
            let bits = coefficient.bits();
            let refused = Decimal::try_from(BigDecimal::new(coefficient, scale));
            assert_eq!(refused, Err(ConvertError::OutOfRange("Decimal")), "{bits} bits, scale {scale}");
        }
        for text in NOT_FINITE {
            assert_eq!(BigDecimal::try_from(decimal(text)), Err(ConvertError::NotA("a finite number")), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_bigdecimal_of_the_wire_comes_back(coefficient: i128, scale: i64) {
            let number = BigDecimal::new(coefficient.into(), scale);
            if let Ok(there) = Decimal::try_from(&number) {
                comes_back(&there)?;
                let back = BigDecimal::try_from(there).map(BigDecimal::into_bigint_and_scale);
                prop_assert_eq!(back, Ok(number.into_bigint_and_scale()));
            } else {
                prop_assert!(scale.unsigned_abs() > 900_000_000_000_000_000);
            }
        }

        #[test]
        fn bigdecimal_has_every_finite_decimal(decimal in decimals()) {
            let there = BigDecimal::try_from(&decimal);
            prop_assert_eq!(there.is_ok(), decimal.is_finite());
            let Ok(there) = there else { return Ok(()) };
            let back = Decimal::try_from(there);
            let unsigned = decimal.as_str().trim_start_matches('-');
            let expected = if decimal.is_zero() { unsigned } else { decimal.as_str() };
            prop_assert_eq!(back.map(|back| back.to_string()), Ok(expected.to_owned()));
        }
    }
}
