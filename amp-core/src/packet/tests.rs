//! What a box is for, and the bytes of asks, answers and errors.

use ::bytes::BytesMut;
use proptest::prelude::*;

use super::*;
use crate::sample_commands::{Fault, Holder, Item, Sum};
use crate::wire::{BoxDecoder, END, put_pair};

fn raw(bytes: &[u8]) -> RawBox {
    let mut decoder = BoxDecoder::with_leftover(BoxLimits::DEFAULT, BytesMut::from(bytes));
    decoder.next_box().expect("a box").expect("a whole box")
}

fn raw_of(pairs: &[(&str, &str)]) -> RawBox {
    let mut bytes = Vec::new();
    for (key, value) in pairs {
        put_pair(&mut bytes, key.as_bytes(), value.as_bytes());
    }
    bytes.extend_from_slice(&END);
    raw(&bytes)
}

/// What the packet is, in one word and its tag.
fn kind(pairs: &[(&str, &str)]) -> String {
    match Packet::parse(raw_of(pairs)) {
        Ok(Packet::Ask { ask, tag }) => {
            let tag = tag.as_ref().map(|tag| String::from_utf8_lossy(tag.as_bytes()).into_owned());
            format!("ask {} {tag:?}", String::from_utf8_lossy(ask.command()))
        }
        Ok(Packet::Marked { ask, tag }) => {
            let (command, tag) = (String::from_utf8_lossy(ask.command()), String::from_utf8_lossy(tag.as_bytes()));
            format!("marked {command} {tag}")
        }
        Ok(Packet::Reply { tag, reply }) => {
            let word = if reply.is_error { "error" } else { "answer" };
            format!("{word} {}", tag.unwrap_or(0))
        }
        Err(_) => "nothing".to_owned(),
    }
}

#[test]
fn rule_10_a_box_without_command_answer_or_error_is_nothing() {
    for pairs in [&[][..], &[("_ask", "1")], &[("a", "1")], &[("_error_code", "X")], &[("_Command", "Sum")]] {
        assert_eq!(kind(pairs), "nothing", "{pairs:?}");
    }
    let error = Packet::parse(raw(b"\0\x01a\0\x011\0\0")).expect_err("nothing");
    assert_eq!(error.start.as_bytes(), b"\0\x01a\0\x011\0\0");
}

#[test]
fn rule_13_own_tags_are_lowercase_hex_without_leading_zeros() {
    let rows = [(1, "1"), (9, "9"), (10, "a"), (15, "f"), (16, "10"), (255, "ff"), (u64::MAX, "ffffffffffffffff")];
    for (number, text) in rows {
        assert_eq!(Tag::of(number).as_bytes(), text.as_bytes());
        assert_eq!(Tag::parse(text.as_bytes()), Some(number));
    }
}

#[test]
fn rule_14_a_tag_is_kept_byte_for_byte_and_an_empty_one_is_a_tag() {
    let rows: [&[u8]; 9] = [
        b"",
        b"zz/\xff",
        &[b'x'; 16],
        &[b'x'; 17],
        &[b'x'; 22],
        &[b'x'; 23],
        b"1234567890123456789012345678901234567890",
        b"01",
        b"1 ",
    ];
    for tag in rows {
        let mut bytes = Vec::new();
        put_pair(&mut bytes, b"_ask", tag);
        bytes.extend_from_slice(b"\0\x08_command\0\x03Sum\0\0");
        match Packet::parse(raw(&bytes)) {
            Ok(Packet::Ask { tag: found, .. }) => assert_eq!(found.as_ref().map(AskTag::as_bytes), Some(tag)),
            other => panic!("{other:?}"),
        }
        let mut answer = Vec::new();
        put_answer(&mut answer, &AskTag::of(tag), &(), BoxLimits::DEFAULT, None).expect("an answer without fields");
        let expected = [b"\0\x07_answer\0".as_slice(), &[u8::try_from(tag.len()).unwrap_or(0)], tag, b"\0\0"].concat();
        assert_eq!(answer, expected);
    }
}

#[test]
fn rule_15_a_tag_in_another_spelling_is_another_tag() {
    for other in ["01", "1 ", " 1", "+1", "A", "0x1", "", "0", "g", "0000000000000001", "10000000000000000"] {
        assert_eq!(Tag::parse(other.as_bytes()), None, "{other:?}");
    }
}

