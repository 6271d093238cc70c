//! What an extension of a connection is promised: its commands are its own, whatever locators and limits there are, and each
//! connection has a part of it that nobody else has.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp::connection::{WeakConnection, pair};
use amp::locator::{Ask, Located, Locator};
use amp::schema::CommandDeclaration;
use amp::server::Session;
use amp::{Arguments, CallError, Command, Connection, Peer, Server, Settings};
use amp_core::extension::{CloseGuard, Extension, Handler};

use crate::announcing::WORDS;
use crate::commands::{House, sum};
use crate::raw_peer::{RawPeer, answer, ask, ended, packed, soon};

const SECOND: Duration = Duration::from_secs(1);

/// Answers how many asks there were on its connection.
#[derive(Command, Debug)]
#[amp(response = Counted)]
struct Count;

#[derive(Arguments, Debug)]
struct Counted {
    asks: usize,
}

/// Claims `Count`, and notes to which connections it was attached.
#[derive(Clone, Default)]
struct Counting(Arc<Mutex<Vec<WeakConnection>>>);

#[derive(Default)]
struct Asks(AtomicUsize);

impl Extension for Counting {
    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![Count::DECLARATION]
    }

    fn attach(&self, connection: WeakConnection) -> Arc<dyn Handler> {
        self.0.lock().expect("no panic").push(connection);
        Arc::new(Asks::default())
    }
}

impl Handler for Asks {
    fn handle(&self, _: usize, ask: Ask) {
        let asks = self.0.fetch_add(1, SeqCst) + 1;
        if let Some((Count, answer)) = ask.accept() {
            answer.send(Ok(Counted { asks }));
        }
    }
}

/// A locator that wraps another and forwards no more than it must.
struct Wrapping<L>(L);

impl<L: Locator> Locator for Wrapping<L> {
    fn locate(&self, ask: Ask) -> Located {
        assert!(!ask.is::<Count>(), "it is not asked for what an extension claims");
        self.0.locate(ask)
    }
}

fn counted(tag: &str, asks: usize) -> Vec<u8> {
    answer(tag, &[("asks", &asks.to_string())])
}

fn scripted(settings: Settings) -> (House, Connection, RawPeer) {
    let house = House::new();
    let locator = (Wrapping(house.clone().into_locator()), ());
    let builder = Connection::builder().extension(Counting::default()).locator(locator);
    let (connection, peer) = RawPeer::of(1 << 20, builder.settings(settings.announce(false)));
    (house, connection, peer)
}

