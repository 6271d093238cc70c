//! Rules 27 to 34, 39 and 40: what goes wrong at the responder's end.

use amp::Settings;
use amp::connection::Strictness;

use crate::commands::House;
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, ended, error, packed, unknown};

fn isolating() -> (amp::Connection, RawPeer) {
    RawPeer::with(House::new().into_locator(), Settings::new())
}

fn strict() -> (amp::Connection, RawPeer) {
    RawPeer::with(House::new().into_locator(), Settings::new().strictness(Strictness::Twisted))
}

fn fail(tag: &str, how: &str) -> Vec<u8> {
    ask(tag, "Fail", &[("how", how)])
}

fn untagged(command: &str, arguments: &[(&str, &str)]) -> Vec<u8> {
    packed(&[&[("_command", command)], arguments].concat())
}

#[tokio::test(start_paused = true)]
async fn rule_27_an_unknown_command_is_unhandled_in_twisteds_words_and_the_connection_stays_open() {
    for (_connection, mut peer) in [isolating(), strict()] {
        peer.send(ask("1", "Nope", &[])).await;
        let twisted = b"\0\x06_error\0\x011\0\x0b_error_code\0\tUNHANDLED\
            \0\x12_error_description\0\x1aUnhandled Command: b'Nope'\0\0";
        peer.expect(twisted).await;
        peer.send(ask("2", "sum", &[("a", "1"), ("b", "2")])).await;
        peer.expect(error("2", "UNHANDLED", "Unhandled Command: b'sum'")).await;
        peer.expect_open().await;
    }
}

#[tokio::test(start_paused = true)]
async fn rule_28_an_unknown_command_without_tag_costs_nothing_and_under_twisteds_rules_the_connection() {
    let (_connection, mut peer) = isolating();
    peer.send(untagged("Nope", &[])).await;
    peer.expect_silence().await;
    peer.expect_open().await;
    let (connection, mut peer) = strict();
    peer.send(untagged("Nope", &[])).await;
    peer.expect_end("").await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Failure");
}

#[tokio::test(start_paused = true)]
async fn rule_29_a_declared_error_has_its_code_and_its_text_and_the_connection_stays_open() {
    for (_connection, mut peer) in [isolating(), strict()] {
        for how in ["snowman", "later snowman"] {
            peer.send(fail("2", how)).await;
            let expected = b"\0\x06_error\0\x012\0\x0b_error_code\0\x07SNOWMAN\
                \0\x12_error_description\0\x0bsnowman \xe2\x98\x83\0\0";
            peer.expect(expected).await;
        }
        peer.expect_open().await;
    }
}

#[tokio::test(start_paused = true)]
async fn rule_30_empty_descriptions_and_codes_of_any_spelling_are_sent() {
    let (_connection, mut peer) = isolating();
    peer.send(fail("1", "not ready")).await;
    peer.expect(error("1", "daemon is not ready", "")).await;
    peer.send(fail("1", "not implemented")).await;
    peer.expect(error("1", "NotImplementedError", "not yet")).await;
}

#[tokio::test(start_paused = true)]
async fn the_fields_of_a_declared_error_travel_in_bytewise_order() {
    let (_connection, mut peer) = isolating();
    peer.send(fail("1", "too few")).await;
    let pairs = [
        ("Wanted", "5"),
        ("_error", "1"),
        ("_error_code", "TOO_FEW"),
        ("_error_description", "only 3 are left"),
        ("left", "3"),
    ];
    peer.expect(packed(&pairs)).await;
}

#[tokio::test(start_paused = true)]
async fn a_remote_error_that_a_responder_returns_is_passed_on_as_it_is() {
    for (_connection, mut peer) in [isolating(), strict()] {
        peer.send(fail("1", "pass on")).await;
        peer.expect(error("1", "ELSEWHERE", "far away")).await;
        peer.expect_open().await;
    }
}

#[tokio::test(start_paused = true)]
async fn rule_31_isolating_an_undeclared_failure_is_unknown_and_tells_no_secret() {
    let (_connection, mut peer) = isolating();
    for how in ["password", "later password", "panic", "later panic"] {
        peer.send(fail("1", how)).await;
        peer.expect(unknown("1")).await;
    }
    peer.expect_open().await;
}

/// Arguments that `Sum` does not take, and what is said about them.
const BAD_ARGUMENTS: [(&[(&str, &str)], &str); 4] = [
    (&[("a", "1")], "b: missing"),
    (&[("a", "x"), ("b", "2")], "a: not an integer"),
    (&[("a", ""), ("b", "2")], "a: not an integer"),
    (&[("a", "9223372036854775808"), ("b", "2")], "a: out of range for i64"),
];

