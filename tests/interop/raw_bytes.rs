//! Raw bytes to a Rust server and to a Twisted server: both say the same, or ours says why not.

use std::net::SocketAddr;
use std::sync::Arc;

use amp::connection::Strictness;
use amp::locator::Locator;
use amp::{Server, Settings};

use crate::commands::{Crash, Divide, DivideError, Fail, FailError, Note, Sum, Total};
use crate::harness::{Twisted, boxed, on, said_and_open, said_before_close, shown};

/// The responders of `python/peer.py` that raw bytes ask for.
fn responders() -> impl Locator {
    let sum = on(async |Sum { a, b }| Ok(Total { total: a + b }));
    let divide = on(async |Divide { .. }| Err(DivideError::ZeroDivision.into()));
    let fail = on(async |Fail { text, .. }| Err(FailError::Broken(text).into()));
    let crash = on(async |Crash| Err(amp::CallError::failed("not for the peer")));
    let note = on(async |Note { .. }| Ok(()));
    (sum, divide, fail, crash, note)
}

struct Servers {
    _twisted: Twisted,
    _rust: Server,
    twisted_at: SocketAddr,
    rust_at: SocketAddr,
}

impl Servers {
    async fn start(strictness: Strictness) -> Option<Self> {
        let (twisted, twisted_at) = Twisted::listen().await?;
        let responders = Arc::new(responders());
        let builder = Server::builder().settings(Settings::new().strictness(strictness).announce(false));
        let rust = builder.bind_tcp("127.0.0.1:0", move |_| Arc::clone(&responders)).await.unwrap();
        let rust_at = rust.local_addr().unwrap();
        Some(Self { _twisted: twisted, _rust: rust, twisted_at, rust_at })
    }

    /// Both go on after the bytes, and said the same to them.
    async fn stay_open(&self, bytes: &[u8]) -> String {
        let said = said_and_open(self.rust_at, bytes).await;
        assert_eq!(said, said_and_open(self.twisted_at, bytes).await, "after {}", shown(bytes));
        said
    }

    /// Both end the connection after the bytes, and said the same to them.
    async fn close(&self, bytes: &[u8]) -> String {
        let said = said_before_close(self.rust_at, bytes).await;
        assert_eq!(said, said_before_close(self.twisted_at, bytes).await, "after {}", shown(bytes));
        said
    }
}

const SUM: &[u8] = b"\0\x04_ask\0\x011\0\x08_command\0\x03Sum\0\x01a\0\x0213\0\x01b\0\x0281\0\0";
const TOTAL: &[u8] = b"\0\x07_answer\0\x011\0\x05total\0\x0294\0\0";
const UNKNOWN: &[u8] =
    b"\0\x06_error\0\x011\0\x0b_error_code\0\x07UNKNOWN\0\x12_error_description\0\rUnknown Error\0\0";

fn ask(tag: &[u8], command: &[u8], arguments: &[(&str, &[u8])]) -> Vec<u8> {
    boxed(&[&[("_ask", tag), ("_command", command)], arguments].concat())
}

const NUMBERS: &[(&str, &[u8])] = &[("a", b"1"), ("b", b"2")];

#[tokio::test]
async fn rules_1_2_the_same_ask_in_any_shape_gets_the_same_answer() {
    let Some(servers) = Servers::start(Strictness::Isolating).await else { return };
    assert_eq!(servers.stay_open(SUM).await, shown(TOTAL));
    let reversed = boxed(&[("b", b"81"), ("a", b"13"), ("_command", b"Sum"), ("_ask", b"1")]);
    assert_eq!(servers.stay_open(&reversed).await, shown(TOTAL));
    assert_eq!(servers.stay_open(&SUM.repeat(50)).await, shown(&TOTAL.repeat(50)));
}

#[tokio::test]
async fn rules_3_4_8_16_odd_boxes_are_read_alike() {
    let Some(servers) = Servers::start(Strictness::Isolating).await else { return };
    let long = "k".repeat(255);
    for extra in [
        &[("a", &b"1"[..]), ("a", b"2"), ("b", b"3")][..],
        &[("a", b"1"), ("b", b"2"), ("c", b"3"), ("_foo", b"")],
        &[("a", b"1"), ("b", b"2"), (&long, b"x")],
        &[("a", b" +1_0 "), ("b", b"\t007\n")],
    ] {
        assert!(servers.stay_open(&ask(b"1", b"Sum", extra)).await.contains("total"));
    }
    // An answer to nothing, though there is a command too.
    let both = boxed(&[("_answer", b"9"), ("_ask", b"1"), ("_command", b"Sum"), ("a", b"1"), ("b", b"2")]);
    assert_eq!(servers.close(&both).await, "");
}

#[tokio::test]
async fn rules_14_23_tags_are_echoed_byte_for_byte() {
    let Some(servers) = Servers::start(Strictness::Isolating).await else { return };
    for tag in [&b""[..], b"zz/\xff", b"1234567890123456789012345678901234567890", b"01", b"1 ", b"\0\0"] {
        let said = servers.stay_open(&ask(tag, b"Sum", NUMBERS)).await;
        assert_eq!(said, shown(&boxed(&[("_answer", tag), ("total", b"3")])));
    }
    let twice = [ask(b"7", b"Sum", NUMBERS), ask(b"7", b"Sum", NUMBERS)].concat();
    assert_eq!(servers.stay_open(&twice).await, shown(&boxed(&[("_answer", b"7"), ("total", b"3")]).repeat(2)));
}

