use super::*;

#[test]
fn an_integer_is_a_number_until_javascript_would_round_it_and_then_a_string() {
    let i128 = integer("i128");
    for (wire, json) in [
        ("0", json!(0)),
        ("-1", json!(-1)),
        ("9007199254740991", json!(9_007_199_254_740_991_i64)),
        ("-9007199254740991", json!(-9_007_199_254_740_991_i64)),
        ("9007199254740992", json!("9007199254740992")),
        ("-9007199254740992", json!("-9007199254740992")),
        ("18446744073709551616", json!("18446744073709551616")),
    ] {
        is(&i128, wire, json);
    }
    for (json, wire) in [
        (json!(u64::MAX), "18446744073709551615"),
        (json!(i64::MIN), "-9223372036854775808"),
        (json!("7"), "7"),
        (json!("-007"), "-7"),
        (json!("-0"), "0"),
    ] {
        reads(&i128, json, wire);
    }
    for json in [
        json!(1.0),
        json!(1e300),
        json!(true),
        json!(""),
        json!("-"),
        json!("+1"),
        json!(" 1"),
        json!("1_0"),
        json!("1.0"),
        json!([1]),
    ] {
        refuses(&i128, json, "not an integer");
    }
    assert_eq!(to_json(&converter([]), i128.clone(), " +1_000 "), Ok(json!(1000)), "as Python reads it");
    refuses_wire(&i128, b"one", "not an integer");
}

#[test]
fn an_integer_is_within_its_type_in_both_directions() {
    macro_rules! bounds {
        ($($type:ident)*) => {$(
            let name = stringify!($type);
            for number in [$type::MIN, 0, 1, $type::MAX].map(|number| number.to_string()) {
                let value = to_json(&converter([]), integer(name), &number).expect(name);
                assert_eq!(to_wire(&converter([]), integer(name), value), Ok(number.into_bytes()));
            }
            let below = if $type::MIN == 0 { "-1".to_owned() } else { $type::MIN.to_string().replace("8", "9") };
            for number in [format!("{}0", $type::MAX), below, "9".repeat(4300), format!("-{}", "9".repeat(50))] {
                refuses(&integer(name), json!(number), &format!("out of range for {name}"));
                refuses_wire(&integer(name), number.as_bytes(), &format!("out of range for {name}"));
            }
        )*};
    }
    bounds! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }
    for (name, within, beyond) in [("u8", "255", "256"), ("i8", "127", "128"), ("i8", "-128", "-129")] {
        is(&integer(name), within, json!(within.parse::<i64>().expect("a number")));
        refuses(&integer(name), json!(beyond), &format!("out of range for {name}"));
    }
    let most = "9".repeat(4300);
    is(&integer("BigInt"), &most, json!(most));
    is(&integer("i256"), &format!("-{most}"), json!(format!("-{most}")));
    refuses(&integer("BigInt"), json!(format!("1{most}")), "not an integer");
    refuses(&integer("u256"), json!("-1"), "out of range for u256");
    refuses(&integer("i0"), json!(1), "out of range for i0");
}

#[test]
fn a_float_is_a_number_and_a_string_where_json_has_no_number() {
    for (wire, json) in [
        ("1.0", json!(1.0)),
        ("-0.0", json!(-0.0)),
        ("5e-324", json!(5e-324)),
        ("1e+16", json!(1e16)),
        ("nan", json!("NaN")),
        ("inf", json!("Infinity")),
        ("-inf", json!("-Infinity")),
    ] {
        is(&TypeSchema::Float, wire, json);
    }
    for (json, wire) in [
        (json!(5), "5.0"),
        (json!("1.5"), "1.5"),
        (json!("-inf"), "-inf"),
        (json!("nan"), "nan"),
        (json!("1e400"), "inf"),
    ] {
        reads(&TypeSchema::Float, json, wire);
    }
    for json in [json!(true), json!("x"), json!(""), json!({})] {
        refuses(&TypeSchema::Float, json, "not a float");
    }
    refuses_wire(&TypeSchema::Float, b"x", "not a float");
}

