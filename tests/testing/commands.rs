//! The equivalents of txampext's `CommandTestMixin`, and how each fails.

use amp::testing::{
    answer_bytes, ask_bytes, box_bytes, declared_codes, decode_ask, decode_boxes, decode_reply, error_bytes,
    fatal_codes, format_boxes, notification_bytes,
};
use amp::{AmpBox, CallError, Command};

use crate::panics::{assert_says, message_of};
use crate::sample::{Divide, DivideError, Note, Quotient};

fn asked() -> Vec<u8> {
    box_bytes(&[("_ask", "1f"), ("_command", "Divide"), ("left", "-6"), ("right", "2")])
}

fn answered() -> Vec<u8> {
    box_bytes(&[("_answer", "1f"), ("result", "-3")])
}

#[test]
fn arguments_are_made_and_parsed() {
    let command = Divide { left: -6, right: 2 };
    assert_eq!(format_boxes(&ask_bytes("1f", &command)), format_boxes(&asked()));
    assert_eq!(decode_ask::<Divide>(&asked()).expect("it decodes"), command);
}

#[test]
fn a_response_is_made_and_parsed() {
    let response = Quotient { result: -3 };
    assert_eq!(format_boxes(&answer_bytes::<Divide>("1f", &response)), format_boxes(&answered()));
    assert_eq!(decode_reply::<Divide>(&answered()).expect("an answer"), response);
}

#[test]
fn errors_are_declared_made_and_parsed() {
    assert_eq!(declared_codes::<Divide>(), ["DIVIDE_BY_ZERO", "MEMORY_ERROR", "REMAINDER"]);
    assert_eq!(fatal_codes::<Divide>(), ["MEMORY_ERROR"]);
    assert!(declared_codes::<Note>().is_empty() && fatal_codes::<Note>().is_empty());

    let by_zero = box_bytes(&[("_error", "1f"), ("_error_code", "DIVIDE_BY_ZERO"), ("_error_description", "by zero")]);
    assert_eq!(format_boxes(&error_bytes::<Divide>("1f", &DivideError::ByZero)), format_boxes(&by_zero));
    assert!(matches!(decode_reply::<Divide>(&by_zero), Err(CallError::Declared(DivideError::ByZero))));

    let left = error_bytes::<Divide>("1f", &DivideError::Remainder { remainder: 4 });
    assert_eq!(decode_boxes(&left)[0].value("remainder").map(|value| &value[..]), Some(&b"4"[..]));
    let reply = decode_reply::<Divide>(&left);
    assert!(matches!(reply, Err(CallError::Declared(DivideError::Remainder { remainder: 4 }))), "{reply:?}");
}

