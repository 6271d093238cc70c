//! What two ends of this library tell each other beside the commands (`wire.md`, section 7), and what other peers see of it.

use std::time::Duration;

use amp::connection::{BoxReceiver, Strictness};
use amp::{AmpBox, Connection, Settings};

use crate::commands::{House, Note, sum};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, ended, error, packed, soon};

pub(crate) const WORDS: (&str, &str) = ("_amp", "1 goodbye notify");

/// A connection that announces.
pub(crate) fn announcing(settings: Settings) -> (Connection, RawPeer) {
    RawPeer::announcing(House::new().into_locator(), settings)
}

/// The peer has announced, and read the greeting.
pub(crate) async fn greeted(peer: &mut RawPeer) {
    peer.send(packed(&[WORDS, ("_command", "amp.Hello")])).await;
    peer.expect(packed(&[WORDS, ("_command", "amp.Hello")])).await;
}

pub(crate) fn goodbye(code: &str, text: &str) -> Vec<u8> {
    packed(&[("_command", "amp.Goodbye"), ("code", code), ("text", text)])
}

#[tokio::test(start_paused = true)]
async fn the_first_box_of_each_kind_announces_and_no_other() {
    let (connection, mut peer) = announcing(Settings::new());
    for tag in ["1", "2"] {
        drop(tokio::spawn(connection.call(sum())));
        let ask = [("_ask", tag), ("_command", "Sum"), ("a", "1"), ("b", "2")];
        peer.expect(if tag == "1" { packed(&[&[WORDS], &ask[..]].concat()) } else { packed(&ask) }).await;
    }
    let (_connection, mut peer) = announcing(Settings::new());
    peer.send([ask_sum("1"), ask_sum("2")].concat()).await;
    peer.expect([packed(&[WORDS, ("_answer", "1"), ("total", "3")]), answer_sum("2")].concat()).await;

    let (_connection, mut peer) = announcing(Settings::new());
    peer.send([ask("1", "Nope", &[]), ask_sum("2")].concat()).await;
    let description = "Unhandled Command: b'Nope'";
    let first = [WORDS, ("_error", "1"), ("_error_code", "UNHANDLED"), ("_error_description", description)];
    peer.expect([packed(&first), answer_sum("2")].concat()).await;

    let (connection, mut peer) = announcing(Settings::new());
    connection.notify(Note { text: "n".into() }).await.expect("sent");
    peer.expect(packed(&[WORDS, ("_command", "Note"), ("text", "n")])).await;
}

