use super::*;

#[test]
fn rule_43_floats_are_written_as_python_writes_them() {
    writes([
        (0.0_f64, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (5.0, "5.0"),
        (0.1, "0.1"),
        (-1.5, "-1.5"),
        (5.123, "5.123"),
        (123_456.789, "123456.789"),
        (100.0, "100.0"),
        (1_000_000_000_000_000.0, "1000000000000000.0"),
        (9_007_199_254_740_993.0, "9007199254740992.0"),
        (1e16, "1e+16"),
        (1.2345e16, "1.2345e+16"),
        (0.0001, "0.0001"),
        (0.000_123, "0.000123"),
        (1e-5, "1e-05"),
        (-1e-5, "-1e-05"),
        (1e22, "1e+22"),
        (1e100, "1e+100"),
        (1e-9, "1e-09"),
        (1e-10, "1e-10"),
        (-1.5e-11, "-1.5e-11"),
        (1.5e-7, "1.5e-07"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
        (-f64::NAN, "nan"),
    ]);
    writes([(0.1_f32, "0.1"), (16_777_216.0, "16777216.0"), (1e-45, "1e-45"), (f32::MAX, "3.4028235e+38")]);
}

#[test]
fn rule_44_every_spelling_that_python_reads_is_a_float() {
    accepts::<f64>([
        ("1", 1.0),
        ("1.", 1.0),
        (".5", 0.5),
        ("-.5e3", -500.0),
        ("1e5", 1e5),
        ("1E5", 1e5),
        ("1e+16", 1e16),
        (" 1.5\n", 1.5),
        ("\x0b1.5\x0c", 1.5),
        ("1_0.5", 10.5),
        ("1e1_0", 1e10),
        ("-0", -0.0),
        ("1e400", f64::INFINITY),
        ("-1e400", f64::NEG_INFINITY),
        ("1e-400", 0.0),
        ("inf", f64::INFINITY),
        ("Inf", f64::INFINITY),
        ("INF", f64::INFINITY),
        ("infinity", f64::INFINITY),
        ("-Infinity", f64::NEG_INFINITY),
        ("+inf", f64::INFINITY),
    ]);
    assert!(decoded::<f64>(b"-0").is_ok_and(f64::is_sign_negative));
    for text in ["nan", "NaN", "-nan", "+NAN", " nan "] {
        assert!(decoded::<f64>(text.as_bytes()).is_ok_and(f64::is_nan), "{text}");
        assert!(decoded::<f32>(text.as_bytes()).is_ok_and(f32::is_nan), "{text}");
    }
}

#[test]
fn rule_44_what_python_does_not_read_is_no_float() {
    let rows: &[&[u8]] = &[
        b"",
        b" ",
        b"0x1p3",
        b"1,5",
        b"nan(1)",
        b"1e",
        b"1e+",
        b"1.5\0",
        b"_1",
        b"1_",
        b"1__0",
        b"1_.5",
        b"1._5",
        b"1_e5",
        b".",
        b"e5",
        b"- 1",
        b"--1",
        b"i nf",
        b"in_f",
        b"infinit",
        b"True",
        b"\x1c1",
        b"\xa01",
        "\u{661}".as_bytes(),
        "\u{661}.5".as_bytes(),
    ];
    rejects::<f64>("a float", rows);
    rejects::<f32>("a float", rows);
}

#[test]
fn a_number_that_is_finite_for_python_never_becomes_infinite_in_a_narrower_type() {
    accepts::<f32>([
        ("3.4028235e+38", f32::MAX),
        // What would be rounded up to 2 to the 128th begins behind it.
        ("3.4028235677973366e+38", f32::MAX),
        ("-3.4028235677973366e+38", f32::MIN),
        ("1e-50", 0.0),
        ("inf", f32::INFINITY),
        ("-Infinity", f32::NEG_INFINITY),
        // Python itself reads an infinity.
        ("1e400", f32::INFINITY),
        ("-1e400", f32::NEG_INFINITY),
    ]);
    for text in ["1e39", " -1e39\n", "3.4028235677973367e+38", "1.7976931348623157e+308", "1_0e3_9", "1e308"] {
        assert_eq!(decoded::<f32>(text.as_bytes()), Err(DecodeErrorKind::OutOfRange("f32")), "{text}");
        assert!(decoded::<f64>(text.as_bytes()).is_ok_and(f64::is_finite), "{text}");
    }
}