#[test]
fn rule_16_answer_goes_before_error_and_error_before_command() {
    let (answer, error, command, ask) = (("_answer", "1"), ("_error", "2"), ("_command", "Sum"), ("_ask", "3"));
    assert_eq!(kind(&[answer, command]), "answer 1");
    assert_eq!(kind(&[command, ask, answer]), "answer 1");
    assert_eq!(kind(&[error, answer]), "answer 1");
    assert_eq!(kind(&[command, error]), "error 2");
    assert_eq!(kind(&[ask, error, command, answer]), "answer 1");
    assert_eq!(kind(&[ask, command]), "ask Sum Some(\"3\")");
    assert_eq!(kind(&[command]), "ask Sum None");
}

#[test]
fn rule_03_of_reserved_keys_too_the_last_counts() {
    assert_eq!(kind(&[("_command", "A"), ("_command", "B"), ("_ask", "1"), ("_ask", "2")]), "ask B Some(\"2\")");
    assert_eq!(kind(&[("_answer", "1"), ("_answer", "2")]), "answer 2");
}

#[test]
fn rules_36_and_37_an_error_without_code_or_description_or_utf_8_can_be_read() {
    let error = |bytes: &[u8]| match Packet::parse(raw(bytes)) {
        Ok(Packet::Reply { reply, .. }) if reply.is_error => reply.error(),
        other => panic!("{other:?}"),
    };
    assert_eq!(error(b"\0\x06_error\0\x011\0\0"), (None, String::new()));
    assert_eq!(error(b"\0\x06_error\0\x011\0\x0b_error_code\0\x01X\0\0"), (Some("X".into()), String::new()));
    let broken = b"\0\x06_error\0\x011\0\x0b_error_code\0\x01X\0\x12_error_description\0\x03a\xffb\0\0";
    assert_eq!(error(broken), (Some("X".into()), "a\u{fffd}b".into()));
}

#[test]
fn rule_01_a_typed_ask_has_its_keys_in_bytewise_order() {
    let mut bytes = Vec::new();
    put_ask(&mut bytes, Some(Tag::of(1)), &Sum { a: 13, b: 81 }, BoxLimits::DEFAULT, None).expect("a sum");
    assert_eq!(bytes, b"\0\x04_ask\0\x011\0\x08_command\0\x03Sum\0\x01a\0\x0213\0\x01b\0\x0281\0\0");
    bytes.clear();
    let holder = Holder { upper: 1, a: Item { a: 2, b: None } };
    put_ask(&mut bytes, None, &holder, BoxLimits::DEFAULT, None).expect("short arguments");
    assert_eq!(bytes, b"\0\x05Upper\0\x011\0\x08_command\0\x04Hold\0\x01a\0\x08\0\x01a\0\x012\0\0\0\0");
}

#[test]
fn rule_29_a_declared_error_has_its_fields_around_amps_own_keys() {
    let mut bytes = Vec::new();
    put_declared(
        &mut bytes,
        &AskTag::of(b"7"),
        &Fault { upper: 1, a: 2 },
        "snowman \u{2603}",
        BoxLimits::DEFAULT,
        None,
    )
    .expect("short fields");
    let expected = b"\0\x05Upper\0\x011\0\x06_error\0\x017\0\x0b_error_code\0\x13daemon is not ready\
        \0\x12_error_description\0\x0bsnowman \xe2\x98\x83\0\x01a\0\x012\0\0";
    assert_eq!(bytes, expected);
}

#[test]
fn a_description_that_is_too_long_is_cut_between_two_characters() {
    let mut bytes = Vec::new();
    put_error(&mut bytes, b"1", "X", &format!("x{}", "\u{2603}".repeat(30_000)), BoxLimits::DEFAULT);
    let raw = raw(&bytes);
    let (_, description) = raw.pairs().last().expect("the description");
    assert_eq!(description.len(), 65_533);
    assert!(std::str::from_utf8(description).is_ok());
}

