//! Text of a peer's making, in every place that is logged.

use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, connect, socket};

use crate::bounds::LITTLE;
use crate::process::Setup;
use crate::raw::{Pair, Raw, ask, notification, packed};
use crate::scene::{FORGED, Scene};
use crate::service::{SOCKET, STRICT};

/// A line of its own, and what drives terminals: an escape sequence in seven bits and in eight, a bell, a backspace, and what
/// changes the order of what follows.
fn hostile() -> String {
    format!("x\r\n{FORGED}\u{1b}[2J\u{9b}31m\u{7}\u{8}\u{202e}\u{2066}\u{2028}\u{7f}")
}

/// The same, as long as a value may be.
fn long() -> String {
    let mut text = hostile();
    text = text.repeat(60_000 / text.len());
    text
}

/// A client of the unix socket whose own address is of its choice.
fn from(address: &SocketAddrUnix, scene: &Scene, server: &str) -> Raw<UnixStream> {
    let client: OwnedFd = socket(AddressFamily::UNIX, SocketType::STREAM, None).expect("a socket");
    bind(&client, address).expect("an address");
    let server = SocketAddrUnix::new(scene.server.folder().join(server)).expect("a path");
    connect(&client, &server).expect("the server listens");
    Raw::over(UnixStream::from(client))
}

/// Every box whose text may come to be logged, but for the last one of a connection.
fn boxes(text: &str) -> Vec<Vec<u8>> {
    let text = text.as_bytes();
    let mut boxes = vec![
        notification(text, &[]),
        ask(text, "Unknown", &[]),
        ask("1", "Add", &[(b"a", text), (b"b", b"2")]),
        notification(b"Add", &[(b"a", text), (b"b", text)]),
        notification(b"Connect", &[(b"factory", text)]),
        ask("2", "Connect", &[(b"factory", text)]),
        ask("3", "Transmit", &[(b"connection", text), (b"data", text)]),
        ask("4", "Disconnect", &[(b"connection", text)]),
        ask("5", "Fail", &[(b"text", text)]),
        notification(b"Fail", &[(b"text", text)]),
        ask("6", "Panic", &[(b"text", text)]),
        notification(b"Panic", &[(b"text", text)]),
    ];
    if text.len() <= 255 {
        boxes.push(ask("7", "Add", &[(text, text)]));
    }
    boxes
}

/// The last boxes of a connection: the server ends it.
fn last_boxes(text: &str) -> Vec<Vec<u8>> {
    let text = text.as_bytes();
    vec![
        packed(&[(b"_answer", text)]),
        packed(&[(b"_error", text), (b"_error_code", text), (b"_error_description", text)]),
        packed(&[(b"neither", text)]),
        [0xff, 0xff].into_iter().chain(text.iter().copied()).collect(),
        notification(b"amp.Goodbye", &[(b"code", text), (b"text", text)]),
    ]
}

fn says_everything(scene: &mut Scene, text: &str, number: usize) {
    let folder = scene.server.folder();
    // A path is short. One with spaces is displayed in another way than one without.
    let short: String = hostile().chars().filter(|letter| number == 0 || *letter != ' ').take(40).collect();
    let path = |at: usize| SocketAddrUnix::new(folder.join(format!("{number}{at}{short}"))).expect("a path");
    let name = |at: usize| {
        SocketAddrUnix::new_abstract_name(format!("{number}{at}{}{short}", folder.display()).as_bytes())
            .expect("a name")
    };
    for (at, address) in [path(0), name(0)].iter().enumerate() {
        let mut raw = from(address, scene, SOCKET);
        let _ = raw.send(&packed(&[(b"_ask", b"0"), (b"_command", b"Unknown"), (b"_amp", b"1 goodbye notify")]));
        for bytes in boxes(text) {
            let _ = raw.send(&bytes);
        }
        // The server calls back and is answered with an error of the peer's words.
        let _ = raw.send(&ask("back", "CallBack", &[]));
        let Some(tag) = raw.called("Question").and_then(|mut pairs| pairs.remove(b"_ask".as_slice())) else {
            scene.holds(false, format!("connection {at} was not called back"));
            continue;
        };
        let words = text.as_bytes();
        let _ = raw.send(&packed(&[(b"_error", &tag), (b"_error_code", words), (b"_error_description", words)]));
        scene.holds(raw.answer(b"back").is_some(), "what fails with a peer's error is answered");
    }
    for (at, bytes) in last_boxes(text).iter().enumerate() {
        let mut raw = from(&path(at + 1), scene, SOCKET);
        let _ = raw.send(&packed(&[(b"_ask", b"0"), (b"_command", b"Unknown"), (b"_amp", b"1 goodbye notify")]));
        let _ = raw.answer(b"0");
        let _ = raw.send(bytes);
        raw.finish();
        while raw.receive().is_some() {}
    }
    for (at, bytes) in boxes(text).iter().enumerate() {
        let mut raw = from(&path(at + 20), scene, STRICT);
        let _ = raw.send(bytes);
        raw.finish();
        while raw.receive().is_some() {}
    }
}

#[test]
fn no_text_of_a_peers_forges_a_line_of_the_log_or_drives_a_terminal() {
    let mut scene = Scene::with("hostile text in all places", &Setup { level: "debug", ..Setup::default() });
    scene.attack(|scene| {
        says_everything(scene, &hostile(), 0);
        says_everything(scene, &long(), 1);
    });
    scene.finish((), LITTLE);
}

#[test]
fn no_text_of_a_server_that_refuses_streams_forges_a_line_of_its_clients_log() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let dial = Some(listener.local_addr().expect("an address"));
    let mut scene = Scene::with("hostile text of refused streams", &Setup { level: "debug", dial, ..Setup::default() });
    let forward = scene.server.says();
    let held = scene.attack(|_| {
        let mut raw = Raw::over(listener.accept().expect("the client dials").0);
        let mut visitors = Vec::new();
        for text in [hostile(), long(), hostile()] {
            let connect = raw.called("Connect").expect("a Connect");
            let tag = &connect[b"_ask".as_slice()];
            let words = text.as_bytes();
            let refusal: [Pair<'_>; 3] =
                [(b"_error", tag), (b"_error_code", b"CONNECTION_REFUSED"), (b"_error_description", words)];
            raw.send(&packed(&refusal)).expect("the client reads");
            // The next one is this visitor's.
            visitors.push(TcpStream::connect(forward).expect("a forwarded port"));
        }
        (raw, visitors)
    });
    scene.finish(held, LITTLE);
}