#[tokio::test]
async fn rules_21_22_an_ask_is_answered_when_it_has_a_tag_and_only_then() {
    let Some(servers) = Servers::start(Strictness::Isolating).await else { return };
    let unanswered = boxed(&[("_command", b"Sum"), ("a", b"1"), ("b", b"2")]);
    assert_eq!(servers.stay_open(&unanswered).await, "");
    let answered = servers.stay_open(&ask(b"1", b"Note", &[("text", b"x")])).await;
    assert_eq!(answered, shown(&boxed(&[("_answer", b"1")])));
}

#[tokio::test]
async fn rules_27_29_unknown_commands_and_declared_errors_have_the_same_bytes() {
    let Some(servers) = Servers::start(Strictness::Isolating).await else { return };
    for name in [&b"Nope"[..], b"sum", b"", b"it's", b"it's \"so\"", b"a\\b\t\n\r\0\x7f"] {
        let said = servers.stay_open(&ask(b"1", name, &[])).await;
        assert!(said.contains("UNHANDLED"), "{said}");
    }
    let divided = servers.stay_open(&ask(b"2", b"Divide", &[("numerator", b"1"), ("denominator", b"0")])).await;
    assert!(divided.contains("ZERO_DIVISION"), "{divided}");
}

#[tokio::test]
async fn rule_33_fatal_errors_have_the_same_bytes_and_then_the_connection_ends() {
    let Some(servers) = Servers::start(Strictness::Isolating).await else { return };
    let said = servers.close(&ask(b"1", b"Fail", &[("kind", b"Broken"), ("text", b"gone")])).await;
    assert!(said.contains("BROKEN"), "{said}");
}

#[tokio::test]
async fn rules_9_12_19_what_is_not_amp_ends_the_connection_without_a_word() {
    let Some(servers) = Servers::start(Strictness::Isolating).await else { return };
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x01\x00", b"\0\0", b"\0\x04_ask\0\x011\0\0", b"\0\x01a\0\x01b\0\0"]
    {
        assert_eq!(servers.close(bytes).await, "");
    }
    assert_eq!(servers.close(&boxed(&[("_answer", b"1")])).await, "");
    assert_eq!(servers.close(&boxed(&[("_error", b"1"), ("_error_code", b"X")])).await, "");
    // Answers to what came before are still given.
    assert_eq!(servers.close(&[SUM, b"\x01\x00"].concat()).await, shown(TOTAL));
}

#[tokio::test]
async fn rule_10_answers_from_before_an_empty_box_are_given_which_twisted_loses() {
    let Some(servers) = Servers::start(Strictness::Isolating).await else { return };
    let bytes = [SUM, b"\0\0"].concat();
    assert_eq!(said_before_close(servers.rust_at, &bytes).await, shown(TOTAL));
    assert_eq!(said_before_close(servers.twisted_at, &bytes).await, "");
}

#[tokio::test]
async fn rule_39_a_name_that_is_not_ascii_is_unhandled_where_twisted_is_silent() {
    let Some(servers) = Servers::start(Strictness::Isolating).await else { return };
    let bytes = ask(b"1", b"\xff", &[]);
    let said = said_and_open(servers.rust_at, &bytes).await;
    assert!(said.contains("UNHANDLED") && said.contains(r"Unhandled Command: b\'\\xff\'"), "{said}");
    assert_eq!(said_before_close(servers.twisted_at, &bytes).await, "");
}

#[tokio::test]
async fn rules_31_32_strict_rust_answers_unknown_and_what_followed_it_and_closes_as_twisted_does() {
    let Some(servers) = Servers::start(Strictness::Twisted).await else { return };
    for faulty in
        [ask(b"1", b"Crash", &[]), ask(b"1", b"Sum", &[("a", b"1")]), ask(b"1", b"Sum", &[("a", b"1"), ("b", b"x")])]
    {
        assert_eq!(servers.close(&faulty).await, shown(UNKNOWN));
        let followed = [&faulty[..], &ask(b"2", b"Sum", NUMBERS), &ask(b"3", b"Nope", &[])].concat();
        let said = servers.close(&followed).await;
        assert!(said.contains("total") && said.contains("UNHANDLED"), "{said}");
    }
}

#[tokio::test]
async fn rules_28_31_strict_rust_closes_without_a_word_where_no_answer_is_wanted_as_twisted_does() {
    let Some(servers) = Servers::start(Strictness::Twisted).await else { return };
    for faulty in [
        boxed(&[("_command", b"Nope")]),
        boxed(&[("_command", b"Crash")]),
        boxed(&[("_command", b"Divide"), ("numerator", b"1"), ("denominator", b"0")]),
        boxed(&[("_command", b"Sum"), ("a", b"1"), ("b", b"x")]),
    ] {
        assert_eq!(servers.close(&faulty).await, "");
    }
}

#[tokio::test]
async fn rule_28_isolating_rust_stays_open_where_twisted_closes_without_a_word() {
    let Some(servers) = Servers::start(Strictness::Isolating).await else { return };
    let bytes = boxed(&[("_command", b"Nope")]);
    assert_eq!(said_and_open(servers.rust_at, &bytes).await, "");
    assert_eq!(said_before_close(servers.twisted_at, &bytes).await, "");
}