#[test]
fn any_command_is_made_and_parsed_with_a_tag_or_without() {
    const { assert!(Divide::ANSWERED && !Note::ANSWERED) };
    let note = Note { text: "hello".to_owned() };
    let (asked, notified) = (ask_bytes("1f", &note), notification_bytes(&note));
    assert_eq!(format_boxes(&asked), r#"{_ask: "1f", _command: "Note", text: "hello"}"#);
    assert_eq!(format_boxes(&notified), r#"{_command: "Note", text: "hello"}"#);
    for bytes in [&asked, &notified] {
        assert_eq!(decode_ask::<Note>(bytes).expect("it decodes"), note);
    }
    let divide = Divide { left: 6, right: 2 };
    assert_eq!(format_boxes(&notification_bytes(&divide)), r#"{_command: "Divide", left: "6", right: "2"}"#);
}

#[test]
fn a_tag_is_any_bytes() {
    let (tag, note) = (b"\xff\0", Note { text: String::new() });
    assert_eq!(format_boxes(&ask_bytes(tag, &note)), r#"{_ask: "\xff\x00", _command: "Note", text: ""}"#);
    assert_eq!(
        format_boxes(&answer_bytes::<Divide>(tag, &Quotient { result: 1 })),
        r#"{_answer: "\xff\x00", result: "1"}"#
    );
    let error = format_boxes(&error_bytes::<Divide>(tag, &DivideError::ByZero));
    assert_says(&error, &[r#"{_error: "\xff\x00""#, "DIVIDE_BY_ZERO"]);
    let message = message_of(|| ask_bytes([b'x'; 65_536], &Note { text: String::new() }));
    assert_says(&message, &["a tag of 65536 bytes", "65535"]);
}

#[test]
fn what_a_connection_would_refuse_is_an_error_to_compare() {
    let too_large = box_bytes(&[("_ask", "1"), ("_command", "Divide"), ("left", "101"), ("right", "1")]);
    assert_says(&decode_ask::<Divide>(&too_large).expect_err("refused").to_string(), &["left", "100"]);
    let missing = box_bytes(&[("_ask", "1"), ("_command", "Divide"), ("left", "1")]);
    assert_says(&decode_ask::<Divide>(&missing).expect_err("refused").to_string(), &["right"]);
    let wrong = box_bytes(&[("_answer", "1"), ("result", "x")]);
    assert!(matches!(decode_reply::<Divide>(&wrong), Err(CallError::Response(_))));
    let busy = box_bytes(&[("_error", "1"), ("_error_code", "BUSY"), ("_error_description", "")]);
    assert!(matches!(decode_reply::<Divide>(&busy), Err(CallError::Remote { code, .. }) if code == "BUSY"));
}

#[test]
fn what_cannot_be_sent_fails_the_test_and_says_why() {
    let message = message_of(|| ask_bytes("1", &Divide { left: 101, right: 1 }));
    assert_says(&message, &["`Divide`", "left", "100"]);
    let message = message_of(|| answer_bytes::<Divide>("1", &Quotient { result: 101 }));
    assert_says(&message, &["`Divide`", "result", "100"]);
    let message = message_of(|| ask_bytes("1", &Note { text: "x".repeat(70_000) }));
    assert_says(&message, &["`Note`", "text"]);
}

#[test]
fn bytes_that_are_not_what_they_are_taken_for_fail_the_test_and_are_shown() {
    let message = message_of(|| decode_ask::<Note>(&asked()));
    assert_says(&message, &["does not ask for `Note`", r#"{_ask: "1f", _command: "Divide", left: "-6", right: "2"}"#]);
    assert_says(&message_of(|| decode_ask::<Divide>(&answered())), &["asks nothing", r#"{_answer: "1f""#]);
    assert_says(&message_of(|| decode_reply::<Divide>(&asked())), &["answers nothing", r#"{_ask: "1f""#]);
    let twice = [asked(), asked()].concat();
    assert_says(&message_of(|| decode_ask::<Divide>(&twice)), &["not exactly one box", "{_ask", "\n", "{_ask"]);
    assert_says(&message_of(|| decode_ask::<Divide>(&asked()[..9])), &["not exactly one box", "no whole box"]);
    assert_says(&message_of(|| decode_ask::<Divide>(b"GET / HTTP/1.1\r\n\r\n")), &["this is no box", "HTTP"]);
    assert_says(
        &message_of(|| decode_reply::<Divide>(&box_bytes(&[("a", "1")]))),
        &["without `_command`", r#"{a: "1"}"#],
    );
}

#[test]
fn a_key_that_comes_twice_is_shown() {
    let twice = box_bytes(&[("b", "1"), ("a", "2"), ("b", "3")]);
    assert_eq!(format_boxes(&twice), r#"{b: "1", a: "2", b: "3"}"#);
    let message = message_of(|| decode_boxes(&twice));
    assert_says(&message, &["the key `b` comes twice", r#"{b: "1", a: "2", b: "3"}"#]);
}

#[test]
fn a_box_may_be_larger_than_a_connection_takes_by_default() {
    let pairs: Vec<_> = (0..2000).map(|key| (format!("k{key:04}"), vec![b'x'; 1000])).collect();
    let bytes = box_bytes(&pairs);
    assert!(bytes.len() > 1 << 20);
    assert_eq!(decode_boxes(&bytes)[0].value("k1999").map(bytes::Bytes::len), Some(1000));
    assert!(format_boxes(&bytes).starts_with("{k0000: "));
    let answered = box_bytes(
        &[&[("_answer".to_owned(), b"1".to_vec()), ("result".to_owned(), b"1".to_vec())], &pairs[..]].concat(),
    );
    assert_eq!(decode_reply::<Divide>(&answered).expect("an answer"), Quotient { result: 1 });
}

#[test]
fn boxes_are_written_and_read_without_regard_to_their_order() {
    let one = AmpBox::new().with("a", "1").expect("it fits").with("b", "").expect("it fits");
    assert_eq!(decode_boxes(&box_bytes(&[("b", ""), ("a", "1")])), [one]);
    assert_eq!(decode_boxes(b""), []);
    assert_says(&message_of(|| decode_boxes(&asked()[..20])), &["not whole", "_ask"]);
    assert_says(&message_of(|| decode_boxes(b"\xff\xff")), &["not boxes"]);
    assert_says(&message_of(|| box_bytes(&[("a", "1"), ("", "2")])), &["an empty key ends the box"]);
    assert_says(&message_of(|| box_bytes(&[("k".repeat(256), "")])), &["256", "255"]);
    assert_says(&message_of(|| box_bytes(&[("k", "v".repeat(65_536))])), &["65536", "65535"]);
}
