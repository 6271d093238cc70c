use super::*;

fn wires(items: &[&str]) -> Vec<WireValue> {
    items.iter().map(|item| WireValue(item.as_bytes().to_vec())).collect()
}

fn from_to(start: &str, end: &str) -> Rule {
    let wire = |text: &str| WireValue(text.as_bytes().to_vec());
    Rule::Range(Bound::Included(wire(start)), Bound::Excluded(wire(end)))
}

/// Both directions agree.
#[track_caller]
fn judge(value: &TypeSchema, rule: &Rule, holds: &[&str], breaks: &[&str]) {
    let plain = converter([("Row", vec![])]);
    let fields = [constrained("it", value.clone(), rule.clone())];
    for (wires, expected) in [(holds, true), (breaks, false)] {
        for wire in wires {
            let json = json!({ "it": to_json(&plain, value.clone(), wire).expect("JSON") });
            let read = plain.to_json(&fields, &it(wire));
            let written = plain.to_box(&fields, &json);
            assert_eq!((read.is_ok(), written.is_ok()), (expected, expected), "{value} {rule}: {wire:?}");
            if !expected {
                let kind = JsonErrorKind::Constraint { code: "code".to_owned(), words: "breaks it".to_owned() };
                let error = written.expect_err("it breaks the rule");
                assert_eq!((error.path(), error.kind(), error.to_string()), ("it", &kind, "it: breaks it".to_owned()));
                assert_eq!(read.expect_err("it breaks the rule"), error);
            }
        }
    }
}

#[test]
fn a_set_has_values_and_not_their_spellings() {
    let judge_set = |value: TypeSchema, items: &[&str], among: &[&str], others: &[&str]| {
        judge(&value, &Rule::InSet(wires(items)), among, others);
        judge(&value, &Rule::NotInSet(wires(items)), others, among);
    };
    judge_set(integer("i64"), &["1", "-2"], &["1", "+1", "01", "-2"], &["2", "0"]);
    judge_set(TypeSchema::Float, &["0.0", "nan", "inf"], &["0.0", "-0.0", "inf"], &["1.0", "nan", "-inf"]);
    judge_set(TypeSchema::Boolean, &["True"], &["True"], &["False"]);
    judge_set(TypeSchema::Unicode, &["a", ""], &["a", ""], &["A", "b"]);
    judge_set(TypeSchema::Bytes, &["a"], &["a"], &["b"]);
    judge_set(TypeSchema::Decimal, &["1.0"], &["1.0", "+1.0"], &["1", "1.00", "NaN"]);
    let here = "2012-01-23T12:34:56.054321+01:00";
    judge_set(
        TypeSchema::DateTime,
        &[here],
        &[here, "2012-01-23T11:34:56.054321-00:00"],
        &["2012-01-23T12:34:56.054321-00:00"],
    );
    judge_set(TypeSchema::Path, &["/a/b"], &["/a/b", "/a//b/"], &["/a"]);
    judge_set(list(integer("u8")), &["\0\x011"], &["\0\x011"], &["", "\0\x012", "\0\x011\0\x011"]);
    judge(&integer("u8"), &Rule::InSet(vec![]), &[], &["1"]);
}

#[test]
fn a_range_has_an_order_and_what_has_none_is_in_none() {
    judge(&integer("i64"), &from_to("-9", "10"), &["-9", "0", "9"], &["-10", "10", "100"]);
    let big = "9".repeat(100);
    judge(&integer("BigInt"), &from_to(&big, &format!("{big}9")), &[&big], &["1", &format!("{big}9")]);
    judge(&TypeSchema::Float, &from_to("0.0", "inf"), &["0.0", "-0.0", "1e+300"], &["-1.0", "inf", "nan"]);
    judge(&TypeSchema::Float, &Rule::Range(Bound::Unbounded, Bound::Unbounded), &["inf", "0.0"], &["nan"]);
    let over = Rule::Range(Bound::Excluded(WireValue(b"1".to_vec())), Bound::Included(WireValue(b"3".to_vec())));
    judge(&integer("u8"), &over, &["2", "3"], &["1", "4"]);
    judge(&TypeSchema::Decimal, &from_to("1.0", "1E+1"), &["1", "1.00", "9.99"], &["10", "0.9", "NaN"]);
    let year = from_to("2012-01-01T00:00:00.000000-00:00", "2013-01-01T00:00:00.000000-00:00");
    judge(&TypeSchema::DateTime, &year, &["2012-01-01T01:00:00.000000+01:00"], &["2012-01-01T00:00:00.000000+01:00"]);
    judge(&TypeSchema::Unicode, &from_to("b", "d"), &["b", "cc"], &["a", "d"]);
    judge(&TypeSchema::Boolean, &from_to("False", "True"), &["False"], &["True"]);
    judge(
        &list(integer("u8")),
        &from_to("\0\x012", "\0\x013"),
        &["\0\x012", "\0\x012\0\x010"],
        &["", "\0\x011", "\0\x013"],
    );
}