#[test]
fn booleans_and_texts_are_json_s_own() {
    is(&TypeSchema::Boolean, "True", json!(true));
    is(&TypeSchema::Boolean, "False", json!(false));
    refuses(&TypeSchema::Boolean, json!("true"), "not `true` or `false`");
    refuses_wire(&TypeSchema::Boolean, b"true", "not `True` or `False`");
    is(&TypeSchema::Unicode, "", json!(""));
    is(&TypeSchema::Unicode, "a\0é\u{1f980}", json!("a\0é\u{1f980}"));
    refuses(&TypeSchema::Unicode, json!(1), "not a string");
    refuses_wire(&TypeSchema::Unicode, b"\xff", "not UTF-8 text");
}

#[test]
fn bytes_are_base64_or_text_with_escapes() {
    let custom = TypeSchema::Custom("ours".to_owned());
    for value in [TypeSchema::Bytes, custom] {
        is(&value, "", json!(""));
        is(&value, "f", json!("Zg=="));
        assert_eq!(to_json(&converter([]), value.clone(), b"\xfb\xff\xfe"), Ok(json!("+//+")));
        for json in [
            json!("Zg"),
            json!("Zg="),
            json!("Zh=="),
            json!("-__-"),
            json!("Zg==\n"),
            json!("é"),
            json!(1),
            json!([102]),
        ] {
            refuses(&value, json, "not bytes: a string in Base64");
        }
        let escaped = converter([]).bytes_as(BytesForm::Escaped);
        assert_eq!(to_json(&escaped, value.clone(), b"a\\\xff"), Ok(json!(r"a\\\xff")));
        assert_eq!(to_wire(&escaped, value.clone(), json!(r"a\\\xFF")), Ok(b"a\\\xff".to_vec()));
        assert!(
            to_wire(&escaped, value, json!(r"\a")).expect_err("no escape").starts_with("it: not bytes: a string with")
        );
    }
}

#[test]
fn decimals_times_and_paths_are_their_text() {
    for text in ["12.50", "1E+2", "-0", "NaN12", "-Infinity", "1E-1999999999999999997"] {
        is(&TypeSchema::Decimal, text, json!(text));
    }
    reads(&TypeSchema::Decimal, json!(" +1_0.5e3 "), "1.05E+4");
    reads(&TypeSchema::Decimal, json!(-7), "-7");
    reads(&TypeSchema::Decimal, json!(u64::MAX), "18446744073709551615");
    for json in [json!(1.5), json!("one"), json!(null), json!(true)] {
        let error = if json.is_null() { "missing" } else { "not a decimal in a string" };
        refuses(&TypeSchema::Decimal, json, error);
    }
    refuses_wire(&TypeSchema::Decimal, b"one", "not a decimal");
    is(&TypeSchema::Path, "/srv/ä/../x", json!("/srv/ä/../x"));
    for json in [json!("srv"), json!(""), json!("C")] {
        refuses(&TypeSchema::Path, json, "not an absolute path");
    }
    refuses(&TypeSchema::Path, json!(1), "not a path, in a string");
    assert_eq!(to_json(&converter([]), TypeSchema::Path, "srv"), Ok(json!("srv")), "it arrives as it is");
}

