//! Values that are no single type of AMP.

use super::*;
use crate::schema::{EnumSchema, Numbering, VariantSchema};

fn text(name: &str) -> TypeSchema {
    TypeSchema::Text(name.to_owned())
}

fn big(value: TypeSchema, maximum: usize, numbering: Numbering) -> TypeSchema {
    TypeSchema::Big { value: Box::new(value), maximum, numbering }
}

/// A converter that knows two enums: `Code`, a text, and `Shape`, a box.
fn enums(other: bool) -> Converter {
    let variant = |code: &str, fields| VariantSchema { code: code.to_owned(), doc: String::new(), fields };
    let radius = vec![optional("r", integer("u8"))];
    let mut schema = Schema::default();
    let codes = vec![variant("on", Vec::new()), variant("off", Vec::new())];
    schema.enums.insert("Code".to_owned(), EnumSchema { tag: None, other, variants: codes });
    let shapes = vec![variant("dot", Vec::new()), variant("disk", radius)];
    schema.enums.insert("Shape".to_owned(), EnumSchema { tag: Some("type".to_owned()), other, variants: shapes });
    Converter::new(schema)
}

/// A converter that knows the entries of a map.
fn map(key: TypeSchema, value: FieldSchema) -> Converter {
    converter([("Entry", vec![field("key", key), FieldSchema { name: "value".to_owned(), ..value }])])
}

fn entries() -> TypeSchema {
    TypeSchema::Map("Entry".to_owned())
}

#[test]
fn texts_of_types_that_are_known_are_read_and_others_stay_as_they_are() {
    is(&text("char"), "é", json!("é"));
    refuses(&text("char"), json!("ab"), "not exactly one character");
    refuses_wire(&text("char"), b"", "not exactly one character");
    is(&text("IpAddr"), "::1", json!("::1"));
    reads(&text("IpAddr"), json!("0:0::1"), "::1");
    refuses(&text("Ipv4Addr"), json!("::1"), "not an IPv4 address");
    is(&text("SocketAddr"), "[::1]:80", json!("[::1]:80"));
    is(&text("ours::Version"), "1.0", json!("1.0"));
    refuses(&text("ours::Version"), json!(1), "not a string");
    refuses_wire(&text("ours::Version"), b"\xff", "not UTF-8 text");
}

#[test]
fn zero_is_no_value_of_what_is_not_zero() {
    let value = integer("NonZero<i8>");
    is(&value, "-1", json!(-1));
    refuses(&value, json!(0), "not an integer other than 0");
    refuses(&value, json!(128), "out of range for NonZero<i8>");
    refuses_wire(&value, b"-0", "not an integer other than 0");
}

#[test]
fn a_duration_is_its_seconds_within_its_bounds() {
    is(&TypeSchema::Duration, "1.5", json!(1.5));
    reads(&TypeSchema::Duration, json!(2), "2.0");
    for json in [json!(-1), json!("NaN")] {
        refuses(&TypeSchema::Duration, json, "not a duration");
    }
    for json in [json!("Infinity"), json!(1e20)] {
        refuses(&TypeSchema::Duration, json, "out of range for Duration");
    }
    refuses_wire(&TypeSchema::Duration, b"inf", "out of range for Duration");
}

#[test]
fn the_octets_of_an_address_are_its_text() {
    let octets = |name: &str| TypeSchema::Octets(name.to_owned());
    is(&octets("IpAddr"), "abcd", json!("97.98.99.100"));
    is(&octets("Ipv4Addr"), "abcd", json!("97.98.99.100"));
    is(&octets("Ipv6Addr"), "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01", json!("::1"));
    refuses(&octets("Ipv6Addr"), json!("1.2.3.4"), "not an IPv6 address, in a string");
    refuses(&octets("Ipv4Addr"), json!("::1"), "not an IPv4 address, in a string");
    refuses(&octets("IpAddr"), json!("localhost"), "not an IP address, in a string");
    refuses_wire(&octets("IpAddr"), b"abc", "not the 4 or 16 bytes of an IP address");
    refuses_wire(&octets("Ipv6Addr"), b"abcd", "not the 16 bytes of an IPv6 address");
}

