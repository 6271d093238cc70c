//! However much a peer sends, and however often it comes again, the number of lines has a bound.

use std::time::Duration;

use amp::connection::{ConnectionBuilder, Strictness, pair};
use amp::multiplex::{Factories, Forward, Multiplexer, Multiplexing, Opening, StreamSettings, Target};
use amp::{Connection, Settings};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::commands::Careless;
use crate::log::Log;
use crate::raw_peer::{RawPeer, answer, ask, packed, soon};

/// How often a peer does what is logged.
const MANY: usize = 3000;

fn careless(settings: Settings) -> ConnectionBuilder {
    let factories = Factories::new();
    // Each stream stays where it is until the connection ends.
    factories.insert("kept", |opening: Opening| std::mem::forget(opening.accept()));
    let streams = Multiplexing::with_settings(&factories, StreamSettings::new().max_streams(1));
    Connection::builder()
        .extension(streams)
        .locator(Careless.into_locator())
        .settings(settings.announce(false).slow_poll(None))
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
    let one = || Settings::new().max_responders(1);
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

#[tokio::test(start_paused = true)]
async fn streams_that_a_peer_overfills_are_told_once_however_many_there_are() {
    let log = Log::start();
    let factories = Factories::new();
    factories.insert("kept", |opening: Opening| std::mem::forget(opening.accept()));
    let streams = Multiplexing::with_settings(&factories, StreamSettings::new().max_buffered(4096));
    let builder = Connection::builder().extension(streams).settings(Settings::new().announce(false));
    let (connection, mut peer) = RawPeer::of(16 << 20, builder);
    for _ in 0..50 {
        peer.send(ask("x", "Connect", &[("factory", "kept")])).await;
        let accepted = peer.read_some().await;
        let at = accepted.windows(10).position(|window| window == b"connection").expect("it is accepted") + 12;
        let id = std::str::from_utf8(&accepted[at..at + usize::from(accepted[at - 1])]).expect("letters");
        let data = "x".repeat(60_000);
        peer.send(ask("y", "Transmit", &[("connection", id), ("data", &data)]).repeat(3)).await;
        peer.read_some().await;
    }
    peer.finish().await;
    peer.rest().await;
    connection.closed().await;
    let lines = log.lines();
    assert!(lines.len() == 2 && lines[0].contains("was ended") && lines[1].contains(": 49"), "{lines:#?}");
}

/// Lets a client go to a forward until it is reset.
async fn visit(forward: &Forward) {
    let mut client = TcpStream::connect(forward.local_addr().expect("it is TCP")).await.expect("it listens");
    let _ = soon("the end", client.read(&mut [0; 1])).await;
}

#[tokio::test]
async fn visitors_of_a_forward_whose_target_is_away_get_a_burst_of_lines_at_each_end() {
    let log = Log::start();
    let factories = Factories::new();
    let nowhere = tempfile::tempdir().expect("a folder").path().join("nobody");
    factories.insert("target", Target::unix(nowhere));
    let leading = Connection::builder().extension(Multiplexing::new(&factories));
    let (connection, leading) = pair(Connection::builder().extension(Multiplexing::default()), leading);
    let multiplexer = Multiplexer::of(&connection).expect("it has the extension");
    let forward = multiplexer.forward_port(0, "target").await.expect("a free port");
    for _ in 0..200 {
        visit(&forward).await;
    }
    forward.close();
    soon("the forward ends", forward.closed()).await;
    drop((forward, factories, multiplexer, connection, leading));
    // And one a second, as long as it takes.
    let count = |words: &str| log.lines().iter().filter(|line| line.contains(words)).count();
    let lines = (count("a forwarded connection leads nowhere"), count("a target cannot be reached"));
    assert!((32..100).contains(&lines.0) && (32..100).contains(&lines.1), "{lines:?}");
}
