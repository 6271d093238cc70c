//! Rules 7 to 12 and 14: boxes that are wrong, and how the connection ends.

use amp::value::EncodeErrorKind;
use amp::wire::{InsertError, WireError};
use amp::{AmpBox, CallError, CloseReason, Settings};

use crate::commands::{Echo, House, sum};
use crate::logged::{Level, logged};
use crate::raw_peer::{RawPeer, answer_sum, ask, ask_sum, ended, packed, reason, soon};

fn house() -> (amp::Connection, RawPeer) {
    RawPeer::with(House::new().into_locator(), Settings::new())
}

#[tokio::test(start_paused = true)]
async fn rules_02_to_06_and_08_boxes_of_every_shape_are_answered() {
    let (_connection, mut peer) = house();
    let long_key = "k".repeat(255);
    let long_value = "v".repeat(65_535);
    let rows: [&[(&str, &str)]; 5] = [
        &[("b", "2"), ("_command", "Sum"), ("a", "1"), ("_ask", "x")],
        &[("_ask", "w"), ("_ask", "x"), ("_command", "Sum"), ("a", "9"), ("a", "1"), ("b", "2")],
        &[("_ask", "x"), ("_command", "Sum"), ("_foo", "bar"), ("a", "1"), ("b", "2"), ("c", "9")],
        &[("_ask", "x"), ("_command", "Sum"), ("a", "1"), ("b", "2"), (long_key.as_str(), "")],
        &[("_ask", "x"), ("_command", "Sum"), ("a", "1"), ("b", "2"), ("c", long_value.as_str())],
    ];
    for pairs in rows {
        peer.send(packed(pairs)).await;
        peer.expect(answer_sum("x")).await;
    }
    for byte in packed(rows[0]) {
        peer.send([byte]).await;
        tokio::task::yield_now().await;
    }
    peer.expect(answer_sum("x")).await;
    peer.send(ask_sum("y").repeat(100)).await;
    peer.expect(answer_sum("y").repeat(100)).await;
}

#[tokio::test(start_paused = true)]
async fn rules_05_and_06_values_of_0_and_65535_bytes_go_both_ways() {
    let (_connection, mut peer) = house();
    for length in [0, 65_535] {
        let data = "d".repeat(length);
        peer.send(ask("1", "Echo", &[("data", &data)])).await;
        peer.expect(packed(&[("_answer", "1"), ("data", &data)])).await;
    }
}

#[tokio::test(start_paused = true)]
async fn rule_07_a_value_of_65536_bytes_is_refused_before_a_byte_is_written() {
    let (connection, mut peer) = house();
    let reply = soon("refused", connection.call(Echo { data: vec![0; 65_536] })).await;
    match reply {
        Err(CallError::Invalid(error)) => {
            assert_eq!((error.path(), error.kind()), ("data", &EncodeErrorKind::TooLong { length: 65_536 }));
        }
        other => panic!("{other:?}"),
    }
    peer.expect_silence().await;
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    peer.send(answer_sum("1")).await;
    soon("usable afterwards", call).await.expect("no panic").expect("an answer");
    connection.close();
    assert_eq!(ended(&connection).await, "Closed", "nobody waits for the refused call");
}

#[tokio::test(start_paused = true)]
async fn rule_08_keys_of_0_and_256_bytes_are_not_sent() {
    assert_eq!(AmpBox::new().insert("", "x"), Err(InsertError::EmptyKey));
    assert_eq!(AmpBox::new().insert("k".repeat(256), "x"), Err(InsertError::KeyTooLong(256)));
}

#[tokio::test(start_paused = true)]
async fn rule_09_key_length_256_closes_after_two_bytes() {
    let (connection, mut peer) = house();
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    peer.send([&ask_sum("x")[..], b"\x01"].concat()).await;
    peer.expect(answer_sum("x")).await;
    peer.expect_silence_for(std::time::Duration::from_secs(29)).await;
    peer.send([&b"\x00"[..], &ask_sum("ignored")].concat()).await;
    peer.expect_end("").await;
    let reply = soon("the call fails", call).await.expect("no panic");
    match reply {
        Err(CallError::Connection { reason: CloseReason::Wire(WireError::KeyTooLong { length: 256, .. }), .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn rule_09_earlier_answers_of_the_same_read_are_flushed() {
    let (connection, mut peer) = house();
    peer.send([&ask_sum("x")[..], b"\xff\xff", &ask_sum("ignored")].concat()).await;
    peer.expect_end(answer_sum("x")).await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Wire");
}

#[tokio::test(start_paused = true)]
async fn rule_10_a_box_without_meaning_closes_and_earlier_answers_are_flushed() {
    let rows: [&[(&str, &str)]; 4] = [&[], &[("_ask", "1")], &[("a", "1")], &[("_error_code", "X")]];
    for pairs in rows {
        let (connection, mut peer) = house();
        peer.send([ask_sum("x"), packed(pairs), ask_sum("ignored")].concat()).await;
        peer.expect_end(answer_sum("x")).await;
        drop(peer);
        assert_eq!(ended(&connection).await, "Packet", "{pairs:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn rule_11_the_end_within_a_box_fails_pending_calls_with_how_much_had_come() {
    let (connection, mut peer) = house();
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    peer.send(&answer_sum("1")[..10]).await;
    drop(peer);
    match soon("the call fails", call).await.expect("no panic") {
        Err(CallError::Connection { reason: CloseReason::ClosedMidBox { received: 10 }, .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn rule_12_an_http_request_is_closed_without_bytes_and_logged_with_its_own() {
    let log = logged(Level::INFO);
    let (connection, mut peer) = house();
    peer.send("GET /index.html HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    peer.expect_end("").await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Wire");
    let text = log.text();
    assert!(text.contains("GET /index.html HTTP") && text.contains("this is an HTTP request"), "{text}");
    assert_eq!(reason(connection.call(sum()).await), "Wire");
}

#[tokio::test(start_paused = true)]
async fn rule_14_tags_are_echoed_byte_for_byte() {
    let (_connection, mut peer) = house();
    let rows: [&[u8]; 6] =
        [b"", b"zz/\xff", b"1234567890123456789012345678901234567890", b"01", b"1 ", &[b't'; 65_535]];
    for tag in rows {
        peer.send(packed::<&[u8], &[u8]>(&[(b"_ask", tag), (b"_command", b"Sum"), (b"a", b"1"), (b"b", b"2")])).await;
        peer.expect(packed::<&[u8], &[u8]>(&[(b"_answer", tag), (b"total", b"3")])).await;
    }
}