#[tokio::test(start_paused = true)]
async fn a_box_that_announcing_would_make_too_long_is_sent_as_it_is() {
    let limits = amp::wire::BoxLimits::new().bytes(packed(&[("_command", "Note"), ("text", "n")]).len());
    let (connection, mut peer) = announcing(Settings::new().boxes(limits));
    connection.notify(Note { text: "n".into() }).await.expect("sent");
    connection.notify(Note { text: "m".into() }).await.expect("sent");
    peer.expect(
        [packed(&[("_command", "Note"), ("text", "n")]), packed(&[("_command", "Note"), ("text", "m")])].concat(),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_pure_receiver_greets_a_peer_that_has_announced_and_no_other() {
    let (_connection, mut peer) = announcing(Settings::new());
    peer.send(packed(&[WORDS, ("_command", "Note"), ("text", "n")])).await;
    peer.expect(packed(&[WORDS, ("_command", "amp.Hello")])).await;
    // Only once, and nothing in answer to a greeting.
    peer.send(packed(&[WORDS, ("_command", "amp.Hello")])).await;
    peer.expect_silence().await;

    let (_connection, mut peer) = announcing(Settings::new());
    peer.send(packed(&[WORDS, ("_ask", "1"), ("_command", "Sum"), ("a", "1"), ("b", "2")])).await;
    peer.expect(packed(&[WORDS, ("_answer", "1"), ("total", "3")])).await;
    peer.expect_silence().await;

    for first in
        [&[("_command", "Note"), ("text", "n")][..], &[("_amp", "2 notify"), ("_command", "Note"), ("text", "n")]]
    {
        let (_connection, mut peer) = announcing(Settings::new());
        peer.send(packed(first)).await;
        peer.expect_silence().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_off_announces_and_understands_nothing() {
    for settings in [Settings::new().announce(false), Settings::new().strictness(Strictness::Twisted)] {
        let (connection, mut peer) = announcing(settings);
        peer.send(packed(&[WORDS, ("_ask", "1"), ("_command", "amp.Hello")])).await;
        peer.expect(error("1", "UNHANDLED", "Unhandled Command: b'amp.Hello'")).await;
        for _ in 0..200 {
            connection.notify(Note { text: "n".into() }).await.expect("sent");
        }
        peer.expect(packed(&[("_command", "Note"), ("text", "n")]).repeat(200)).await;
        peer.send(b"\x01\0").await;
        peer.expect_end("").await;
    }
}

#[tokio::test(start_paused = true)]
async fn to_a_peer_that_has_not_announced_notifications_are_twisteds_and_wait_for_nothing() {
    let (connection, mut peer) = announcing(Settings::new());
    peer.send(ask_sum("1")).await;
    peer.expect(packed(&[WORDS, ("_answer", "1"), ("total", "3")])).await;
    for _ in 0..1000 {
        connection.notify(Note { text: "n".into() }).await.expect("sent");
    }
    peer.expect(packed(&[("_command", "Note"), ("text", "n")]).repeat(1000)).await;
    peer.send(b"\x01\0").await;
    peer.expect_end("").await;
}

#[tokio::test(start_paused = true)]
async fn an_end_for_cause_is_told_to_a_peer_that_understands_it_as_the_last_box() {
    let rows: [(&[u8], &str, &str); 3] = [
        (b"\x01\0", "PROTOCOL", "the peer's bytes are not AMP: a key of "),
        (b"\0\x01a\0\0\0\0", "PROTOCOL", "the peer's box is not AMP: a box without "),
        (b"\0\x07_answer\0\x0277\0\0", "PROTOCOL", "the peer answered a tag that is not out"),
    ];
    for (bytes, code, text) in rows {
        let (_connection, mut peer) = announcing(Settings::new());
        greeted(&mut peer).await;
        peer.send([&ask_sum("1"), bytes].concat()).await;
        peer.expect(answer_sum("1")).await;
        let last = peer.rest().await;
        let head = packed(&[("_command", "amp.Goodbye"), ("code", code), ("text", "")]);
        let (head, rest) = last.split_at(head.len() - 4);
        assert_eq!(head, &packed(&[("_command", "amp.Goodbye"), ("code", code), ("text", "")])[..head.len()]);
        let (length, said) = rest.split_at(2);
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        assert!(said.len() == length + 2 && said.starts_with(text.as_bytes()), "{}", said.escape_ascii());
    }
    let (_connection, mut peer) = announcing(Settings::new());
    greeted(&mut peer).await;
    peer.send(ask("1", "Fail", &[("how", "broken")])).await;
    let text = "a responder answered with the fatal error BROKEN";
    // What else is answered in the same moment goes out before the last box.
    peer.expect_end([error("1", "BROKEN", "the abacus is broken"), goodbye("BROKEN", text)].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_why_it_ends_gives_everybody_who_waits_that_reason() {
    let (connection, mut peer) = announcing(Settings::new());
    greeted(&mut peer).await;
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("2")).await;
    peer.send([goodbye("NO\n MORE", "a \u{1b}[2J line\n of its own"), ask_sum("1")].concat()).await;
    peer.expect_end("").await;
    let error = soon("told", call).await.expect("no panic").expect_err("it has ended");
    let told = "the connection ended: the peer ended the connection with NO\\n MORE: a \\u{1b}[2J line\\n of its own";
    assert_eq!(error.to_string(), told);
    assert_eq!(ended(&connection).await, "EndedByPeer");
}

#[tokio::test(start_paused = true)]
async fn a_command_of_the_library_that_is_not_known_is_passed_over_or_unhandled() {
    let (_connection, mut peer) = announcing(Settings::new());
    greeted(&mut peer).await;
    peer.send(packed(&[("_command", "amp.Later")])).await;
    peer.send(ask("1", "amp.Later", &[])).await;
    peer.expect(error("1", "UNHANDLED", "Unhandled Command: b'amp.Later'")).await;
    peer.send(ask("2", "amp.Hello", &[])).await;
    peer.expect(answer("2", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_given_when_the_connection_ends_for_cause_goes_out_before_the_last_box() {
    let house = House::new();
    let (_connection, mut peer) = RawPeer::announcing(house.clone().into_locator(), Settings::new());
    greeted(&mut peer).await;
    peer.send([ask("1", "Fail", &[("how", "later broken")]), ask("2", "Fail", &[("how", "later broken")])].concat())
        .await;
    let broken = |tag| error(tag, "BROKEN", "the abacus is broken");
    let text = "a responder answered with the fatal error BROKEN";
    peer.expect_end([broken("1"), broken("2"), goodbye("BROKEN", text)].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn keys_and_commands_of_this_library_mean_nothing_from_a_peer_that_has_not_announced() {
    let (_connection, mut peer) = announcing(Settings::new());
    let sum = |tag| packed(&[("_ask", tag), ("_command", "Sum"), ("_notify", ""), ("a", "1"), ("b", "2")]);
    peer.send(sum("1")).await;
    peer.expect(packed(&[WORDS, ("_answer", "1"), ("total", "3")])).await;
    peer.send(ask("2", "amp.Hello", &[])).await;
    peer.expect(error("2", "UNHANDLED", "Unhandled Command: b'amp.Hello'")).await;
    peer.send([goodbye("NO", "more"), sum("3")].concat()).await;
    peer.expect(answer_sum("3")).await;
}

#[tokio::test(start_paused = true)]
async fn a_first_box_without_room_is_made_up_for_by_a_greeting_when_the_peer_has_announced() {
    let note = |text: &str| packed(&[("_command", "Note"), ("text", text)]);
    let full = "n".repeat(50);
    let limits = amp::wire::BoxLimits::new().bytes(note(&full).len());
    let (connection, mut peer) = announcing(Settings::new().boxes(limits));
    connection.notify(Note { text: full.clone() }).await.expect("sent");
    peer.expect(note(&full)).await;
    peer.expect_silence().await;
    peer.send(packed(&[WORDS, ("_command", "amp.Hello")])).await;
    peer.expect(packed(&[WORDS, ("_command", "amp.Hello")])).await;

    // The other end takes it up, whenever it comes.
    let (connection, mut peer) = announcing(Settings::new());
    drop(tokio::spawn(connection.call(sum())));
    peer.expect(packed(&[WORDS, ("_ask", "1"), ("_command", "Sum"), ("a", "1"), ("b", "2")])).await;
    peer.send([note("n"), packed(&[WORDS, ("_command", "amp.Hello")])].concat()).await;
    peer.expect_silence().await;
    let sent = (0..128).map(|_| connection.notify(Note { text: "n".into() }));
    for sent in sent {
        soon("a notification", sent).await.expect("sent");
    }
    assert!(tokio::time::timeout(Duration::from_secs(1), connection.notify(Note { text: "n".into() })).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_passes_a_gateway_cannot_speak_for_it() {
    let arguments = || AmpBox::new().with("code", "PROTOCOL").expect("a pair that fits");
    for name in ["amp.Hello", "amp.Goodbye"] {
        let (announcing, mut greeting) = announcing(Settings::new());
        greeted(&mut greeting).await;
        // One that announces nothing may have a peer that does.
        for (connection, mut peer) in [(announcing, greeting), RawPeer::with((), Settings::new())] {
            let refused = connection.call_box(name, arguments()).await.expect_err("this library's own");
            let why = format!("the arguments cannot be sent: _command: `{name}` is a command of this library's own");
            assert_eq!(refused.to_string(), why);
            peer.expect_silence().await;
        }
    }
}

/// Takes boxes and looks at none.
struct Blind;

impl BoxReceiver for Blind {
    fn receive_box(&mut self, _: AmpBox) {}
}

/// The receiver's boxes may be those of another connection, and so may their announcement.
#[tokio::test(start_paused = true)]
async fn rule_87_a_first_box_that_goes_to_a_receiver_of_the_programs_announces_nothing_and_no_later_one_does() {
    let (connection, mut peer) = announcing(Settings::new());
    connection.switch_receiver(Blind);
    peer.send(packed(&[WORDS, ("_command", "Note"), ("text", "n")])).await;
    peer.expect_silence().await;
    connection.restore_receiver();
    let sum = |tag| packed(&[WORDS, ("_ask", tag), ("_command", "Sum"), ("a", "1"), ("b", "2")]);
    peer.send([sum("1"), sum("2")].concat()).await;
    peer.expect([packed(&[WORDS, ("_answer", "1"), ("total", "3")]), answer_sum("2")].concat()).await;
    for _ in 0..200 {
        connection.notify(Note { text: "n".into() }).await.expect("sent");
    }
    peer.expect(packed(&[("_command", "Note"), ("text", "n")]).repeat(200)).await;
}
