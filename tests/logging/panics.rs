//! A panic that the library catches is told with command, message and place.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Waker;

use amp::connection::{BoxReceiver, NewConnection, WeakConnection};
use amp::locator::{Ask, EarlyAnswer};
use amp::multiplex::{Factories, Multiplexer, Multiplexing};
use amp::schema::CommandDeclaration;
use amp::{AmpBox, CloseReason, Command, Connection, Reply, Server, Settings, responder};
use amp_core::extension::{Delivery, Extension, Handler, Keys, ReplySink, Sender};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::commands::{Careless, LINE, Wait};
use crate::log::Log;
use crate::raw_peer::{RawPeer, answer, ask, soon, unknown};

#[tokio::test(start_paused = true)]
async fn a_responder_that_panics_at_once_or_later_is_told_with_its_command_message_and_place() {
    for how in ["panic no abacus", "later panic no abacus"] {
        let log = Log::start();
        let (_connection, mut peer) = RawPeer::with(Careless.into_locator(), Settings::new());
        peer.send(ask("x", "Fail", &[("how", how)])).await;
        peer.expect(unknown("x")).await;
        let line = log.only("a responder panicked");
        let told = format!("panic=no abacus, at tests/logging/commands.rs:{LINE}");
        assert!(line.contains("WARN") && line.contains("command=\"Fail\"") && line.contains(&told), "{line}");
    }
}

struct Hasty;

#[responder]
impl Hasty {
    async fn wait(&self, _: Wait, answer: EarlyAnswer<Wait>) -> Reply<Wait> {
        answer.send(Ok(()));
        tokio::task::yield_now().await;
        panic!("too hasty")
    }
}

#[tokio::test(start_paused = true)]
async fn a_responder_that_panics_behind_its_answer_is_told_with_its_command_too() {
    let log = Log::start();
    let (_connection, mut peer) = RawPeer::with(Hasty.into_locator(), Settings::new());
    peer.send(ask("x", Wait::NAME, &[])).await;
    peer.expect(answer("x", &[])).await;
    peer.expect_silence().await;
    let line = log.only("a responder panicked");
    assert!(line.contains("command=\"Wait\"") && line.contains("panic=too hasty, at "), "{line}");
}

#[tokio::test(start_paused = true)]
async fn an_error_whose_text_panics_leaves_a_whole_line_and_is_answered() {
    let log = Log::start();
    let (_connection, mut peer) = RawPeer::with(Careless.into_locator(), Settings::new());
    for tag in ["x", "y"] {
        peer.send(ask(tag, "Fail", &[("how", "without words")])).await;
        peer.expect(unknown(tag)).await;
    }
    let line = log.only("a responder failed");
    assert!(line.contains("command=\"Fail\"") && line.contains("error=half... (its text panicked)"), "{line}");
}

#[tokio::test]
async fn a_closure_of_a_server_that_panics_costs_one_connection_and_is_told_with_message_and_place() {
    let log = Log::start();
    let session = |_: &NewConnection| -> () { panic!("no session") };
    let server = Server::builder().bind_tcp("127.0.0.1:0", session).await.expect("a free port");
    let mut client = TcpStream::connect(server.local_addr().expect("it is TCP")).await.expect("it listens");
    let _ = soon("the end", client.read(&mut [0; 1])).await;
    let line = log.only("a server's closure panicked");
    assert!(
        line.contains("peer=127.0.0.1:") && line.contains("panic=no session, at tests/logging/panics.rs:"),
        "{line}"
    );
}

#[tokio::test]
async fn a_task_that_serves_a_stream_and_panics_is_told_with_message_and_place() {
    let log = Log::start();
    let factories = Factories::new();
    factories.serve("mad", async |_| panic!("no stream"));
    let serving = Connection::builder().extension(Multiplexing::new(&factories));
    let (client, _serving) = amp::connection::pair(Connection::builder().extension(Multiplexing::default()), serving);
    let multiplexer = Multiplexer::of(&client).expect("it has the extension");
    let mut stream = soon("a stream", multiplexer.connect("mad")).await.expect("it is accepted");
    let cut = soon("the end", stream.read(&mut [0; 1])).await.expect_err("it was dropped by a panic");
    assert!(cut.to_string().contains("before it was whole"), "{cut}");
    let line = log.only("a task that serves a stream panicked");
    assert!(line.contains("panic=no stream, at ") && line.contains("logging/panics.rs:"), "{line}");
}

struct Receiver;

impl BoxReceiver for Receiver {
    fn receive_box(&mut self, _: AmpBox) {
        panic!("no box")
    }
}

/// Panics wherever it is called.
struct Rude;

impl Extension for Rude {
    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![Wait::DECLARATION]
    }

    fn attach(&self, _: WeakConnection) -> Arc<dyn Handler> {
        Arc::new(Self)
    }
}

impl Handler for Rude {
    fn handle(&self, _: usize, ask: Ask) {
        let _taken = ask.accept::<Wait>();
        panic!("no handler")
    }

    fn keys(self: Arc<Self>) -> Option<Arc<dyn Keys>> {
        Some(self)
    }
}

impl Keys for Rude {
    fn see_ask(&self, _: &Ask) {
        panic!("no keys")
    }
}

impl ReplySink for Rude {
    fn deliver(self: Arc<Self>, _: &mut dyn Iterator<Item = Delivery>) {
        panic!("no sink")
    }
}

type Scene = fn(Connection, RawPeer) -> Pin<Box<dyn Future<Output = ()>>>;

#[tokio::test(start_paused = true)]
async fn whatever_of_a_users_panics_is_told_with_message_and_place() {
    let scenes: [(&str, &str, Scene); 5] = [
        ("a listener for the end of a connection panicked", "no listener", |connection, _| {
            Box::pin(async move {
                connection.on_end(|_: &CloseReason| panic!("no listener"));
                connection.abort();
                connection.closed().await;
            })
        }),
        ("a box receiver panicked", "no box", |connection, mut peer| {
            Box::pin(async move {
                connection.switch_receiver(Receiver);
                peer.send(ask("x", "Any", &[])).await;
                peer.expect_silence().await;
            })
        }),
        ("a responder panicked", "no handler", |connection, mut peer| {
            Box::pin(async move {
                let _open = connection;
                peer.send(ask("x", "Wait", &[])).await;
                peer.expect(unknown("x")).await;
            })
        }),
        ("the keys of an extension panicked", "no keys", |connection, mut peer| {
            Box::pin(async move {
                let _open = connection;
                peer.send(ask("x", "Fail", &[("how", "")])).await;
                peer.expect(unknown("x")).await;
            })
        }),
        ("a sink of replies panicked", "no sink", |connection, mut peer| {
            Box::pin(async move {
                let sink: Arc<dyn ReplySink> = Arc::new(Rude);
                let sent = Sender::new(&connection).poll_send::<Wait>(Waker::noop(), &sink, |_| Ok(()));
                assert!(sent.is_ready());
                peer.expect(ask("1", "Wait", &[])).await;
                peer.send(answer("1", &[])).await;
                peer.expect_silence().await;
            })
        }),
    ];
    for (words, message, scene) in scenes {
        let log = Log::start();
        let builder = Connection::builder().extension(Rude).locator(Careless.into_locator());
        let (connection, peer) = RawPeer::of(1 << 16, builder.settings(Settings::new().announce(false)));
        scene(connection, peer).await;
        let line = log.only(words);
        let told = format!("panic={message}, at tests/logging/panics.rs:");
        assert!(line.contains("WARN") && line.contains(&told), "{line}");
    }
}
