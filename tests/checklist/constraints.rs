//! Each rule of `#[constrain(..)]`: what breaks it costs its one call, wherever the call comes from.

use std::future::poll_fn;

use amp::connection::Strictness;
use amp::value::{DecodeErrorKind, EncodeErrorKind};
use amp::{AmpBox, CallError, Connection, Reply, Server, Settings, responder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::guarded::{Case, Give, Given, Guarded, LooseValued, Node, Refused, Valued, each_rule};
use crate::logged::{Level, logged};
use crate::raw_peer::{RawPeer, answer, ask, error, packed, soon, unknown, word};

/// Answers everything that keeps to the rules.
struct Guard;

#[responder]
impl Guard {
    async fn guarded(&self, _command: Guarded) -> Reply<Guarded> {
        Ok(())
    }

    async fn valued(&self, _command: Valued) -> Reply<Valued> {
        Ok(())
    }

    async fn give(&self, command: Give) -> Reply<Give> {
        Ok(Case::all().find(|case| case.rule == command.rule).map_or_else(Given::default, |case| case.breaking()))
    }
}

fn guard() -> (Connection, RawPeer) {
    RawPeer::with(Guard.into_locator(), Settings::new())
}

fn ask_guarded(tag: &str, command: &str, arguments: &[(&str, &[u8])]) -> Vec<u8> {
    packed(&[&[("_ask", tag.as_bytes()), ("_command", command.as_bytes())], arguments].concat())
}

each_rule! { #[tokio::test(start_paused = true)] show }

async fn show(case: &Case) {
    refused_at_the_caller(case).await;
    refused_at_the_responder(case).await;
    refused_with_the_declared_error(case).await;
    answers_are_checked_at_both_ends(case).await;
}

async fn refused_at_the_caller(case: &Case) {
    let (connection, mut peer) = guard();
    let refused = soon("a refusal", connection.call(case.breaking::<Guarded>())).await.expect_err("it breaks the rule");
    let CallError::Invalid(refused) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.to_string(), case.told);
    let EncodeErrorKind::Constraints(found) = refused.kind() else { panic!("{refused:?}") };
    let found: Vec<_> = found.iter().map(|one| (one.to_string(), one.rule)).collect();
    assert_eq!(found, [(case.told.to_owned(), case.code)]);
    peer.expect_silence().await;
    // The next call is the first that the peer hears of.
    let (reply, ()) = tokio::join!(connection.call(Guarded::default()), async {
        peer.expect(ask("1", "Guarded", &[])).await;
        peer.send(answer("1", &[])).await;
    });
    reply.expect("an answer");
}

async fn refused_at_the_responder(case: &Case) {
    let (connection, mut peer) = guard();
    let mut out = connection.call(Guarded::default());
    poll_fn(|cx| out.poll_sent(cx)).await.expect("it is sent");
    peer.expect(ask("1", "Guarded", &[])).await;
    peer.send(ask_guarded("x", "Guarded", &[(case.rule, case.wire)])).await;
    peer.expect(error("x", "INVALID_ARGUMENT", case.told)).await;
    // The connection goes on, and so does the call that was out.
    peer.send(ask("y", "Guarded", &[])).await;
    peer.expect(answer("y", &[])).await;
    peer.send(answer("1", &[])).await;
    soon("the call that was out", out).await.expect("an answer");
}

async fn refused_with_the_declared_error(case: &Case) {
    let (connection, mut peer) = guard();
    peer.send(ask_guarded("x", "Valued", &[(case.rule, case.wire)])).await;
    peer.expect(error("x", "VALUE_ERROR", case.told)).await;
    drop((connection, peer));
    let (connection, _other) =
        amp::connection::pair(Connection::builder(), Connection::builder().locator(Guard.into_locator()));
    let refused =
        soon("a refusal", connection.call(case.breaking::<LooseValued>())).await.expect_err("a rule is broken");
    assert_eq!(refused.declared(), Some(&Refused::Value(case.told.to_owned())));
    let untyped = AmpBox::new().with(case.rule, case.wire).expect("a pair");
    let refused = soon("a refusal", connection.call_box("Guarded", untyped)).await.expect_err("a rule is broken");
    let CallError::Remote { code, description } = refused else { panic!("{refused:?}") };
    assert_eq!((&*code, &*description), ("INVALID_ARGUMENT", case.told));
    soon("a good call", connection.call(Guarded::default())).await.expect("the connection goes on");
}

async fn answers_are_checked_at_both_ends(case: &Case) {
    let (connection, mut peer) = guard();
    let log = logged(Level::INFO);
    peer.send(ask("x", "Give", &[("rule", case.rule)])).await;
    peer.expect(unknown("x")).await;
    assert!(log.text().contains(case.told), "{}", log.text());
    let (reply, ()) = tokio::join!(connection.call(Give { rule: String::new() }), async {
        peer.expect(ask("1", "Give", &[("rule", "")])).await;
        peer.send(packed(&[("_answer", &b"1"[..]), (case.rule, case.wire)])).await;
    });
    let Err(CallError::Response(wrong)) = reply else { panic!("{reply:?}") };
    assert_eq!(wrong.to_string(), case.told);
    assert!(matches!(wrong.kind(), DecodeErrorKind::Constraints(_)));
    peer.send(ask("y", "Give", &[("rule", "")])).await;
    peer.expect(answer("y", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn all_violations_of_a_box_are_told() {
    let (connection, mut peer) = guard();
    let told =
        "amp_list[0].port: not in 1..; non_empty: empty; range: not in 1..=9; with_a_function: does not hold: is_even";
    let pairs: [(&str, &[u8]); 4] =
        [("range", b"0"), ("amp_list", b"\0\x04port\0\x010\0\0"), ("non_empty", b""), ("with_a_function", b"1")];
    peer.send(ask_guarded("x", "Guarded", &pairs)).await;
    peer.expect(error("x", "INVALID_ARGUMENT", told)).await;
    let command = Guarded {
        range: Some(0),
        amp_list: Some(vec![Node { port: 0 }]),
        non_empty: Some(String::new()),
        with_a_function: Some(1),
        ..Guarded::default()
    };
    let refused = connection.call(command).await.expect_err("rules are broken");
    assert_eq!(word(&refused), "Invalid");
    assert_eq!(refused.to_string(), format!("the arguments cannot be sent: {told}"));
}

#[tokio::test(start_paused = true)]
async fn sixteen_violations_are_told_and_the_others_counted() {
    let (_connection, mut peer) = guard();
    let list = b"\0\x04port\0\x010\0\0".repeat(20);
    peer.send(ask_guarded("x", "Guarded", &[("amp_list", &list), ("range", b"0")])).await;
    let items: Vec<_> = (0..16).map(|index| format!("amp_list[{index}].port: not in 1..")).collect();
    let told = format!("{}; and 5 more", items.join("; "));
    peer.expect(error("x", "INVALID_ARGUMENT", &told)).await;
    peer.send(ask("y", "Guarded", &[])).await;
    peer.expect(answer("y", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn a_strict_connection_answers_unknown_and_ends_as_twisted_does() {
    for (command, arguments) in [("Guarded", [("range", "0")]), ("Give", [("rule", "range")])] {
        let settings = Settings::new().strictness(Strictness::Twisted);
        let (_connection, mut peer) = RawPeer::with(Guard.into_locator(), settings);
        peer.send(ask("x", command, &arguments)).await;
        peer.expect_end(unknown("x")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_violation_in_an_ask_that_wants_no_answer_costs_nothing_else() {
    let (_connection, mut peer) = guard();
    let log = logged(Level::INFO);
    peer.send(packed(&[("_command", "Guarded"), ("range", "0")])).await;
    peer.send(ask("y", "Guarded", &[])).await;
    peer.expect(answer("y", &[])).await;
    assert!(log.text().contains("range: not in 1..=9"), "{}", log.text());
}

#[tokio::test]
async fn each_rule_is_told_on_a_raw_tcp_socket_which_stays_open() {
    let server = Server::builder()
        .settings(Settings::new().announce(false))
        .bind_tcp("127.0.0.1:0", |_| Guard.into_locator())
        .await
        .expect("a port");
    let mut socket = TcpStream::connect(server.local_addr().expect("TCP")).await.expect("a server");
    for case in Case::all() {
        let violating = ask_guarded("x", "Guarded", &[(case.rule, case.wire)]);
        let asks = [violating, ask("y", "Guarded", &[])].concat();
        soon("sending", socket.write_all(&asks)).await.expect("an open socket");
        let expected = [error("x", "INVALID_ARGUMENT", case.told), answer("y", &[])].concat();
        let mut got = vec![0; expected.len()];
        soon("both answers", socket.read_exact(&mut got)).await.expect("an open socket");
        assert_eq!(got.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{}", case.rule);
    }
}
