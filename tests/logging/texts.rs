//! Text of a peer's making, in every place of a log where it may stand.

use amp::connection::{Strictness, pair};
use amp::error::NoErrors;
use amp::multiplex::{ConnectError, Factories, Multiplexer, Multiplexing, Opening};
use amp::{CallError, CloseReason, Connection, Peer, Server, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::{TcpStream, UnixSocket};

use crate::commands::{Careless, Fail};
use crate::log::{FORGED, Log, forged};
use crate::raw_peer::{RawPeer, ask, ended, error, packed, soon, unknown};

const BOTH: [Strictness; 2] = [Strictness::Isolating, Strictness::Twisted];

fn careless(strictness: Strictness) -> (Connection, RawPeer) {
    RawPeer::with(Careless.into_locator(), Settings::new().strictness(strictness))
}

#[tokio::test(start_paused = true)]
async fn the_name_of_an_unknown_command_is_escaped_and_cut() {
    for strictness in BOTH {
        let log = Log::start();
        let (_connection, mut peer) = careless(strictness);
        peer.send(packed(&[("_command", forged())])).await;
        peer.finish().await;
        peer.expect_end("").await;
        assert!(log.only("Unhandled Command: b'x\\n2026").contains(" more); no answer was wanted"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_argument_that_is_refused_shows_nothing_of_its_value() {
    for strictness in BOTH {
        for wants_answer in [false, true] {
            let log = Log::start();
            let (_connection, mut peer) = careless(strictness);
            let tag = forged();
            let tag = wants_answer.then_some(("_ask", &*tag));
            let rest = [("_command", "Fail"), ("digit", FORGED), ("how", "")];
            peer.send(packed(&tag.into_iter().chain(rest).collect::<Vec<_>>())).await;
            peer.finish().await;
            peer.rest().await;
            let line = log.only("refused an argument");
            assert!(line.contains("command=\"Fail\"") && line.contains("digit") && !line.contains("forged"), "{line}");
            assert_eq!(line.contains("DEBUG"), wants_answer && strictness == Strictness::Isolating, "{line}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_words_of_a_responder_that_fails_with_an_argument_are_escaped_and_cut() {
    for strictness in BOTH {
        for (how, told) in
            [(forged(), "a responder failed"), (format!("refuse {FORGED}"), "failed; no answer was wanted")]
        {
            let log = Log::start();
            let (_connection, mut peer) = careless(strictness);
            peer.send(packed(&[("_command", "Fail"), ("how", &how)])).await;
            peer.finish().await;
            peer.expect_end("").await;
            let line = log.only(told);
            assert!(
                line.contains("command=\"Fail\"") && line.contains("x\\n2026-01-01T00:00:00Z ERROR amp: forged\\r"),
                "{line}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_code_and_the_description_that_a_peer_answers_are_escaped_and_cut() {
    let log = Log::start();
    let (_connection, mut peer) = careless(Strictness::Isolating);
    peer.send(ask("x", "CallBack", &[])).await;
    peer.expect(ask("1", "Wait", &[])).await;
    peer.send(error("1", &forged(), &forged())).await;
    peer.expect(unknown("x")).await;
    let line = log.only("a responder failed");
    assert!(line.contains("command=\"CallBack\"") && line.contains("the peer answered x\\n2026"), "{line}");
}

#[tokio::test(start_paused = true)]
async fn the_words_of_a_panic_are_escaped_and_cut() {
    for how in ["panic ", "later panic "] {
        let log = Log::start();
        let (_connection, mut peer) = careless(Strictness::Isolating);
        peer.send(ask("x", "Fail", &[("how", &format!("{how}{}", &forged()[..50_000]))])).await;
        peer.expect(unknown("x")).await;
        let line = log.only("a responder panicked");
        assert!(line.contains("x\\n2026-01-01T00:00:00Z ERROR") && line.contains(" more)"), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_reason_that_a_peer_gives_when_it_ends_the_connection_is_escaped_and_cut() {
    let log = Log::start();
    let (connection, mut peer) = RawPeer::announcing((), Settings::new());
    let (code, text) = (forged(), forged());
    peer.send(packed(&[("_amp", "1 goodbye"), ("_command", "amp.Goodbye"), ("code", &code), ("text", &text)])).await;
    assert_eq!(ended(&connection).await, "EndedByPeer");
    assert!(log.only("connection ends").contains("the peer ended the connection with x\\n2026"));
}

#[tokio::test(start_paused = true)]
async fn the_reason_that_a_peer_gives_when_it_refuses_a_stream_is_escaped_and_cut() {
    let log = Log::start();
    let factories = Factories::new();
    factories.insert(FORGED, |opening: Opening| opening.refuse(forged()));
    let refusing = Connection::builder().extension(Multiplexing::new(&factories));
    let (connection, _refusing) = pair(Connection::builder().extension(Multiplexing::default()), refusing);
    let multiplexer = Multiplexer::of(&connection).expect("it has the extension");
    let forward = multiplexer.forward_port(0, FORGED).await.expect("a free port");
    let mut client = TcpStream::connect(forward.local_addr().expect("it is TCP")).await.expect("it listens");
    // It is reset.
    let _ = client.read(&mut [0; 1]).await;
    let line = log.only("a forwarded connection leads nowhere");
    assert!(line.contains("factory=x\\n2026") && line.contains("the peer refused the stream: x\\n2026"), "{line}");
}

#[tokio::test]
async fn the_path_and_the_abstract_name_that_a_client_has_bound_are_escaped() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("server");
    let server = Server::builder().bind_unix(&path, |_| ()).expect("a free path");
    // A path has about a hundred bytes.
    let name = &FORGED[..FORGED.len() - 20];
    for bound in [folder.path().join(name).into_os_string(), format!("\0{name}").into()] {
        if cfg!(not(target_os = "linux")) && bound.as_encoded_bytes().starts_with(b"\0") {
            continue;
        }
        let log = Log::start();
        let socket = UnixSocket::new_stream().expect("a socket");
        socket.bind(&bound).expect("a name");
        let mut client = soon("connecting", socket.connect(&path)).await.expect("the server listens");
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("it is sent");
        soon("the end", client.read_to_end(&mut Vec::new())).await.expect("it ends in order");
        let line = log.only("connection ends");
        assert!(line.contains("peer=unix:") && line.contains("x\\n2026-01-01T00:00:00Z ERROR"), "{line}");
    }
    server.close();
}

#[tokio::test(start_paused = true)]
async fn the_name_that_a_program_has_for_a_peer_is_escaped_and_cut() {
    let log = Log::start();
    let (transport, mut peer) = duplex(1 << 16);
    let connection = Connection::builder().start(transport, Peer::other(FORGED.repeat((1 << 20) / FORGED.len())));
    peer.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("there is room");
    assert_eq!(ended(&connection).await, "Wire");
    assert!(log.only("connection ends").contains("peer=x\\n2026"));
}

/// A program logs them, too.
#[test]
fn what_is_displayed_of_a_peer_and_of_its_errors_is_one_line_and_bounded_and_the_fields_have_all_of_it() {
    let remote = CallError::<NoErrors>::Remote { code: forged(), description: forged() };
    assert_eq!(remote.remote_code(), Some(&*forged()));
    let ended = CloseReason::EndedByPeer { code: forged(), text: forged() };
    for shown in [
        remote.to_string(),
        ended.to_string(),
        ConnectError::Refused(forged()).to_string(),
        ConnectError::NoSuchFactory(FORGED.to_owned()).to_string(),
        ConnectError::Unsupported(forged()).to_string(),
        Peer::other(forged()).to_string(),
        Peer::Unix { path: Some(FORGED.into()), credentials: None }.to_string(),
    ] {
        assert!(shown.len() < 8 * 1024 && shown.contains("x\\n2026"), "{shown}");
        let raw = |letter: char| letter.is_control() || FORGED.contains(letter) && !letter.is_ascii();
        assert_eq!(shown.find(raw), None, "{}", shown.escape_debug());
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_logs_an_error_of_its_peer_writes_one_line() {
    let (connection, mut peer) = RawPeer::with((), Settings::new());
    let call = tokio::spawn(connection.call(Fail { how: String::new(), digit: None }));
    peer.expect(ask("1", "Fail", &[("how", "")])).await;
    peer.send(error("1", FORGED, FORGED)).await;
    let refused = soon("answered", call).await.expect("no panic").expect_err("it is refused");
    assert!(!refused.to_string().contains(['\n', '\r', '\u{1b}']), "{refused}");
    assert!(matches!(refused, CallError::Remote { code, description } if code == FORGED && description == FORGED));
}