#[test]
fn a_time_is_read_in_every_form_of_rfc_3339() {
    for text in
        ["2012-01-23T12:34:56.054321-01:23", "1970-01-01T00:00:00.000000-00:00", "9999-12-31T23:59:59.999999+23:59"]
    {
        is(&TypeSchema::DateTime, text, json!(text));
    }
    for (text, wire) in [
        ("2012-01-23T12:34:56Z", "2012-01-23T12:34:56.000000-00:00"),
        ("2012-01-23t12:34:56.5z", "2012-01-23T12:34:56.500000-00:00"),
        ("2012-01-23 12:34:56.054+01:00", "2012-01-23T12:34:56.054000+01:00"),
        ("2012-01-23T12:34:56.0543219999Z", "2012-01-23T12:34:56.054321-00:00"),
        ("2012-01-23T12:34:56.05432100000Z", "2012-01-23T12:34:56.054321-00:00"),
        ("2012-01-23T12:34:56-00:00", "2012-01-23T12:34:56.000000-00:00"),
    ] {
        reads(&TypeSchema::DateTime, json!(text), wire);
    }
    for text in [
        "",
        "now",
        "2012-01-23",
        "2012-01-23T12:34:56",
        "2012-01-23T12:34Z",
        "2012-01-23T12:34:56.Z",
        "2012-01-23T12:34:56.-1Z",
        "2012-02-30T12:34:56Z",
        "2012-01-23T12:34:60Z",
        "0000-01-23T12:34:56Z",
        "12012-01-23T12:34:56Z",
        "2012-01-23T12:34:56+0100",
        "2012-01-23T12:34:56é+01:00",
        "2012-01-23T12:34:56.5+01:0é",
        "TZ",
    ] {
        refuses(&TypeSchema::DateTime, json!(text), "not a time in a string");
    }
    refuses(&TypeSchema::DateTime, json!(0), "not a time in a string");
    // Twisted reads such an offset, and nobody sends it.
    let odd = "2012-01-23T12:34:56.054321+25:00";
    assert_eq!(to_json(&converter([]), TypeSchema::DateTime, odd), Ok(json!(odd)));
    refuses(&TypeSchema::DateTime, json!(odd), "not a time with an offset of less than 24 hours");
}

#[test]
fn lists_and_nested_boxes_are_arrays_and_objects() {
    is(&list(integer("i8")), "", json!([]));
    is(&list(integer("i8")), "\0\x011\0\x02-2", json!([1, -2]));
    is(&list(list(TypeSchema::Boolean)), "\0\x06\0\x04True\0\0", json!([[true], []]));
    let rows =
        || [("Row", vec![field("name", TypeSchema::Unicode), optional("rows", TypeSchema::AmpList("Row".to_owned()))])];
    let (row, all) = (TypeSchema::Box("Row".to_owned()), TypeSchema::AmpList("Row".to_owned()));
    let one: &[u8] = b"\0\x04name\0\x01a\0\0";
    assert_eq!(to_json(&converter(rows()), row.clone(), one), Ok(json!({ "name": "a" })));
    assert_eq!(to_wire(&converter(rows()), row.clone(), json!({ "name": "a", "rows": null })), Ok(one.to_vec()));
    let two: &[u8] = b"\0\x04name\0\x01a\0\x04rows\0\x0b\0\x04name\0\x01b\0\0\0\0\0\x04name\0\x01c\0\0";
    let json = json!([{ "name": "a", "rows": [{ "name": "b" }] }, { "name": "c" }]);
    assert_eq!(to_json(&converter(rows()), all.clone(), two), Ok(json.clone()));
    assert_eq!(to_wire(&converter(rows()), all.clone(), json), Ok(two.to_vec()));
    // The last of two equal keys counts.
    assert_eq!(
        to_json(&converter(rows()), row.clone(), b"\0\x04name\0\x01a\0\x04name\0\x01b\0\0"),
        Ok(json!({ "name": "b" }))
    );
    for (value, wire, error) in [
        (&row, &b""[..], "it: cut short"),
        (&row, b"\0\x04name", "it: cut short"),
        (&row, two, "it: not a single box"),
        (&all, b"\0\x04name\0\x01a\0\0\0", "it[1]: cut short"),
        (&all, b"\0\0", "it[0].name: missing"),
        (&list(TypeSchema::Boolean), b"\0\x04True\0\x05Fal", "it[1]: cut short"),
        (&list(TypeSchema::Boolean), b"\0\x04True\0\x01F", "it[1]: not `True` or `False`"),
    ] {
        assert_eq!(to_json(&converter(rows()), value.clone(), wire), Err(error.to_owned()));
    }
    for (value, json, error) in [
        (&row, json!([]), "it: not an object"),
        (&row, json!({}), "it.name: missing"),
        (&row, json!({ "name": null }), "it.name: missing"),
        (&all, json!({}), "it: not an array"),
        (&all, json!([{ "name": "a", "rows": [{ "name": "b" }, { "name": 1 }] }]), "it[0].rows[1].name: not a string"),
        (&all, json!([null]), "it[0]: not an object"),
        (&list(list(integer("u8"))), json!([[], [1, 256]]), "it[1][1]: out of range for u8"),
    ] {
        assert_eq!(to_wire(&converter(rows()), value.clone(), json), Err(error.to_owned()));
    }
    let lost = TypeSchema::AmpList("Lost".to_owned());
    assert_eq!(
        to_wire(&converter([]), lost.clone(), json!([{}])),
        Err("it[0]: the schema has no box `Lost`".to_owned())
    );
    assert_eq!(to_json(&converter([]), lost, "\0\0"), Err("it[0]: the schema has no box `Lost`".to_owned()));
}