#[test]
fn a_code_for_which_there_is_no_room_becomes_another_and_not_a_part_of_itself() {
    let put = |code: &str, bytes| {
        let mut written = Vec::new();
        put_error(&mut written, b"1", code, "told", BoxLimits::new().bytes(bytes));
        match Packet::parse(raw(&written)) {
            Ok(Packet::Reply { reply, .. }) => (reply.error(), written.len()),
            other => panic!("{other:?}"),
        }
    };
    let without_code = 2 + 6 + 2 + 1 + 2 + 11 + 2 + 2 + 18 + 2 + 2;
    let code = "C".repeat(100);
    assert_eq!(put(&code, without_code + 104), ((Some(code.clone()), "told".into()), without_code + 104));
    assert_eq!(put(&code, without_code + 100), ((Some(code.clone()), String::new()), without_code + 100));
    assert_eq!(put(&code, without_code + 99), ((Some(codes::UNKNOWN.into()), "told".into()), without_code + 11));
    assert_eq!(put(&"C".repeat(65_535), 1 << 20).0.0.map(|code| code.len()), Some(65_535));
    assert_eq!(put(&"C".repeat(65_536), 1 << 20).0.0.as_deref(), Some(codes::UNKNOWN));
}

#[test]
fn rule_07_on_an_error_nothing_is_written() {
    let mut bytes = b"before".to_vec();
    let small = BoxLimits::new().bytes(20);
    let long = Item { a: 1, b: Some("x".repeat(65_536)) };
    put_ask(&mut bytes, Some(Tag::of(1)), &Sum { a: 13, b: 81 }, small, None).expect_err("over 20 bytes");
    put_answer(&mut bytes, &AskTag::of(b"1"), &long, BoxLimits::DEFAULT, None).expect_err("a value of 65536 bytes");
    put_declared(&mut bytes, &AskTag::of(b"1"), &Fault { upper: 1, a: 2 }, "", small, None).expect_err("over 20 bytes");
    put_ask_box(&mut bytes, None, "C".repeat(65_536).as_bytes(), AmpBox::new(), BoxLimits::DEFAULT)
        .expect_err("a long name");
    put_ask_box(&mut bytes, None, b"Sum", AmpBox::new(), BoxLimits::new().bytes(10)).expect_err("over 10 bytes");
    assert_eq!(bytes, b"before");
}