#[tokio::test(start_paused = true)]
async fn rule_31_isolating_an_argument_that_does_not_decode_is_named() {
    let (_connection, mut peer) = isolating();
    for (arguments, description) in BAD_ARGUMENTS {
        peer.send(ask("1", "Sum", arguments)).await;
        peer.expect(error("1", "INVALID_ARGUMENT", description)).await;
        peer.send(untagged("Sum", arguments)).await;
    }
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn rule_31_strict_a_failure_is_answered_byte_for_byte_as_twisted_does_and_then_closes() {
    let bad = BAD_ARGUMENTS.map(|(arguments, _)| ask("1", "Sum", arguments));
    let failures = ["password", "later password", "panic", "later panic"].map(|how| fail("1", how));
    for bytes in bad.into_iter().chain(failures) {
        let (connection, mut peer) = strict();
        peer.send(&bytes).await;
        let twisted = b"\0\x06_error\0\x011\0\x0b_error_code\0\x07UNKNOWN\
            \0\x12_error_description\0\rUnknown Error\0\0";
        peer.expect_end(twisted).await;
        drop(peer);
        assert_eq!(ended(&connection).await, "Failure", "{}", bytes.escape_ascii());
    }
}

#[tokio::test(start_paused = true)]
async fn strict_every_failure_of_an_ask_without_tag_closes_without_bytes() {
    let failures = ["password", "snowman", "pass on", "panic"].map(|how| untagged("Fail", &[("how", how)]));
    for bytes in failures.into_iter().chain([untagged("Sum", &[])]) {
        let (connection, mut peer) = strict();
        peer.send(&bytes).await;
        peer.expect_end("").await;
        drop(peer);
        assert_eq!(ended(&connection).await, "Failure", "{}", bytes.escape_ascii());
        let (_connection, mut peer) = isolating();
        peer.send(&bytes).await;
        peer.expect_silence().await;
        peer.expect_open().await;
    }
}

#[tokio::test(start_paused = true)]
async fn rule_32_strict_boxes_behind_a_failure_in_the_same_read_are_still_answered() {
    let (_connection, mut peer) = strict();
    peer.send([fail("1", "password"), ask_sum("2"), ask("3", "Nope", &[]), ask("4", "Wait", &[])].concat()).await;
    let nope = error("3", "UNHANDLED", "Unhandled Command: b'Nope'");
    peer.expect_end([unknown("1"), answer_sum("2"), nope].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn rule_33_a_fatal_error_is_answered_and_then_closes() {
    for (connection, mut peer) in [isolating(), strict()] {
        peer.send([fail("1", "broken"), ask_sum("2")].concat()).await;
        peer.expect_end([error("1", "BROKEN", "the abacus is broken"), answer_sum("2")].concat()).await;
        drop(peer);
        assert_eq!(ended(&connection).await, "Fatal");
    }
    let (_connection, mut peer) = isolating();
    peer.send(fail("1", "later broken")).await;
    peer.expect_end(error("1", "BROKEN", "the abacus is broken")).await;
}

#[tokio::test(start_paused = true)]
async fn rule_34_a_responder_that_closes_is_answered_and_then_the_connection_closes() {
    let (connection, mut peer) = isolating();
    peer.send(ask("1", "Quit", &[])).await;
    peer.expect_end(answer("1", &[])).await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Closed");
}

#[tokio::test(start_paused = true)]
async fn rule_39_a_name_that_is_not_ascii_is_unhandled() {
    let (_connection, mut peer) = isolating();
    let rows: [(&[u8], &str); 5] = [
        (b"\xff\x00", "b'\\xff\\x00'"),
        ("Z\u{fc}rich".as_bytes(), "b'Z\\xc3\\xbcrich'"),
        (b"", "b''"),
        (b"it's\n", "b\"it's\\n\""),
        (b"'\"\\", "b'\\'\"\\\\'"),
    ];
    for (name, shown) in rows {
        peer.send(packed::<&[u8], &[u8]>(&[(b"_ask", b"1"), (b"_command", name)])).await;
        peer.expect(error("1", "UNHANDLED", &format!("Unhandled Command: {shown}"))).await;
    }
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn rule_40_an_oversized_response_is_answered_with_an_error() {
    let (_connection, mut peer) = isolating();
    peer.send(ask("1", "Big", &[("size", "65536")])).await;
    let text = "data: 65536 bytes where 65535 is the most of one value; declare it at both ends as `Big`, which is split over several keys, \
        or use several calls or a stream";
    peer.expect(error("1", "TOO_LONG", text)).await;
    peer.expect_open().await;
    // The whole box has a limit of its own.
    let mut small = Settings::new();
    small.boxes.bytes = 300;
    let (_connection, mut peer) = RawPeer::with(House::new().into_locator(), small);
    peer.send(ask("1", "Big", &[("size", "300")])).await;
    peer.expect(error("1", "TOO_LONG", "the box has more than 300 bytes; see `BoxLimits::bytes`")).await;
    peer.send(ask_sum("2")).await;
    peer.expect(answer_sum("2")).await;
    let (_connection, mut peer) = strict();
    peer.send(ask("1", "Big", &[("size", "65536")])).await;
    peer.expect_end(unknown("1")).await;
}

#[tokio::test(start_paused = true)]
async fn rule_40_a_response_that_panics_while_it_is_written_is_answered_with_an_error() {
    let (_connection, mut peer) = isolating();
    peer.send([ask_sum("1"), ask("2", "Explode", &[]), ask_sum("3")].concat()).await;
    peer.expect([answer_sum("1"), unknown("2"), answer_sum("3")].concat()).await;
}

/// Each of its bytes may be four in the description, and they are formatted on the reader.
#[tokio::test(start_paused = true)]
async fn of_a_long_name_that_is_unknown_the_beginning_is_sent_back() {
    let (_connection, mut peer) = RawPeer::with((), Settings::new());
    for (length, sent_back) in [(1_000, 1_000), (1_024, 1_024), (1_025, 1_024), (60_000, 1_024)] {
        peer.send(ask("1", &"x".repeat(length), &[])).await;
        let description = format!("Unhandled Command: b'{}'", "x".repeat(sent_back));
        peer.expect(error("1", "UNHANDLED", &description)).await;
    }
}
