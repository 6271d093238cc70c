use super::*;

#[test]
fn a_value_of_more_than_65535_bytes_is_named() {
    let most = "x".repeat(65_535);
    is(&TypeSchema::Unicode, &most, json!(most));
    let long = format!("{most}x");
    let error = "more than 65535 bytes on the wire";
    refuses(&TypeSchema::Unicode, json!(long), error);
    let texts = list(TypeSchema::Unicode);
    let said = |json| to_wire(&converter([]), texts.clone(), json).expect_err("too long");
    assert!(said(json!(["", long])).starts_with(&format!("it[1]: {error}")));
    assert!(said(json!([most])).starts_with(&format!("it: {error}")), "with its length it is longer");
    assert_eq!(to_wire(&converter([]), texts.clone(), json!([&most[2..]])).map(|wire| wire.len()), Ok(65_535));
    assert!(said(json!(vec![""; 32_768])).starts_with(&format!("it: {error}")));
    let row = || [("Row", vec![field("name", TypeSchema::Unicode)])];
    let rows = TypeSchema::AmpList("Row".to_owned());
    let error = to_wire(&converter(row()), rows, json!([{ "name": "" }, { "name": long }])).expect_err("too long");
    assert!(error.starts_with("it[1].name: more than 65535 bytes"), "{error}");
    let nested = to_wire(&converter(row()), TypeSchema::Box("Row".to_owned()), json!({ "name": most }));
    assert!(nested.expect_err("too long").starts_with("it: more than 65535 bytes"));
}

#[test]
fn a_box_of_more_than_its_limit_is_refused() {
    let limited = converter([]).limits(BoxLimits::new().bytes(20));
    assert_eq!(to_wire(&limited, TypeSchema::Unicode, json!("x".repeat(12))).map(|wire| wire.len()), Ok(12));
    let error =
        limited.to_box(&[field("it", TypeSchema::Unicode)], &json!({ "it": "x".repeat(13) })).expect_err("too long");
    assert_eq!((error.path(), error.kind()), ("", &JsonErrorKind::BoxTooLong { limit: 20 }));
}

#[test]
fn names_that_are_no_keys_are_refused() {
    let long = "k".repeat(256);
    for name in ["", "_ask", &long] {
        let error = converter([]).to_box(&[field(name, integer("u8"))], &json!({ name: 1 })).expect_err("no key");
        assert_eq!(error.kind(), &JsonErrorKind::Key, "{name}");
    }
    let longest = "k".repeat(255);
    assert!(converter([]).to_box(&[field(&longest, integer("u8"))], &json!({ &longest: 1 })).is_ok());
}

#[test]
fn what_nests_too_deep_is_refused_in_both_directions() {
    let own = || {
        [(
            "Own",
            vec![
                optional("own", TypeSchema::Box("Own".to_owned())),
                optional("all", TypeSchema::AmpList("Own".to_owned())),
            ],
        )]
    };
    let fields = own()[0].1.clone();
    for key in ["own", "all"] {
        let nested = |depth: u8| {
            (0..depth)
                .fold(json!({}), |inner, _| if key == "own" { json!({ key: inner }) } else { json!({ key: [inner] }) })
        };
        for nesting in [0, 1, 32, 255] {
            let limited = converter(own()).limits(BoxLimits::new().nesting(nesting).decoded_bytes(1 << 30));
            let deepest = limited.to_box(&fields, &nested(nesting)).expect("a box");
            assert_eq!(limited.to_json(&fields, &deepest), Ok(nested(nesting)));
            if nesting < 255 {
                let error = limited.to_box(&fields, &nested(nesting + 1)).expect_err("too deep");
                assert_eq!(error.kind(), &JsonErrorKind::TooDeep);
                assert_eq!(error.path().matches(key).count(), usize::from(nesting) + 1, "{error}");
                let deeper = converter(own())
                    .limits(BoxLimits::new().nesting(nesting + 1))
                    .to_box(&fields, &nested(nesting + 1));
                let error = limited.to_json(&fields, &deeper.expect("a box")).expect_err("too deep");
                assert_eq!(error.kind(), &JsonErrorKind::TooDeep);
            }
        }
    }
    let shallow = converter([]).limits(BoxLimits::new().nesting(1));
    let twice = list(list(TypeSchema::Boolean));
    assert_eq!(
        to_wire(&shallow, twice.clone(), json!([[]])),
        Ok(b"\0\0".to_vec()),
        "an empty list has no items that nest"
    );
    let error = Err("it[0][0]: nested too deep; see `BoxLimits::nesting`".to_owned());
    assert_eq!(to_wire(&shallow, twice.clone(), json!([[true]])), error);
    assert_eq!(to_json(&shallow, twice, "\0\x06\0\x04True"), error.map(|_| Json::Null));
}

#[test]
fn what_a_box_becomes_in_memory_is_bounded() {
    let all = || [("Empty", vec![]), ("Small", vec![field("k", TypeSchema::Bytes)])];
    let (empty, small) = (TypeSchema::AmpList("Empty".to_owned()), TypeSchema::AmpList("Small".to_owned()));
    let limits = BoxLimits::new().items(10).decoded_bytes(2_000);
    let limited = converter(all()).limits(limits);
    assert_eq!(to_json(&limited, empty.clone(), b"\0\0".repeat(10)), Ok(json!(vec![json!({}); 10])));
    let error = to_json(&limited, empty, b"\0\0".repeat(11)).expect_err("too many");
    assert_eq!(error, "it[10]: more than 10 items in the lists of one box; see `BoxLimits::items`");
    // Each takes memory, however little it is.
    let narrow = converter(all()).limits(limits.decoded_bytes(800));
    assert!(to_json(&narrow, TypeSchema::AmpList("Empty".to_owned()), b"\0\0").is_ok());
    let error = to_json(&narrow, TypeSchema::AmpList("Empty".to_owned()), b"\0\0".repeat(5)).expect_err("too much");
    assert!(error.starts_with("it[2]: its JSON takes more than 800 bytes"), "{error}");
    // A map of one pair takes a hundred times its bytes.
    let pair = b"\0\x01k\0\0\0\0";
    assert!(to_json(&limited, small.clone(), pair).is_ok());
    let error = to_json(&limited, small, pair.repeat(3)).expect_err("too much");
    assert!(
        error.starts_with("it[1].k: its JSON takes more than 2000 bytes; see `BoxLimits::decoded_bytes`"),
        "{error}"
    );
    let error = to_json(&limited, TypeSchema::Unicode, "x".repeat(2_000)).expect_err("too much");
    assert!(error.starts_with("it: its JSON takes more than 2000 bytes"), "{error}");
    // All lists of a box count together.
    let two = [field("a", list(TypeSchema::Unicode)), field("b", list(TypeSchema::Unicode))];
    let six = vec![0; 12];
    let both = AmpBox::new().with("a", six.clone()).expect("a box").with("b", six).expect("a box");
    assert_eq!(limited.to_json(&two, &both).expect_err("too many").path(), "b[4]");
}