#[test]
fn an_untyped_ask_cannot_be_mistaken_for_an_answer() {
    for key in ["_answer", "_error"] {
        let arguments = AmpBox::new().with(key, "1").expect("a pair that fits");
        let mut bytes = Vec::new();
        let error = put_ask_box(&mut bytes, None, b"Sum", arguments, BoxLimits::DEFAULT).expect_err("AMP's own key");
        assert_eq!((error.path(), error.kind()), (key, &EncodeErrorKind::Key));
        assert!(bytes.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tag_reads_back_as_its_number_and_only_in_one_spelling(number in 1..=u64::MAX, text in "[0-9a-fA-F +_]{0,16}") {
        prop_assert_eq!(Tag::parse(Tag::of(number).as_bytes()), Some(number));
        if let Some(number) = Tag::parse(text.as_bytes()) {
            let tag = Tag::of(number);
            prop_assert_eq!(tag.as_bytes(), text.as_bytes());
        }
    }
}

#[test]
fn a_mark_counts_only_with_a_tag_and_an_ask_without_it_is_one_like_any_other() {
    assert_eq!(kind(&[("_ask", "1"), ("_command", "Note"), ("_notify", ""), ("a", "1")]), "marked Note 1");
    assert_eq!(kind(&[("a", "1"), ("_notify", "x"), ("_command", "Note"), ("_ask", "1")]), "marked Note 1");
    assert_eq!(kind(&[("_command", "Note"), ("_notify", "")]), "ask Note None");
    assert_eq!(kind(&[("_ask", "1"), ("_command", "Note"), ("_notifies", "")]), "ask Note Some(\"1\")");
    assert_eq!(kind(&[("_answer", "1"), ("_command", "Note"), ("_notify", "")]), "answer 1");
}

#[test]
fn rule_16_an_error_box_in_order_that_looks_like_an_ask_at_first_is_an_error() {
    assert_eq!(kind(&[("_ask", "1"), ("_command", "Sum"), ("_error", "7")]), "error 7");
    assert_eq!(kind(&[("_ask", "1"), ("_command", "Sum"), ("_error", "7"), ("a", "1")]), "error 7");
    assert_eq!(kind(&[("_ask", "1"), ("_command", "Sum"), ("_errors", "7")]), "ask Sum Some(\"1\")");
    assert_eq!(kind(&[("_ask", "1"), ("_command", "Sum"), ("_", "7")]), "ask Sum Some(\"1\")", "not in order");
}

/// The fields `a` and `A` of an ask.
fn fields(pairs: &[(&str, &str)]) -> [Option<String>; 2] {
    match Packet::parse(raw_of(pairs)) {
        Ok(Packet::Ask { ask, .. }) => {
            let mut fields = ask.fields(1);
            [Key::from_wire(b"\0\x01a"), Key::from_wire(b"\0\x01A")].map(|key| {
                let value = fields.value(key)?;
                Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn keys_before_amps_own_hide_neither_these_nor_the_fields() {
    let (ask, command, field) = (("_ask", "1"), ("_command", "Sum"), ("a", "2"));
    for before in
        [&[("A", "3")][..], &[("_a", "4")], &[("A", "3"), ("_a", "4")], &[("A", "3"), ("_", "5"), ("_a", "4")]]
    {
        let pairs = [before, &[ask, command, field]].concat();
        assert_eq!(kind(&pairs), "ask Sum Some(\"1\")", "{pairs:?}");
        let upper = before.iter().find(|(key, _)| *key == "A").map(|(_, value)| (*value).to_owned());
        assert_eq!(fields(&pairs), [Some("2".to_owned()), upper], "{pairs:?}");
    }
    assert_eq!(kind(&[("A", "3"), ("_a", "4"), ("_answer", "7"), ("a", "1")]), "answer 7");
    assert_eq!(kind(&[("A", "3"), ("_a", "4"), ("_error", "7"), ("a", "1")]), "error 7");
    assert_eq!(kind(&[("_command", "Sum"), ("a", "1")]), "ask Sum None");
    assert_eq!(kind(&[("a", "1"), ("_command", "Sum")]), "ask Sum None", "behind a key out of order");
}

#[test]
fn rule_64_asks_and_answers_may_have_exactly_as_many_bytes_as_the_limit_says() {
    let sum = Sum { a: 13, b: 81 };
    let arguments = || AmpBox::new().with("a", "13").and_then(|made| made.with("b", "81")).expect("pairs that fit");
    let mut typed = Vec::new();
    put_ask(&mut typed, Some(Tag::of(1)), &sum, BoxLimits::DEFAULT, None).expect("a sum");
    let (exactly, one_less) = (BoxLimits::new().bytes(typed.len()), BoxLimits::DEFAULT.bytes(typed.len() - 1));
    let mut bytes = Vec::new();
    put_ask(&mut bytes, Some(Tag::of(1)), &sum, exactly, None).expect("exactly the limit");
    put_ask_box(&mut bytes, Some(Tag::of(1)), b"Sum", arguments(), exactly).expect("exactly the limit");
    assert_eq!(bytes, typed.repeat(2));
    let refused = EncodeErrorKind::BoxTooLong { limit: typed.len() - 1 };
    let error = put_ask(&mut bytes, Some(Tag::of(1)), &sum, one_less, None).expect_err("a byte too long");
    assert_eq!(error.kind(), &refused);
    let error = put_ask_box(&mut bytes, Some(Tag::of(1)), b"Sum", arguments(), one_less).expect_err("a byte too long");
    assert_eq!(error.kind(), &refused);
    assert_eq!(bytes, typed.repeat(2), "what was refused left nothing");
}

#[test]
fn a_pair_is_inserted_in_the_order_of_keys_into_the_last_box_of_the_buffer() {
    let boxed = |pairs: &[(&[u8], &[u8])]| {
        let mut bytes = Vec::new();
        pairs.iter().for_each(|(key, value)| put_pair(&mut bytes, key, value));
        bytes.extend_from_slice(&END);
        bytes
    };
    let before = boxed(&[(b"a", b"1")]);
    for key in [b"_1", b"b1", b"d1"] {
        let mut pairs: Vec<(&[u8], &[u8])> = vec![(b"_ask", b"1"), (b"c", b"2")];
        let mut buffer = [before.clone(), boxed(&pairs)].concat();
        assert!(insert::insert(&mut buffer, before.len(), (key, b"x"), BoxLimits::DEFAULT));
        pairs.push((key, b"x"));
        pairs.sort_unstable();
        assert_eq!(buffer, [before.clone(), boxed(&pairs)].concat(), "{}", key.escape_ascii());
    }
}

#[test]
fn a_box_that_is_sent_shows_its_name_when_it_is_debugged() {
    let mut buffer = Vec::new();
    assert!(format!("{:?}", SentBox::new(&mut buffer, 0, BoxLimits::DEFAULT)).starts_with("SentBox"));
}