#[test]
fn an_optional_key_is_absent_or_null_and_no_other_may_be() {
    let fields = [optional("a", integer("u8")), field("b", integer("u8"))];
    for json in [json!({ "b": 1 }), json!({ "a": null, "b": 1 })] {
        let written = converter([]).to_box(&fields, &json).expect("a box");
        assert_eq!(written, AmpBox::new().with("b", "1").expect("a box"));
        assert_eq!(converter([]).to_json(&fields, &written), Ok(json!({ "b": 1 })));
    }
    for json in [json!({}), json!({ "a": 1 }), json!({ "b": null })] {
        assert_eq!(converter([]).to_box(&fields, &json).expect_err("no box").to_string(), "b: missing");
    }
    let error = converter([]).to_json(&fields, &AmpBox::new()).expect_err("no JSON");
    assert_eq!(
        (error.path(), error.kind(), error.to_string()),
        ("b", &JsonErrorKind::Missing, "b: missing".to_owned())
    );
    assert_eq!(converter([]).to_box(&fields, &json!(1)).expect_err("no box").to_string(), "not an object");
    assert_eq!(converter([]).to_box(&[], &json!({})), Ok(AmpBox::new()));
}

#[test]
fn unknown_keys_are_named_with_those_that_there_are() {
    let row = || [("Row", vec![field("name", TypeSchema::Unicode)])];
    let fields = [optional("row", TypeSchema::Box("Row".to_owned())), optional("x", integer("u8"))];
    let error = |json| converter(row()).to_box(&fields, &json).expect_err("no box").to_string();
    assert_eq!(error(json!({ "colour": 1, "siz\n": 2 })), r"no such field: `colour`, `siz\n`; there are `row`, `x`");
    assert_eq!(error(json!({ "row": { "name": "", "nam": "" } })), "row: no such field: `nam`; there are `name`");
    let many: Json =
        (0..100).map(|number| (number.to_string(), json!(number))).collect::<serde_json::Map<_, _>>().into();
    let many = converter(row()).to_box(&[], &many).expect_err("no box");
    assert!(matches!(many.kind(), JsonErrorKind::UnknownKeys { keys, .. } if keys.len() == JsonError::MAX_KEYS));
    assert!(many.to_string().ends_with("`; there are none"));

    let newer = AmpBox::new().with("x", "1").expect("a box").with(&b"\xff"[..], "").expect("a box");
    let error = converter(row()).to_json(&fields, &newer).expect_err("no JSON");
    assert_eq!(error.to_string(), r"no such field: `\xff`; there are `row`, `x`");
    let nested = AmpBox::new().with("row", &b"\0\x04name\0\0\0\x01z\0\0\0\0"[..]).expect("a box");
    let error = converter(row()).to_json(&fields, &nested).expect_err("no JSON");
    assert_eq!(error.to_string(), "row: no such field: `z`; there are `name`");
    let lenient = converter(row()).ignore_unknown_keys();
    assert_eq!(lenient.to_json(&fields, &newer), Ok(json!({ "x": 1 })));
    assert_eq!(lenient.to_json(&fields, &nested), Ok(json!({ "row": { "name": "" } })));
    assert!(lenient.to_box(&fields, &json!({ "z": 1 })).is_err(), "a person has mistyped");
}