#[tokio::test(start_paused = true)]
async fn what_an_extension_claims_is_handled_whatever_responders_run_or_wait() {
    for settings in [Settings::new().in_order(true), Settings::new().max_responders(1)] {
        let (house, _connection, mut peer) = scripted(settings);
        peer.send([ask("1", "Wait", &[]), ask("2", "Count", &[]), ask("3", "Count", &[])].concat()).await;
        peer.expect([counted("2", 1), counted("3", 2)].concat()).await;
        peer.expect_silence_for(SECOND).await;
        house.open(1);
        peer.expect(answer("1", &[])).await;
        peer.expect_open().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_extension_claims_is_handled_while_the_connection_closes() {
    let (house, connection, mut peer) = scripted(Settings::new());
    peer.send(ask("1", "Wait", &[])).await;
    peer.expect_silence_for(SECOND).await;
    connection.close();
    peer.send(ask("2", "Count", &[])).await;
    peer.expect(counted("2", 1)).await;
    house.open(1);
    peer.expect_end(answer("1", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn names_that_resemble_a_claimed_one_go_to_the_locator() {
    let (_house, _connection, mut peer) = scripted(Settings::new());
    for name in ["Counu", "Coun", "Counts", "count"] {
        peer.send(ask("1", name, &[])).await;
        let unhandled = format!("Unhandled Command: b'{name}'");
        peer.expect(crate::raw_peer::error("1", "UNHANDLED", &unhandled)).await;
    }
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn a_claimed_command_that_wants_no_answer_gets_none() {
    let (_house, _connection, mut peer) = scripted(Settings::new());
    peer.send([packed(&[("_command", "Count")]), ask("1", "Count", &[])].concat()).await;
    peer.expect(counted("1", 2)).await;
}

#[tokio::test(start_paused = true)]
async fn marked_notifications_that_an_extension_claims_give_credit() {
    // More of them than a peer of this library sends without credit.
    let far = Connection::builder().extension(Counting::default());
    let (caller, _answering) = pair(Connection::builder(), far);
    for _ in 0..2_000 {
        soon("a notification", caller.notify(Count)).await.expect("sent");
    }
    assert_eq!(soon("an answer", caller.call(Count)).await.expect("an answer").asks, 2_001);
}

#[tokio::test(start_paused = true)]
async fn an_extension_is_attached_to_each_connection_once_before_the_builder_returns_it() {
    let counting = Counting::default();
    let builder = Connection::builder().extension(Arc::new(counting.clone()));
    let attached = || counting.0.lock().expect("no panic").clone();
    let connections = [(); 2].map(|()| {
        let (transport, _) = tokio::io::duplex(64);
        builder.clone().build(transport, Peer::other("nobody"))
    });
    let attached = attached();
    assert_eq!(attached.len(), 2);
    for ((connection, _), weak) in connections.iter().zip(&attached) {
        assert!(weak.upgrade().is_some_and(|attached| attached.is_same(connection)));
    }
    drop(connections);
    assert!(attached.iter().all(|weak| weak.upgrade().is_none()), "an extension keeps no connection open");
}

#[tokio::test(start_paused = true)]
async fn each_connection_has_a_handler_of_its_own() {
    let far = Connection::builder().extension(Counting::default());
    let ends: Vec<_> = (0..2).map(|_| pair(Connection::builder(), far.clone())).collect();
    for asks in 1..4 {
        for (caller, _) in &ends {
            assert_eq!(soon("an answer", caller.call(Count)).await.expect("an answer").asks, asks);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_extensions_that_claim_one_command_end_the_connection_before_anything_is_read() {
    let counting = Counting::default();
    let builder = Connection::builder().extension(counting.clone()).extension(counting.clone());
    let (connection, mut peer) = RawPeer::of(1 << 20, builder.locator(House::new().into_locator()));
    // A peer that announces gets no greeting either.
    peer.send(packed(&[WORDS, ("_ask", "1"), ("_command", "Sum"), ("a", "1"), ("b", "2")])).await;
    peer.expect_end("").await;
    assert_eq!(ended(&connection).await, "ClaimedTwice");
    let Err(CallError::Connection { reason, sent: false }) = connection.call(sum()).await else {
        panic!("it has ended")
    };
    assert_eq!(reason.to_string(), "the command Count is claimed twice by extensions of this end");
    assert!(counting.0.lock().expect("no panic").is_empty(), "neither is attached");
}

/// A client of the server, and how often it may have asked.
async fn client(server: &Server) -> Connection {
    Connection::builder().connect_tcp(server.local_addr().expect("TCP")).await.expect("the server listens")
}

#[tokio::test]
async fn a_servers_extension_is_each_connections_and_a_session_adds_its_own() {
    let (all, some) = (Counting::default(), Counting::default());
    let server = Server::builder().extension(all.clone()).bind_tcp("127.0.0.1:0", |_| House::new().into_locator());
    let server = server.await.expect("a port");
    for _ in 0..2 {
        let client = client(&server).await;
        assert_eq!(soon("an answer", client.call(Count)).await.expect("an answer").asks, 1);
        assert_eq!(soon("an answer", client.call(sum())).await.expect("an answer").total, 3);
    }
    assert_eq!(all.0.lock().expect("no panic").len(), 2);

    let (extension, is_first) = (some.clone(), AtomicUsize::new(0));
    let session = move |_: &amp::connection::NewConnection| {
        let session = Session::new(House::new().into_locator());
        if is_first.fetch_add(1, SeqCst) == 0 { session.extension(extension.clone()) } else { session }
    };
    let server = Server::builder().bind_tcp("127.0.0.1:0", session).await.expect("a port");
    let first = client(&server).await;
    assert_eq!(soon("an answer", first.call(Count)).await.expect("an answer").asks, 1);
    let second = client(&server).await;
    let reply = soon("an answer", second.call(Count)).await;
    assert!(matches!(&reply, Err(CallError::Remote { code, .. }) if code == "UNHANDLED"), "{reply:?}");
    assert_eq!(soon("an answer", second.call(sum())).await.expect("an answer").total, 3);
    assert_eq!(some.0.lock().expect("no panic").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_closes_waits_for_what_an_extension_holds() {
    let (connection, mut peer) = RawPeer::with((), Settings::new().close_timeout(60 * SECOND));
    let guard = CloseGuard::new(&connection);
    connection.close();
    peer.expect_silence_for(30 * SECOND).await;
    drop(guard);
    peer.expect_end("").await;
    assert_eq!(ended(&connection).await, "Closed");
}

/// Aborts its connection for the first ask.
#[derive(Clone, Default)]
struct Aborting(Arc<AtomicUsize>);

impl Extension for Aborting {
    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![Count::DECLARATION]
    }

    fn attach(&self, connection: WeakConnection) -> Arc<dyn Handler> {
        Arc::new(AbortingHandler { asks: Arc::clone(&self.0), connection })
    }
}

struct AbortingHandler {
    asks: Arc<AtomicUsize>,
    connection: WeakConnection,
}

impl Handler for AbortingHandler {
    fn handle(&self, _: usize, ask: Ask) {
        self.asks.fetch_add(1, SeqCst);
        drop(ask);
        self.connection.upgrade().expect("it has a handle").abort();
    }
}

#[tokio::test(start_paused = true)]
async fn behind_an_abort_no_claimed_ask_begins_either() {
    let aborting = Aborting::default();
    let (connection, mut peer) = RawPeer::of(1 << 20, Connection::builder().extension(aborting.clone()));
    peer.send([ask("1", "Count", &[]), ask("2", "Count", &[])].concat()).await;
    assert_eq!(ended(&connection).await, "Aborted");
    assert_eq!(aborting.0.load(SeqCst), 1);
}