#[test]
fn json_within_json_is_itself_and_null_is_a_value_of_it() {
    let it = json!({ "é": [1, null, "x", 1.5] });
    is(&TypeSchema::Json, r#"{"é":[1,null,"x",1.5]}"#, it.clone());
    is(&TypeSchema::AsciiJson, r#"{"\u00e9":[1,null,"x",1.5]}"#, it);
    is(&TypeSchema::AsciiJson, r#""\ud83e\udd80\u007f""#, json!("\u{1f980}\u{7f}"));
    is(&TypeSchema::Json, "null", json!(null));
    assert_eq!(to_json(&converter([]), TypeSchema::Json, " [ 1 ] "), Ok(json!([1])));
    for wire in [&b""[..], b"{", b"NaN", b"1 2", b"\"\xff\""] {
        refuses_wire(&TypeSchema::Json, wire, "not JSON text that nests up to 127 levels deep");
    }
    // An optional one says both `null` and nothing.
    let fields = [optional("it", TypeSchema::Json)];
    for json in [json!({}), json!({ "it": null })] {
        let written = converter([]).to_box(&fields, &json).expect("a box");
        assert_eq!(converter([]).to_json(&fields, &written), Ok(json));
    }
    let deep = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let wire = to_wire(&converter([]), TypeSchema::Json, deep(127)).expect("it is read");
    assert_eq!(to_json(&converter([]), TypeSchema::Json, wire), Ok(deep(127)));
    refuses(&TypeSchema::Json, deep(128), "not JSON that nests up to 127 levels deep");
    refuses_wire(&TypeSchema::Json, deep(128).to_string().as_bytes(), "not JSON text that nests up to 127 levels deep");
}

#[test]
fn json_text_is_charged_before_it_takes_memory() {
    let limited = converter([]).limits(BoxLimits::new().decoded_bytes(10_000));
    for text in [
        format!("[{}0]", "0,".repeat(200)),
        format!("{}{}", "[".repeat(100), "]".repeat(100)),
        format!("[{}{{}}]", "{\"a\":1},".repeat(20)),
        format!("\"{}\"", "x".repeat(10_000)),
    ] {
        let error = to_json(&limited, TypeSchema::Json, text).expect_err("too much");
        assert!(error.starts_with("it: its JSON takes more than 10000 bytes"), "{error}");
    }
    assert!(to_json(&limited, TypeSchema::Json, format!("\"{}\\\"\"", ",[{".repeat(1_000))).is_ok(), "a string");
}

#[cfg(feature = "zlib")]
#[test]
fn a_compressed_value_is_what_it_holds() {
    let zlib = |inner, most| TypeSchema::Zlib(Box::new(inner), most);
    let json = json!(["x".repeat(100_000)]);
    let wire = to_wire(&converter([]), zlib(TypeSchema::Json, 1 << 20), json.clone()).expect("a value");
    assert!(wire.len() < 1_000);
    assert_eq!(to_json(&converter([]), zlib(TypeSchema::Json, 1 << 20), wire.clone()), Ok(json.clone()));
    let error = Err("it: more than 100 bytes, its declared maximum".to_owned());
    assert_eq!(to_json(&converter([]), zlib(TypeSchema::Json, 100), wire.clone()), error);
    assert_eq!(to_wire(&converter([]), zlib(TypeSchema::Json, 100), json).map(|_| Json::Null), error);
    let limited = converter([]).limits(BoxLimits::new().decoded_bytes(50_000));
    let error = to_json(&limited, zlib(TypeSchema::Json, 1 << 20), wire).expect_err("too much");
    assert!(error.starts_with("it: its JSON takes more than 50000 bytes"), "{error}");
    refuses_wire(&zlib(TypeSchema::Unicode, 100), b"x", "cut short");
    refuses_wire(&zlib(TypeSchema::Unicode, 100), b"plain", "not compressed with zlib");
    // Its rules are those of what it holds.
    let short = Rule::Length(Bound::Unbounded, Bound::Included(2));
    let fields = [constrained("it", zlib(TypeSchema::Unicode, 100), short)];
    let wire = converter([]).to_box(&fields, &json!({ "it": "ab" })).expect("a box");
    assert_eq!(converter([]).to_json(&fields, &wire), Ok(json!({ "it": "ab" })));
    let error = converter([]).to_box(&fields, &json!({ "it": "abc" })).expect_err("too long");
    assert_eq!(error.to_string(), "it: breaks it");
}

#[test]
fn an_array_has_exactly_so_many_items() {
    let two = TypeSchema::Array(Box::new(list(integer("u8"))), 2);
    is(&two, "\0\x011\0\x012", json!([1, 2]));
    refuses(&two, json!([1]), "1 items where 2 are expected");
    refuses(&two, json!("ab"), "not an array");
    refuses_wire(&two, b"\0\x011\0\x012\0\x013", "3 items where 2 are expected");
    let bytes = TypeSchema::Array(Box::new(TypeSchema::Bytes), 2);
    is(&bytes, "ab", json!("YWI="));
    refuses(&bytes, json!("YQ=="), "1 bytes where 2 are expected");
    refuses_wire(&bytes, b"abc", "3 bytes where 2 are expected");
}

#[test]
fn a_map_is_an_object_whose_keys_are_texts() {
    let by_text = map(TypeSchema::Unicode, field("", integer("u8")));
    let wire: &[u8] = b"\0\x03key\0\x01a\0\x05value\0\x011\0\0\0\x03key\0\x01b\0\x05value\0\x012\0\0";
    let json = json!({ "a": 1, "b": 2 });
    assert_eq!(to_json(&by_text, entries(), wire), Ok(json.clone()));
    assert_eq!(to_wire(&by_text, entries(), json), Ok(wire.to_vec()));
    assert_eq!(to_wire(&by_text, entries(), json!({ "a": 256 })), Err("it.a: out of range for u8".to_owned()));
    let twice = [&wire[..wire.len() / 2], wire].concat();
    assert_eq!(to_json(&by_text, entries(), twice), Err("it[1].key: a key that came before".to_owned()));
    let more = b"\0\x03key\0\x01a\0\x05value\0\x011\0\x01z\0\0\0\0";
    let error = to_json(&by_text, entries(), more).expect_err("another key");
    assert_eq!(error, "it[0]: no such field: `z`; there are `key`, `value`");

    let by_number = map(integer("i8"), optional("", list(TypeSchema::Unicode)));
    let json = json!({ "-1": [], "2": null });
    let wire = to_wire(&by_number, entries(), json.clone()).expect("a value");
    assert_eq!(to_json(&by_number, entries(), wire), Ok(json));
    assert_eq!(to_wire(&by_number, entries(), json!({ "x": [] })), Err("it.x: not an integer".to_owned()));
    let error = to_wire(&by_number, entries(), json!({ "1": [], "01": [] })).expect_err("one key");
    assert!(error.ends_with(": a key that came before"), "{error}");
}

#[test]
fn a_map_is_a_list_of_entries_where_an_object_does_not_say_it() {
    let by_list = map(list(integer("u8")), field("", integer("u8")));
    let json = json!([{ "key": [1], "value": 1 }, { "key": [], "value": 2 }]);
    let wire = to_wire(&by_list, entries(), json.clone()).expect("a value");
    assert_eq!(to_json(&by_list, entries(), wire.clone()), Ok(json));
    let twice = json!([{ "key": [1], "value": 1 }, { "key": ["1"], "value": 2 }]);
    assert_eq!(to_wire(&by_list, entries(), twice), Err("it[1].key: a key that came before".to_owned()));
    assert_eq!(to_json(&by_list, entries(), wire.repeat(2)), Err("it[2].key: a key that came before".to_owned()));
    // In an object `null` would be both.
    let of_json = map(TypeSchema::Unicode, optional("", TypeSchema::Json));
    let json = json!([{ "key": "a", "value": null }, { "key": "b" }]);
    let wire = to_wire(&of_json, entries(), json.clone()).expect("a value");
    assert_eq!(to_json(&of_json, entries(), wire), Ok(json));
}

#[test]
fn a_code_is_one_that_there_is() {
    let code = || TypeSchema::Enum("Code".to_owned());
    assert_eq!(to_json(&enums(false), code(), "on"), Ok(json!("on")));
    assert_eq!(to_wire(&enums(false), code(), json!("off")), Ok(b"off".to_vec()));
    let error = Err("it: not one of `on`, `off`".to_owned());
    assert_eq!(to_wire(&enums(false), code(), json!("On")), error);
    assert_eq!(to_json(&enums(false), code(), "On"), error.map(|_| Json::Null));
    assert_eq!(to_json(&enums(true), code(), "On"), Ok(json!("On")));
    assert_eq!(to_wire(&enums(true), code(), json!("On")), Ok(b"On".to_vec()));
    let none = Err("it: the schema has no enum `Code` of this kind".to_owned());
    assert_eq!(to_json(&converter([]), code(), "on"), none);
}

#[test]
fn a_variant_is_an_object_with_its_code_and_its_fields() {
    let shape = || TypeSchema::Tagged("Shape".to_owned());
    let all = || TypeSchema::TaggedList("Shape".to_owned());
    let disk: &[u8] = b"\0\x01r\0\x012\0\x04type\0\x04disk\0\0";
    let json = json!({ "type": "disk", "r": 2 });
    assert_eq!(to_json(&enums(false), shape(), disk), Ok(json.clone()));
    assert_eq!(to_wire(&enums(false), shape(), json.clone()), Ok(disk.to_vec()));
    let list = json!([json, { "type": "dot" }]);
    let wire = to_wire(&enums(false), all(), list.clone()).expect("a value");
    assert_eq!(to_json(&enums(false), all(), wire), Ok(list));
    for (json, error) in [
        (json!("dot"), "it: not an object"),
        (json!({}), "it.type: missing"),
        (json!({ "type": 1 }), "it.type: not a string"),
        (json!({ "type": "box" }), "it.type: not one of `dot`, `disk`"),
        (json!({ "type": "dot", "r": 1 }), "it: no such field: `r`; there are none"),
        (json!({ "type": "disk", "r": -1 }), "it.r: out of range for u8"),
    ] {
        assert_eq!(to_wire(&enums(false), shape(), json), Err(error.to_owned()));
    }
    assert_eq!(to_json(&enums(false), shape(), "\0\0"), Err("it.type: missing".to_owned()));
    let newer = b"\0\x01w\0\x019\0\x04type\0\x03box\0\0";
    assert_eq!(to_json(&enums(false), shape(), newer), Err("it.type: not one of `dot`, `disk`".to_owned()));
    assert_eq!(to_json(&enums(true), shape(), newer), Err("it: no such field: `w`; there are none".to_owned()));
    let lenient = enums(true).ignore_unknown_keys();
    assert_eq!(to_json(&lenient, shape(), newer), Ok(json!({ "type": "box" })));
}

#[test]
fn a_big_value_is_in_as_many_keys_as_it_needs() {
    for (numbering, keys) in
        [(Numbering::FromTwo, ["it", "it.2", "it.3"]), (Numbering::FromZero, ["it.0", "it.1", "it.2"])]
    {
        let fields = [field("it", big(TypeSchema::Unicode, 150_000, numbering))];
        let json = json!({ "it": "x".repeat(140_000) });
        let written = converter([]).to_box(&fields, &json).expect("a box");
        let lengths = keys.map(|key| written.value(key).map(bytes::Bytes::len));
        assert_eq!((lengths, written.len()), ([Some(65_535), Some(65_535), Some(8_930)], 3));
        assert_eq!(converter([]).to_json(&fields, &written), Ok(json));
        let mut cut = written.clone();
        cut.remove(keys[1]);
        let error = converter([]).to_json(&fields, &cut).expect_err("a part is missing");
        assert_eq!(error.to_string(), format!("it: its part `{}` is missing, and later ones are there", keys[1]));
        let error = converter([]).to_box(&fields, &json!({ "it": "x".repeat(150_001) })).expect_err("too long");
        assert_eq!(error.to_string(), "it: more than 150000 bytes, its declared maximum");
        let smaller = [field("it", big(TypeSchema::Unicode, 139_999, numbering))];
        let error = converter([]).to_json(&smaller, &written).expect_err("too long");
        assert_eq!(error.to_string(), "it: more than 139999 bytes, its declared maximum");
        // Such keys are others.
        let others = [field("it", big(TypeSchema::Unicode, 10, numbering))];
        for key in ["it.02", "it.+2", "it.x", "it."] {
            let newer = AmpBox::new().with(keys[0], "a").expect("a box").with(key, "b").expect("a box");
            let error = converter([]).to_json(&others, &newer).expect_err("another key");
            assert!(matches!(error.kind(), JsonErrorKind::UnknownKeys { .. }), "{error}");
            assert_eq!(converter([]).ignore_unknown_keys().to_json(&others, &newer), Ok(json!({ "it": "a" })));
        }
    }
    // A list as a whole may be longer than a value.
    let fields = [field("it", big(list(TypeSchema::Unicode), 150_000, Numbering::FromTwo))];
    let json = json!({ "it": ["x".repeat(60_000), "y".repeat(60_000)] });
    let written = converter([]).to_box(&fields, &json).expect("a box");
    assert_eq!(converter([]).to_json(&fields, &written), Ok(json));
}

#[test]
fn a_big_value_that_is_numbered_from_zero_and_absent_is_empty() {
    let fields = [optional("it", big(list(integer("u8")), 100, Numbering::FromZero))];
    for json in [json!({}), json!({ "it": null }), json!({ "it": [] })] {
        assert_eq!(converter([]).to_box(&fields, &json), Ok(AmpBox::new()));
    }
    assert_eq!(converter([]).to_json(&fields, &AmpBox::new()), Ok(json!({ "it": [] })));
    // What has no empty value is absent, or missing.
    let fields = [optional("it", big(integer("u8"), 100, Numbering::FromZero))];
    assert_eq!(converter([]).to_json(&fields, &AmpBox::new()), Ok(json!({})));
    let fields = [optional("it", big(text("char"), 100, Numbering::FromZero))];
    assert_eq!(converter([]).to_json(&fields, &AmpBox::new()).expect_err("no value").to_string(), "it: missing");
    assert_eq!(converter([]).to_box(&fields, &json!({})).expect_err("no value").to_string(), "it: missing");
}

#[test]
fn an_absent_field_is_its_default_which_is_always_written() {
    let default = Some(WireValue(b"7".to_vec()));
    let fields = [FieldSchema { default, ..optional("it", integer("u8")) }];
    let seven = it("7");
    for json in [json!({}), json!({ "it": null }), json!({ "it": 7 })] {
        assert_eq!(converter([]).to_box(&fields, &json), Ok(seven.clone()));
    }
    assert_eq!(converter([]).to_json(&fields, &AmpBox::new()), Ok(json!({ "it": 7 })));
    assert_eq!(converter([]).to_json(&fields, &it("8")), Ok(json!({ "it": 8 })));
}

#[test]
fn a_field_is_read_under_each_of_its_names_and_written_under_its_own() {
    let fields = [FieldSchema { aliases: vec!["old".to_owned()], ..field("it", integer("u8")) }];
    let old = AmpBox::new().with("old", "1").expect("a box");
    assert_eq!(converter([]).to_json(&fields, &old), Ok(json!({ "it": 1 })));
    assert_eq!(converter([]).to_box(&fields, &json!({ "old": 1 })), Ok(it("1")));
    assert_eq!(converter([]).to_box(&fields, &json!({ "old": 1, "it": null })), Ok(it("1")));
    let error = "it: given twice, as `it` and as `old`";
    let both = old.with("it", "1").expect("a box");
    assert_eq!(converter([]).to_json(&fields, &both).expect_err("twice").to_string(), error);
    let both = json!({ "old": 1, "it": 1 });
    assert_eq!(converter([]).to_box(&fields, &both).expect_err("twice").to_string(), error);
    let value = big(TypeSchema::Unicode, 200_000, Numbering::FromZero);
    let fields = [FieldSchema { aliases: vec!["old".to_owned()], ..field("it", value) }];
    let old = AmpBox::new().with("old.0", "a").expect("a box").with("old.1", "b").expect("a box");
    assert_eq!(converter([]).to_json(&fields, &old), Ok(json!({ "it": "ab" })));
    // A first part that is lost makes no empty value.
    for (name, given) in [("old", "old.1"), ("it", "it.1")] {
        let lost = AmpBox::new().with(given, "b").expect("a box");
        let error = converter([]).to_json(&fields, &lost).expect_err("a part is missing").to_string();
        assert_eq!(error, format!("it: its part `{name}.0` is missing, and later ones are there"));
    }
}

#[test]
fn rules_hold_for_these_values_as_far_as_they_are_known() {
    let is_within = |value: TypeSchema, rule: Rule, json: Json| {
        let fields = [constrained("it", value, rule)];
        enums(false).to_box(&fields, &json!({ "it": json })).is_ok()
    };
    let set = |items: &[&str]| Rule::InSet(items.iter().map(|item| WireValue(item.as_bytes().to_vec())).collect());
    assert!(is_within(text("IpAddr"), set(&["::1"]), json!("0::1")));
    assert!(!is_within(text("IpAddr"), set(&["::1"]), json!("::2")));
    assert!(is_within(text("ours::Version"), set(&["1"]), json!("01")), "it may be equal");
    assert!(!is_within(TypeSchema::Enum("Code".to_owned()), set(&["on"]), json!("off")));
    let wire = |text: &str| WireValue(text.as_bytes().to_vec());
    let range = |start: &str| Rule::Range(Bound::Included(wire(start)), Bound::Unbounded);
    assert!(!is_within(TypeSchema::Duration, range("1.0"), json!(0.5)));
    assert!(is_within(TypeSchema::Duration, range("1.0"), json!(1)));
    assert!(!is_within(text("IpAddr"), range("10.0.0.0"), json!("9.0.0.0")));
    assert!(!is_within(TypeSchema::Octets("IpAddr".to_owned()), range("abcd"), json!("9.0.0.0")));
    let array = TypeSchema::Array(Box::new(list(integer("u8"))), 1);
    assert!(!is_within(array, Rule::Each(Box::new(range("5"))), json!([4])));
    let one = Rule::Length(Bound::Unbounded, Bound::Included(1));
    let fields = [constrained("it", entries(), one)];
    let by_text = map(TypeSchema::Unicode, field("", integer("u8")));
    assert!(by_text.to_box(&fields, &json!({ "it": { "a": 1 } })).is_ok());
    assert!(by_text.to_box(&fields, &json!({ "it": { "a": 1, "b": 2 } })).is_err());
}
