//! Rules 35 to 38: what goes wrong at the caller's end.

use amp::{AmpBox, CallError, Connection, Settings};

use crate::commands::{Fail, FailError, House, Total, sum};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, error, packed, soon};

/// What a call of `Fail` comes to when the peer answers with these bytes, which have the tag `1`.
async fn reply_to(bytes: impl AsRef<[u8]>) -> Result<Total, CallError<FailError>> {
    let (connection, mut peer) = RawPeer::with(House::new().into_locator(), Settings::new());
    let call = tokio::spawn(connection.call(Fail { how: "x".into() }));
    peer.expect(ask("1", "Fail", &[("how", "x")])).await;
    peer.send(bytes).await;
    let reply = soon("answered", call).await.expect("no panic");
    still_works(&connection, &mut peer).await;
    reply
}

async fn still_works(connection: &Connection, peer: &mut RawPeer) {
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("2")).await;
    peer.send(answer_sum("2")).await;
    soon("the next call", call).await.expect("no panic").expect("only the one call failed");
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn rules_29_and_30_declared_errors_arrive_as_what_they_are() {
    let rows = [
        (error("1", "SNOWMAN", "ignored"), FailError::Snowman),
        (error("1", "daemon is not ready", ""), FailError::NotReady),
        (error("1", "NotImplementedError", "not yet"), FailError::NotImplemented("not yet".into())),
        (error("1", "BROKEN", ""), FailError::Broken),
    ];
    for (bytes, expected) in rows {
        match reply_to(bytes).await {
            Err(CallError::Declared(got)) => assert_eq!(got, expected),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_fields_of_a_declared_error_arrive_and_without_them_it_is_a_remote_error() {
    let full = [("_error", "1"), ("_error_code", "TOO_FEW"), ("_error_description", ""), ("left", "3")];
    match reply_to(packed(&full)).await {
        Err(CallError::Declared(got)) => assert_eq!(got, FailError::TooFew { left: 3, wanted: None }),
        other => panic!("{other:?}"),
    }
    let bare = reply_to(error("1", "TOO_FEW", "words")).await.expect_err("an error");
    assert_eq!(bare.remote_code(), Some("TOO_FEW"));
    let broken = [("_error", "1"), ("_error_code", "TOO_FEW"), ("_error_description", ""), ("left", "x")];
    match reply_to(packed(&broken)).await {
        Err(CallError::Response(error)) => assert_eq!(error.to_string(), "left: not an integer"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn rule_35_an_unknown_code_keeps_its_code_and_its_words() {
    for code in ["ODD", "UNKNOWN", "UNHANDLED", "BUSY", "INVALID_ARGUMENT", ""] {
        match reply_to(error("1", code, "words")).await {
            Err(error @ CallError::Remote { .. }) => {
                assert_eq!(error.remote_code(), Some(code));
                assert_eq!(error.is_unhandled(), code == "UNHANDLED");
                assert_eq!(error.to_string(), format!("the peer answered {code}: words"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rule_36_a_missing_code_fails_only_its_call() {
    match reply_to(packed(&[("_error", "1"), ("_error_description", "words")])).await {
        Err(CallError::Response(error)) => assert_eq!(error.path(), "_error_code"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn rule_36_a_missing_description_fails_only_its_call() {
    match reply_to(packed(&[("_error", "1"), ("_error_code", "ODD")])).await {
        Err(CallError::Remote { code, description }) => assert_eq!((code.as_str(), description.as_str()), ("ODD", "")),
        other => panic!("{other:?}"),
    }
    match reply_to(packed(&[("_error", "1"), ("_error_code", "SNOWMAN")])).await {
        Err(CallError::Declared(FailError::Snowman)) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn rule_37_a_description_that_is_not_utf_8_is_read_with_replacements() {
    let pairs: [(&[u8], &[u8]); 3] =
        [(b"_error", b"1"), (b"_error_code", b"ODD"), (b"_error_description", b"a\xff\xe2\x98\x83")];
    match reply_to(packed(&pairs)).await {
        Err(CallError::Remote { description, .. }) => assert_eq!(description, "a\u{fffd}\u{2603}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn rule_38_a_bad_or_missing_response_key_fails_only_its_call() {
    let rows: [(&[(&str, &str)], &str); 3] = [
        (&[], "total: missing"),
        (&[("total", "x")], "total: not an integer"),
        (&[("total", "")], "total: not an integer"),
    ];
    for (response, expected) in rows {
        match reply_to(answer("1", response)).await {
            Err(CallError::Response(error)) => assert_eq!(error.to_string(), expected),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rule_04_extra_keys_of_an_answer_or_an_error_are_passed_over() {
    let reply = reply_to(answer("1", &[("Extra", "1"), ("_foo", "2"), ("total", "3"), ("zz", "4")])).await;
    assert_eq!(reply.expect("an answer").total, 3);
    let extra = [("_error", "1"), ("_error_code", "SNOWMAN"), ("_error_description", ""), ("_command", "Fail")];
    assert!(matches!(reply_to(packed(&extra)).await, Err(CallError::Declared(FailError::Snowman))));
}

#[tokio::test(start_paused = true)]
async fn an_untyped_call_gives_the_pairs_of_the_answer() {
    let (connection, mut peer) = RawPeer::with((), Settings::new());
    let arguments = AmpBox::new().with("a", "1").expect("fits").with("Z", "2").expect("fits");
    let call = tokio::spawn(async move { connection.call_box("Odd", arguments).await });
    peer.expect(packed(&[("Z", "2"), ("_ask", "1"), ("_command", "Odd"), ("a", "1")])).await;
    peer.send(answer("1", &[("b", "2"), ("_c", "3")])).await;
    let got = soon("answered", call).await.expect("no panic").expect("an answer");
    assert_eq!(got, AmpBox::new().with("_c", "3").expect("fits").with("b", "2").expect("fits"));
}
