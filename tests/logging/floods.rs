//! However much a peer sends, and however often it comes again, the number of lines has a bound.

use std::time::Duration;

use amp::multiplex::{Factories, Multiplexing, Opening, StreamSettings};
use amp::{Builder, Connection, Settings, Strictness};

use crate::commands::Careless;
use crate::log::Log;
use crate::raw_peer::{RawPeer, answer, ask, packed};

/// How often a peer does what is logged.
const MANY: usize = 3000;

fn careless(settings: Settings) -> Builder {
    let factories = Factories::new();
    // Each stream stays where it is until the connection ends.
    factories.insert("kept", |opening: Opening| std::mem::forget(opening.accept()));
    let streams = Multiplexing::with_settings(&factories, StreamSettings::new().most_streams(1));
    Connection::builder().extension(streams).locator(Careless.into_locator()).settings(settings.announce(false))
}

/// Sends a box many times, reads what is answered and leaves. Returns the lines.
async fn lines_of_a_flood(settings: Settings, sent: &[u8]) -> Vec<String> {
    let log = Log::start();
    let (connection, mut peer) = RawPeer::of(64 << 20, careless(settings));
    peer.send(sent.repeat(MANY)).await;
    peer.finish().await;
    peer.rest().await;
    connection.closed().await;
    log.lines()
}

fn no_answer(command: &str, arguments: &[(&str, &str)]) -> Vec<u8> {
    packed(&[&[("_command", command)], arguments].concat())
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_one_kind_is_two_lines_the_first_and_how_many_more_there_were() {
    let one = || Settings::new().most_responders(1);
    let rows: [(&str, Settings, Vec<u8>, &str); 12] = [
        ("Unhandled Command", Settings::new(), no_answer("None", &[]), "unknown commands: 2999"),
        ("too many commands", one(), ask("x", "Wait", &[]), "commands refused as too many: 2998"),
        ("refused an argument", Settings::new(), ask("x", "Fail", &[]), "arguments refused with an answer: 2999"),
        ("no answer was wanted", Settings::new(), no_answer("Fail", &[]), "arguments refused: 2999"),
        ("a responder failed", Settings::new(), ask("x", "Fail", &[("how", "x")]), "responders failed: 2999"),
        ("a responder failed", Settings::new(), no_answer("Fail", &[("how", "later x")]), "responders failed: 2999"),
        ("a responder panicked", Settings::new(), ask("x", "Fail", &[("how", "panic x")]), "responders panicked: 2999"),
        (
            "failed; no answer",
            Settings::new(),
            no_answer("Fail", &[("how", "refuse x")]),
            "errors without an answer: 2999",
        ),
        ("tags that are not out", Settings::new().ignore_unknown_answers(true), answer("7", &[]), "are not out: "),
        (
            "a Connect that wants no",
            Settings::new(),
            no_answer("Connect", &[("factory", "x")]),
            "without an answer: 2999",
        ),
        ("refused a stream", Settings::new(), ask("x", "Connect", &[("factory", "kept")]), "streams refused: 2998"),
        ("connection ends", Settings::new(), vec![0xff; 2], ""),
    ];
    for (words, settings, sent, more) in rows {
        let lines = lines_of_a_flood(settings, &sent).await;
        let expected = if more.is_empty() { 1 } else { 2 };
        assert!(lines.len() == expected && lines[0].contains(words), "{words}: {lines:#?}");
        let summary = "further events of the connection were counted";
        assert!(more.is_empty() || lines[1].contains(summary) && lines[1].contains(more), "{more}: {lines:#?}");
    }
}

/// Under Twisted's rules each of them ends its connection.
#[tokio::test(start_paused = true)]
async fn a_peer_that_comes_again_and_again_gets_a_burst_of_lines_and_then_one_a_second() {
    let floods: [(&str, Vec<u8>); 4] = [
        ("refused an argument", ask("x", "Fail", &[])),
        ("a responder failed", ask("x", "Fail", &[("how", "x")])),
        ("Unhandled Command", no_answer("None", &[])),
        ("connection ends", b"GET / HTTP/1.1\r\n".to_vec()),
    ];
    for (words, sent) in floods {
        let log = Log::start();
        let builder = careless(Settings::new().strictness(Strictness::Twisted));
        let comes = async || {
            let (connection, mut peer) = RawPeer::of(1 << 16, builder.clone());
            peer.send(&sent).await;
            peer.finish().await;
            peer.rest().await;
            connection.closed().await;
        };
        for _ in 0..500 {
            comes().await;
        }
        assert_eq!(log.lines().len(), 32, "{words}: {:#?}", log.lines());
        tokio::time::sleep(Duration::from_secs(1)).await;
        comes().await;
        let lines = log.lines();
        assert!(lines.len() == 33 && lines[32].contains(words) && lines[32].contains("omitted=468"), "{lines:#?}");
        comes().await;
        drop(builder);
        let lines = log.lines();
        assert!(lines.len() == 34 && lines[33].contains("further events were counted"), "{lines:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_floods_and_comes_again_gets_no_more_lines_for_that() {
    let log = Log::start();
    let builder = careless(Settings::new());
    for _ in 0..100 {
        let (connection, mut peer) = RawPeer::of(1 << 20, builder.clone());
        peer.send(no_answer("None", &[]).repeat(100)).await;
        drop(peer);
        connection.closed().await;
    }
    // A burst of the kind, and one of the lines that sum up.
    assert_eq!(log.lines().len(), 64, "{:#?}", log.lines());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (_connection, mut peer) = RawPeer::of(1 << 20, builder.clone());
    peer.send(no_answer("None", &[])).await;
    peer.expect_silence().await;
    // All of the 10,000 but those of the lines that were told.
    assert!(log.lines()[64].contains(&format!("omitted={}", 10_000 - 32 - 32 * 99)), "{}", log.lines()[64]);
}
