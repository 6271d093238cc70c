//! Boxes and serde.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_test::{Configure, Token, assert_de_tokens_error, assert_tokens};

use super::*;
use text::{bytes_of_text, text_of_bytes};

fn amp_box(pairs: &[(&[u8], &[u8])]) -> AmpBox {
    pairs.iter().fold(AmpBox::new(), |made, (key, value)| {
        made.with(key.to_vec(), value.to_vec()).expect("a pair that fits the format")
    })
}

fn error(json: &str) -> String {
    serde_json::from_str::<AmpBox>(json).expect_err("no box").to_string()
}

#[test]
fn in_json_a_box_is_a_map_of_texts_whose_other_bytes_are_escaped() {
    let pairs: [(&[u8], &[u8]); 5] =
        [(b"_command", b"Sum"), (b"a", b"13"), (b"empty", b""), (b"\xff\\", b"C:\\x41\0"), ("é".as_bytes(), b"\xc3")];
    let json = serde_json::to_string(&amp_box(&pairs)).expect("JSON");
    assert_eq!(json, r#"{"_command":"Sum","a":"13","empty":"","é":"\\xc3","\\xff\\\\":"C:\\\\x41\u0000"}"#);
    assert_eq!(serde_json::from_str::<AmpBox>(&json).expect("a box"), amp_box(&pairs));
    assert_eq!(serde_json::from_str::<AmpBox>("{}").expect("a box"), AmpBox::new());
}

#[test]
fn in_a_binary_format_a_box_is_a_map_of_bytes() {
    let tokens = [
        Token::Map { len: Some(2) },
        Token::Bytes(b"a"),
        Token::Bytes(b"13"),
        Token::Bytes(b"\xff\\"),
        Token::Bytes(b"\\"),
        Token::MapEnd,
    ];
    assert_tokens(&amp_box(&[(b"a", b"13"), (b"\xff\\", b"\\")]).compact(), &tokens);
    // As some formats have bytes.
    let text = [Token::Map { len: None }, Token::Str("a"), Token::ByteBuf(b"\\"), Token::MapEnd];
    serde_test::assert_de_tokens(&amp_box(&[(b"a", b"\\")]).compact(), &text);
    let number = [Token::Map { len: None }, Token::Bytes(b"a"), Token::U8(1), Token::MapEnd];
    let error = "invalid type: integer `1`, expected bytes";
    assert_de_tokens_error::<serde_test::Compact<AmpBox>>(&number[..3], error);
}

#[test]
fn what_is_no_box_is_an_error_that_names_the_key() {
    assert!(error("[]").contains("expected a box: a map of keys and values"), "{}", error("[]"));
    assert!(error(r#"{"a": 1}"#).contains(r"expected text, with `\\` for a backslash"), "{}", error(r#"{"a": 1}"#));
    for text in [r"\\a", r"\\", r"\\x", r"\\x4", r"\\xg0", r"\\x+1", r"\\x\u00e9", r"\\X41"] {
        let said = error(&format!("{{\"a\": \"{text}\"}}"));
        assert!(said.starts_with("a backslash that begins neither"), "{text}: {said}");
    }
    assert!(error(r#"{"a": "1", "\\x61": "2"}"#).starts_with("the key `a` is there twice"));
    assert!(error(r#"{"": "1"}"#).starts_with("a key must not be empty"));
    assert!(error(&format!("{{\"{}\": \"\"}}", "k".repeat(256))).starts_with("a key of 256 bytes"));
    let long = error(&format!("{{\"key\": \"{}\"}}", "v".repeat(65_536)));
    assert!(long.starts_with("the key `key`: a value of 65536 bytes where 65535 is the most"), "{long}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_box_comes_back_from_json(pairs in btree_map(vec(any::<u8>(), 1..9), vec(any::<u8>(), 0..40), 0..9)) {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| (&key[..], &value[..])).collect();
        let there = serde_json::to_string(&amp_box(&pairs)).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<AmpBox>(&there).expect("a box"), amp_box(&pairs));
    }

    #[test]
    fn text_that_has_no_backslash_is_itself_and_bytes_come_back(text: String, bytes in vec(prop_oneof![Just(b'\\'), Just(b'x'), any::<u8>()], 0..40)) {
        prop_assert_eq!(bytes_of_text(&text_of_bytes(&bytes)), Some(bytes));
        if !text.contains('\\') {
            prop_assert_eq!(text_of_bytes(text.as_bytes()), &*text);
            prop_assert_eq!(bytes_of_text(&text), Some(text.into_bytes()));
        }
    }
}