#[test]
fn a_length_is_of_characters_bytes_or_items() {
    let two = Rule::Length(Bound::Included(1), Bound::Included(2));
    judge(&TypeSchema::Unicode, &two, &["a", "éé"], &["", "abc"]);
    judge(&TypeSchema::Bytes, &two, &["a", "é"], &["", "éa"]);
    judge(&list(integer("u8")), &two, &["\0\x011"], &["", "\0\x011\0\x011\0\x011"]);
    judge(&TypeSchema::AmpList("Row".to_owned()), &two, &["\0\0", "\0\0\0\0"], &["", "\0\0\0\0\0\0"]);
    judge(&TypeSchema::Unicode, &Rule::LengthInBytes(Bound::Unbounded, Bound::Excluded(3)), &["", "é"], &["éa"]);
}

#[test]
fn each_item_is_held_against_the_rule() {
    let each = |rule| Rule::Each(Box::new(rule));
    judge(&list(integer("u8")), &each(from_to("1", "9")), &["", "\0\x011\0\x018"], &["\0\x011\0\x019"]);
    let twice = list(list(TypeSchema::Unicode));
    judge(&twice, &each(each(Rule::InSet(wires(&["a"])))), &["", "\0\0", "\0\x03\0\x01a"], &["\0\x06\0\x01a\0\x01b"]);
    judge(&TypeSchema::Bytes, &each(from_to("97", "100")), &["", "abc"], &["abcd"]);
}

#[cfg(feature = "regex")]
#[test]
fn a_pattern_matches_the_whole_text() {
    let pattern = || Rule::Pattern("[a-c]+|x".to_owned());
    judge(&TypeSchema::Unicode, &pattern(), &["abc", "x"], &["", "abcd", "ax", "x\n"]);
    judge(&TypeSchema::Unicode, &Rule::Pattern("[".to_owned()), &[], &["", "["]);
    // As a pattern of the schema, too, which is compiled once.
    let boxes =
        converter([("Row", vec![constrained("names", list(TypeSchema::Unicode), Rule::Each(Box::new(pattern())))])]);
    let row = TypeSchema::Box("Row".to_owned());
    assert!(to_wire(&boxes, row.clone(), json!({ "names": ["a", "x"] })).is_ok());
    assert_eq!(to_wire(&boxes, row, json!({ "names": ["a", "y"] })), Err("it.names: breaks it".to_owned()));
}

#[test]
fn what_only_rust_knows_is_left_to_the_ends() {
    let custom = TypeSchema::Custom("ours".to_owned());
    for rule in [
        Rule::Opaque,
        Rule::InSet(vec![]),
        Rule::InSet(wires(&["b"])),
        Rule::NotInSet(wires(&["a"])),
        from_to("b", "c"),
    ] {
        if rule != Rule::InSet(vec![]) {
            judge(&custom, &rule, &["a"], &[]);
        }
        judge(&integer("u8"), &Rule::Each(Box::new(rule)), &["1"], &[]);
    }
    let none = Rule::Length(Bound::Included(9), Bound::Unbounded);
    for value in [custom, integer("u8"), TypeSchema::Decimal] {
        judge(&value, &none, &["1"], &[]);
        judge(&value, &Rule::LengthInBytes(Bound::Included(9), Bound::Unbounded), &["1"], &[]);
        judge(&value, &Rule::Pattern("b".to_owned()), &["1"], &[]);
    }
    judge(&integer("u8"), &from_to("x", "y"), &["1"], &[]);
}
