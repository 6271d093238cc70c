//! The scripted peer: what passes, and what each expectation says when it fails.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp::testing::{ScriptedPeer, box_bytes, soon};
use amp::{AmpBox, CallError, Connection, Settings};
use tokio::io::duplex;
use tokio::time::Instant;

use crate::panics::{assert_says, message_of_future};
use crate::sample::{Divide, DivideError, Divider, Note, Notes, Quotient};

const SECOND: Duration = Duration::from_secs(1);

fn scripted() -> (Connection, ScriptedPeer) {
    let builder = Connection::builder().locator(Divider.into_locator());
    ScriptedPeer::connect(builder.settings(Settings::new().announce(false)))
}

/// A peer whose other end is a script, too, which has sent this and ends.
async fn hearing(bytes: impl AsRef<[u8]>) -> ScriptedPeer {
    let (here, there) = duplex(1 << 16);
    ScriptedPeer::over(there).send(bytes).await;
    ScriptedPeer::over(here)
}

fn answer(result: &str) -> Vec<u8> {
    box_bytes(&[("_answer", "1"), ("result", result)])
}

fn note() -> Vec<u8> {
    box_bytes(&[("_command", "Note"), ("text", "hello")])
}

#[tokio::test(start_paused = true)]
async fn a_script_calls_and_answers_by_commands() {
    let notes = Arc::new(Notes(Mutex::default()));
    let builder = Connection::builder().locator(Divider.into_locator()).shared_state(Arc::clone(&notes));
    let (connection, mut peer) = ScriptedPeer::connect(builder.settings(Settings::new().announce(false)));
    peer.send_ask("a", &Divide { left: 6, right: 2 }).await;
    assert_eq!(peer.expect_reply::<Divide>("a").await.expect("an answer").result, 3);
    peer.send_ask("b", &Divide { left: 6, right: 0 }).await;
    assert!(matches!(peer.expect_reply::<Divide>("b").await, Err(CallError::Declared(DivideError::ByZero))));

    let call = tokio::spawn(connection.call(Divide { left: 1, right: 1 }));
    let (tag, asked) = peer.expect_ask::<Divide>().await;
    assert_eq!(asked, Divide { left: 1, right: 1 });
    peer.send_error::<Divide>(&tag, &DivideError::Remainder { remainder: 5 }).await;
    let reply = soon("the call", call).await.expect("no panic");
    assert!(matches!(reply, Err(CallError::Declared(DivideError::Remainder { remainder: 5 }))), "{reply:?}");

    let call = tokio::spawn(connection.call(Divide { left: 1, right: 1 }));
    let (tag, _) = peer.expect_ask::<Divide>().await;
    peer.send_answer::<Divide>(&tag, &Quotient { result: 77 }).await;
    assert_eq!(soon("the call", call).await.expect("no panic").expect("an answer").result, 77);

    connection.notify(Note { text: "hello".to_owned() }).await.expect("queued");
    assert_eq!(peer.expect_notification::<Note>().await.text, "hello");

    // A notification runs, and the same command with a tag is answered.
    let note = Note { text: "hello".to_owned() };
    peer.send_notification(&note).await;
    peer.expect_silence(SECOND).await;
    assert_eq!(*notes.0.lock().expect("no panic"), ["hello"]);
    peer.send_ask("c", &note).await;
    peer.expect(box_bytes(&[("_answer", "c")])).await;
    connection.close();
    peer.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_script_sends_and_expects_boxes_and_bytes() {
    let (connection, mut peer) = scripted();
    let ask = box_bytes(&[("_ask", "1"), ("_command", "Divide"), ("left", "6"), ("right", "2")]);
    peer.send(&ask[..7]).await;
    peer.expect_silence(SECOND).await;
    peer.send(&ask[7..]).await;
    let expected = AmpBox::new().with("_answer", "1").expect("it fits").with("result", "3").expect("it fits");
    peer.expect_box(&expected).await;

    let ask = AmpBox::new().with("_ask", "1").expect("it fits").with("_command", "Nope").expect("it fits");
    peer.send_box(&ask).await;
    let refused = peer.next_box().await;
    assert_eq!(refused.value("_error_code").map(|code| &code[..]), Some(&b"UNHANDLED"[..]));

    peer.send(
        [&note()[..], &box_bytes(&[("_ask", "2"), ("_command", "Divide"), ("left", "6"), ("right", "2")])].concat(),
    )
    .await;
    assert_eq!(peer.read_bytes(3).await, answer("3")[..3]);
    assert_eq!(peer.read_some().await.len(), answer("3").len() - 3);
    assert_eq!(peer.next_box_within(SECOND).await, None);
    peer.finish().await;
    assert_eq!(peer.read_to_end().await, b"");
    soon("the end", connection.closed()).await;
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_is_no_text_comes_and_goes_as_it_is() {
    let (here, there) = duplex(1 << 16);
    let (mut one, mut other) = (ScriptedPeer::over(here), ScriptedPeer::over(there));
    one.send_ask(b"\xff\x01", &Note { text: String::new() }).await;
    let (tag, _) = other.expect_ask::<Note>().await;
    assert_eq!(tag, b"\xff\x01"[..]);
    other.send_answer::<Note>(&tag, &()).await;
    one.expect_reply::<Note>(&tag).await.expect("an answer");
}

#[tokio::test(start_paused = true)]
async fn silence_lasts_as_long_as_it_should_and_takes_no_time_of_ours() {
    let (_connection, mut peer) = scripted();
    let (begin, clock) = (Instant::now(), std::time::Instant::now());
    peer.expect_silence(Duration::from_secs(25)).await;
    assert!(begin.elapsed() >= Duration::from_secs(25) && clock.elapsed() < Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn what_came_of_a_box_is_kept_when_nobody_waits_for_it_any_more() {
    let (here, there) = duplex(1 << 16);
    let (mut peer, mut other) = (ScriptedPeer::over(here), ScriptedPeer::over(there));
    other.send(&answer("3")[..10]).await;
    assert_eq!(peer.next_box_within(SECOND).await, None);
    other.send(&answer("3")[10..]).await;
    peer.expect(answer("3")).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_that_is_not_expected() {
    let (here, there) = duplex(answer("3").len());
    let (mut peer, mut other) = (ScriptedPeer::over(here), ScriptedPeer::over(there).timeout(SECOND));
    other.send([answer("3"), vec![0]].concat().split_last().expect("bytes").1).await;
    peer.expect(&answer("3")[..4]).await;
    other.send(b"1234").await;
    let message = message_of_future(async move { other.send(b"5").await }).await;
    assert_says(&message, &["scripts.rs", "does not read"]);
}

#[tokio::test(start_paused = true)]
async fn bytes_that_differ_are_shown_beside_those_that_were_expected() {
    let mut peer = hearing([answer("4"), note()].concat()).await;
    let line = line!() + 1;
    let message = message_of_future(async move { peer.expect(answer("3")).await }).await;
    // The failure is told of the caller's line.
    assert_says(
        &message,
        &[
            &format!("scripts.rs:{line}:"),
            "expected",
            r#"{_answer: "1", result: "3"}"#,
            "but this came",
            r#"{_answer: "1", result: "4"}"#,
            r#"{_command: "Note", text: "hello"}"#,
        ],
    );

    let mut peer = hearing(note()).await;
    let expected = AmpBox::new().with("_command", "Nope").expect("it fits");
    let message = message_of_future(async move { peer.expect_box(&expected).await }).await;
    assert_says(&message, &["scripts.rs", "expected", r#"{_command: "Nope"}"#, "but this came", r#""Note""#]);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_come_is_told_with_what_came_before_it() {
    let mut peer = hearing(&answer("3")[..12]).await;
    let message = message_of_future(async move { peer.expect(answer("3")).await }).await;
    assert_says(
        &message,
        &["scripts.rs", "expected", r#"result: "3"}"#, "the connection ended", "no whole box", "_answer"],
    );

    let (here, _there) = duplex(64);
    let mut peer = ScriptedPeer::over(here).timeout(2 * SECOND);
    let message = message_of_future(async move { peer.next_box().await }).await;
    assert_says(&message, &["scripts.rs", "expected", "a box", "nothing more came for 2s"]);

    let mut peer = hearing("12").await;
    let message = message_of_future(async move { peer.read_bytes(3).await }).await;
    assert_says(&message, &["scripts.rs", "expected 3 bytes", "ended", "12"]);

    let mut peer = hearing("").await;
    assert_says(&message_of_future(async move { peer.read_some().await }).await, &["expected bytes", "ended"]);

    let (here, _there) = duplex(64);
    let mut peer = ScriptedPeer::over(here);
    let message = message_of_future(async move { peer.read_to_end().await }).await;
    assert_says(&message, &["expected the end", "nothing more came for 60s"]);
}

#[tokio::test(start_paused = true)]
async fn an_end_or_a_silence_that_does_not_come_is_told_with_what_came_instead() {
    let mut peer = hearing(note()).await;
    let message = message_of_future(async move { peer.expect_end().await }).await;
    assert_says(&message, &["scripts.rs", "expected", "the end", "but this came", "hello"]);

    let (here, _there) = duplex(64);
    let mut peer = ScriptedPeer::over(here);
    let message = message_of_future(async move { peer.expect_end().await }).await;
    assert_says(&message, &["expected the end", "nothing more came"]);

    let mut peer = hearing(note()).await;
    let message = message_of_future(async move { peer.expect_silence(SECOND).await }).await;
    assert_says(&message, &["scripts.rs", "expected", "silence for 1s", "but this came", "hello"]);

    let mut peer = hearing("").await;
    let message = message_of_future(async move { peer.expect_silence(SECOND).await }).await;
    assert_says(&message, &["expected silence for 1s", "the connection ended"]);
}

#[tokio::test(start_paused = true)]
async fn a_box_that_is_not_the_expected_command_is_shown() {
    let mut peer = hearing(note()).await;
    let message = message_of_future(async move { peer.expect_ask::<Divide>().await }).await;
    assert_says(&message, &["scripts.rs", "an ask for `Divide`", "but this came", "hello"]);

    let mut peer = hearing(note()).await;
    let message = message_of_future(async move { peer.expect_ask::<Note>().await }).await;
    assert_says(&message, &["an ask for `Note` that wants an answer", "but this came", "hello"]);

    let asked = box_bytes(&[("_ask", "1"), ("_command", "Note"), ("text", "hello")]);
    let mut peer = hearing(asked).await;
    let message = message_of_future(async move { peer.expect_notification::<Note>().await }).await;
    assert_says(&message, &["a notification of `Note`", "but this came", r#"_ask: "1""#]);

    // A marked notification has a tag, and is one all the same.
    let marked = || box_bytes(&[("_ask", "1"), ("_command", "Note"), ("_notify", ""), ("text", "hello")]);
    assert_eq!(hearing(marked()).await.expect_notification::<Note>().await.text, "hello");
    let mut peer = hearing(marked()).await;
    let message = message_of_future(async move { peer.expect_ask::<Note>().await }).await;
    assert_says(&message, &["an ask for `Note` that wants an answer", "but this came", "hello"]);

    let asked = box_bytes(&[("_ask", "1"), ("_command", "Divide"), ("left", "x"), ("right", "1")]);
    let mut peer = hearing(asked).await;
    let message = message_of_future(async move { peer.expect_ask::<Divide>().await }).await;
    assert_says(&message, &["arguments of `Divide` do not decode", "left", r#"left: "x""#]);

    let mut peer = hearing(answer("3")).await;
    let message = message_of_future(async move { peer.expect_reply::<Divide>("2").await }).await;
    assert_says(&message, &["answer or an error to the ask \"2\"", "but this came", r#"_answer: "1""#]);

    let mut peer = hearing("GET / HTTP/1.1").await;
    let message = message_of_future(async move { peer.next_box().await }).await;
    assert_says(&message, &["expected", "a box", "but this came", "GET / HTTP/1.1"]);

    // However little time there is: it is no silence, although the message waits for more.
    for time in [Duration::ZERO, Duration::from_millis(1), SECOND] {
        let (here, there) = duplex(1 << 16);
        let (mut peer, mut other) = (ScriptedPeer::over(here), ScriptedPeer::over(there));
        other.send("GET / HTTP/1.1").await;
        let message = message_of_future(async move { peer.next_box_within(time).await }).await;
        assert_says(&message, &["scripts.rs", "expected", "a box", "but this came", "GET / HTTP/1.1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn boxes_that_mean_nothing_fail_at_the_line_of_the_caller_and_are_shown() {
    let nameless = || box_bytes(&[("_ask", "1"), ("a", "2")]);
    let mut peer = hearing(nameless()).await;
    let line = line!() + 1;
    let message = message_of_future(async move { peer.expect_ask::<Divide>().await }).await;
    assert_says(&message, &[&format!("scripts.rs:{line}:"), "an ask for `Divide`", r#"{_ask: "1", a: "2"}"#]);

    let twice = box_bytes(&[("a", "1"), ("a", "2")]);
    let mut peer = hearing(&twice).await;
    let line = line!() + 1;
    let message = message_of_future(async move { peer.next_box().await }).await;
    assert_says(&message, &[&format!("scripts.rs:{line}:"), "the key `a` comes twice", r#"{a: "1", a: "2"}"#]);
}

#[tokio::test(start_paused = true)]
async fn a_box_is_expected_whole_however_large_it_is() {
    let pairs: Vec<_> = (0..1100).map(|key| (format!("k{key:04}"), vec![b'x'; 1000])).collect();
    let (here, there) = duplex(1 << 10);
    let (mut peer, mut other) = (ScriptedPeer::over(here), ScriptedPeer::over(there));
    let sent = tokio::spawn(async move { other.send([box_bytes(&pairs), answer("3")].concat()).await });
    assert_eq!(peer.next_box().await.value("k1099").map(bytes::Bytes::len), Some(1000));
    peer.expect(answer("3")).await;
    soon("the sender", sent).await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_gone_takes_no_bytes() {
    let (here, there) = duplex(64);
    drop(there);
    let mut peer = ScriptedPeer::over(here);
    assert_eq!(peer.try_send(note()).await.expect_err("nobody is there").kind(), ErrorKind::BrokenPipe);
    let message = message_of_future(async move { peer.send(note()).await }).await;
    assert_says(&message, &["scripts.rs", "could not send", "hello"]);
}

#[tokio::test(start_paused = true)]
async fn what_hangs_is_told_by_its_name() {
    let message = message_of_future(async { soon("the moon", std::future::pending::<()>()).await }).await;
    assert_says(&message, &["scripts.rs", "the moon: not complete after 60s"]);
}
