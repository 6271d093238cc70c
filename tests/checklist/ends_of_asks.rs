//! What becomes of asks that have arrived when their connection ends: those that want an answer are cut, the others have been
//! accepted and run to their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use amp::connection::pair;
use amp::{Command, Connection, Exposed, Reply, Server, Settings, responder};
use amp_core::extension::{Extension, Handler};
use tokio::time::{Instant, sleep};

use crate::raw_peer::{RawPeer, answer, ask, draining, ended, packed, soon};

const SECOND: Duration = Duration::from_secs(1);

/// Takes half a second.
#[derive(Command, Debug)]
#[amp(no_answer)]
pub(crate) struct Store;

/// The same with an answer.
#[derive(Command, Debug)]
pub(crate) struct Fetch;

/// The same, whoever waits.
#[derive(Command, Debug)]
#[amp(detached)]
struct Commit;

/// Takes an hour.
#[derive(Command, Debug)]
#[amp(no_answer)]
pub(crate) struct Brood;

/// Ends when its connection does.
#[derive(Command, Debug)]
#[amp(no_answer)]
struct Watch {
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(Clone, Default)]
pub(crate) struct Work {
    begun: Arc<AtomicUsize>,
    finished: Arc<AtomicUsize>,
}

impl Work {
    async fn run(&self, time: Duration) {
        self.begun.fetch_add(1, SeqCst);
        sleep(time).await;
        self.finished.fetch_add(1, SeqCst);
    }

    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.begun.load(SeqCst), self.finished.load(SeqCst))
    }
}

#[responder]
impl Work {
    async fn store(&self, _: Store) -> Reply<Store> {
        self.run(SECOND / 2).await;
        Ok(())
    }

    async fn fetch(&self, _: Fetch) -> Reply<Fetch> {
        self.run(SECOND / 2).await;
        Ok(())
    }

    async fn commit(&self, _: Commit) -> Reply<Commit> {
        self.run(SECOND / 2).await;
        Ok(())
    }

    async fn brood(&self, _: Brood) -> Reply<Brood> {
        self.run(3600 * SECOND).await;
        Ok(())
    }

    async fn watch(&self, command: Watch) -> Reply<Watch> {
        self.begun.fetch_add(1, SeqCst);
        command.connection.closed().await;
        self.finished.fetch_add(1, SeqCst);
        Ok(())
    }
}

pub(crate) fn working(settings: Settings) -> (Connection, RawPeer, Work) {
    let work = Work::default();
    let (connection, peer) = RawPeer::with(work.clone().into_locator(), settings);
    (connection, peer, work)
}

pub(crate) fn untagged(command: &str) -> Vec<u8> {
    packed(&[("_command", command)])
}

#[tokio::test(start_paused = true)]
async fn what_wants_no_answer_and_has_arrived_runs_to_its_end_after_the_peers() {
    for in_order in [false, true] {
        let (connection, mut peer, work) = working(Settings::new().in_order(in_order));
        peer.send(untagged("Store").repeat(10)).await;
        drop(peer);
        assert_eq!(ended(&connection).await, "ClosedByPeer");
        assert_eq!(work.counts(), (10, 10), "in order: {in_order}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_notified_before_the_sender_closes_or_goes_runs_to_its_end() {
    for way in ["close", "drop"] {
        let work = Work::default();
        let (client, server) = pair(Connection::builder(), Connection::builder().locator(work.clone().into_locator()));
        for _ in 0..10 {
            client.notify(Store).await.expect("sent");
        }
        match way {
            "close" => client.close(),
            _ => drop(client),
        }
        assert_eq!(ended(&server).await, "ClosedByPeer", "{way}");
        assert_eq!(work.counts(), (10, 10), "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_wants_no_answer_runs_to_its_end_however_the_bytes_end() {
    for bytes in [&b"\0\x05half"[..], b"\x01\0", b"\0\0", b"\0\x07_answer\0\x0277\0\0"] {
        let (connection, mut peer, work) = working(Settings::new());
        peer.send([&untagged("Store"), bytes].concat()).await;
        peer.finish().await;
        ended(&connection).await;
        assert_eq!(work.counts(), (1, 1), "{}", bytes.escape_ascii());
    }
}

#[tokio::test(start_paused = true)]
async fn what_wants_an_answer_is_cut_when_its_caller_leaves_unless_it_is_detached() {
    let (connection, mut peer, work) = working(Settings::new());
    peer.send([ask("1", "Fetch", &[]), ask("2", "Commit", &[])].concat()).await;
    peer.expect_silence_for(SECOND / 4).await;
    drop(peer);
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    assert_eq!(work.counts(), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_goes_on_after_the_end_has_as_long_as_closing_has() {
    let (connection, mut peer, work) = working(Settings::new().close_timeout(5 * SECOND));
    peer.send([untagged("Brood"), untagged("Store")].concat()).await;
    drop(peer);
    let start = Instant::now();
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    assert_eq!((start.elapsed().as_secs(), work.counts()), (5, (2, 1)));
}

#[tokio::test(start_paused = true)]
async fn closing_gives_what_runs_its_time_once() {
    let (connection, mut peer, work) = working(Settings::new().close_timeout(5 * SECOND));
    peer.send(untagged("Brood")).await;
    peer.expect_silence_for(SECOND / 4).await;
    connection.close();
    let start = Instant::now();
    drop(peer);
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    assert_eq!((start.elapsed().as_secs(), work.counts()), (5, (1, 0)));
}

#[tokio::test(start_paused = true)]
async fn aborting_cuts_what_would_go_on_also_after_the_end() {
    let (connection, mut peer, work) = working(Settings::new());
    peer.send(untagged("Brood")).await;
    peer.expect_silence_for(SECOND / 4).await;
    connection.abort();
    drop(peer);
    let start = Instant::now();
    assert_eq!(ended(&connection).await, "Aborted");
    assert_eq!((start.elapsed().as_secs(), work.counts()), (0, (1, 0)));

    let (connection, mut peer, work) = working(Settings::new());
    peer.send(untagged("Brood")).await;
    drop(peer);
    let start = Instant::now();
    connection.on_end(|_| ());
    while !connection.is_closed() {
        sleep(SECOND / 100).await;
    }
    connection.abort();
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    assert_eq!((start.elapsed().as_secs(), work.counts()), (0, (1, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_responder_that_waits_for_the_end_of_its_connection_does_not_wait_for_itself() {
    let (connection, mut peer, work) = working(Settings::new());
    peer.send(untagged("Watch")).await;
    drop(peer);
    let start = Instant::now();
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    assert_eq!((start.elapsed().as_secs(), work.counts()), (0, (1, 1)));
}

#[tokio::test]
async fn what_goes_on_keeps_the_place_of_its_connection_so_that_a_loop_of_senders_is_bounded() {
    let work = Work::default();
    let locating = work.clone();
    let server = Server::builder()
        .max_connections(3)
        .settings(Settings::new().close_timeout(60 * SECOND))
        .bind_tcp("127.0.0.1:0", move |_| locating.clone().into_locator())
        .await
        .expect("a free port");
    let address = server.local_addr().expect("TCP");
    for _ in 0..10 {
        let client = Connection::builder().connect_tcp(address).await.expect("the backlog takes it");
        client.notify(Brood).await.expect("sent");
        client.close();
        soon("the client has closed", client.closed()).await;
    }
    while work.counts().0 < 3 {
        sleep(SECOND / 100).await;
    }
    sleep(SECOND / 5).await;
    assert_eq!((work.counts(), server.connections()), ((3, 0), 3));
}

#[tokio::test(start_paused = true)]
async fn aborting_begins_nothing_that_waits_for_its_turn() {
    // One notification at a time may run beside whatever calls run.
    for (settings, begun) in [(Settings::new().in_order(true), 1), (Settings::new().max_responders(1), 2)] {
        let (connection, mut peer, work) = working(settings);
        peer.send([ask("1", "Fetch", &[]), untagged("Store").repeat(10)].concat()).await;
        peer.expect_silence_for(SECOND / 4).await;
        connection.abort();
        assert_eq!(ended(&connection).await, "Aborted");
        assert_eq!(work.counts(), (begun, 0));
    }
    let (connection, mut peer, work) = working(Settings::new().in_order(true).close_timeout(Duration::ZERO));
    peer.send(untagged("Store").repeat(10)).await;
    peer.expect_silence_for(SECOND / 4).await;
    drop(peer);
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    assert_eq!(work.counts(), (1, 0));
}

/// Takes the command away and answers when the test says so.
#[derive(Clone, Default)]
struct Aside(Arc<std::sync::Mutex<Vec<amp::locator::Ask>>>);

impl amp::locator::Locator for Aside {
    fn locate(&self, ask: amp::locator::Ask) -> amp::locator::Located {
        if ask.is::<Fetch>() {
            self.0.lock().expect("no panic").push(ask);
            return amp::locator::Located::Answered;
        }
        amp::locator::Located::Unknown(ask)
    }
}

#[tokio::test(start_paused = true)]
async fn what_waits_because_much_is_held_starts_when_that_is_taken_over_elsewhere() {
    let (work, aside) = (Work::default(), Aside::default());
    let locator = (aside.clone(), work.clone().into_locator());
    let (connection, mut peer) = RawPeer::with(locator, Settings::new().max_inbound(8_400));
    // One that runs, one that is held elsewhere, and one that waits because of what they hold.
    let large = ask("1", "Fetch", &[("pad", &"x".repeat(5_000))]);
    peer.send([untagged("Brood"), large, untagged("Store")].concat()).await;
    peer.expect_silence_for(SECOND).await;
    assert_eq!(work.counts(), (1, 0));
    let held = aside.0.lock().expect("no panic").pop().expect("it was located");
    let answer_later = held.accept::<Fetch>().expect("it has no arguments");
    peer.expect_silence_for(SECOND).await;
    assert_eq!(work.counts(), (2, 1));
    drop((answer_later, connection));
}

/// Waits, then calls its caller back.
#[derive(Command, Debug)]
struct Later {
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(Clone)]
struct LateCaller;

#[responder]
impl LateCaller {
    async fn later(&self, command: Later) -> Reply<Later> {
        sleep(SECOND).await;
        command.connection.call(Fetch).await.map_err(amp::CallError::forward)?;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_responder_that_runs_calls_back_while_its_end_closes_and_finishes() {
    let (connection, mut peer) = RawPeer::with(LateCaller.into_locator(), Settings::new());
    peer.send(ask("1", "Later", &[])).await;
    peer.expect_silence_for(SECOND / 4).await;
    connection.close();
    peer.expect(ask("1", "Fetch", &[])).await;
    peer.send(answer("1", &[])).await;
    peer.expect_end(answer("1", &[])).await;
}

#[tokio::test(start_paused = true)]
async fn asks_that_wait_are_told_at_once_when_this_end_closes() {
    let (connection, mut peer, _work) = working(Settings::new().in_order(true));
    peer.send([ask("1", "Fetch", &[]), ask("2", "Fetch", &[]), untagged("Store")].concat()).await;
    peer.expect_silence_for(SECOND / 4).await;
    connection.close();
    peer.expect_silence_for(Duration::ZERO).await;
    peer.expect(draining("2")).await;
    peer.expect_end(answer("1", &[])).await;
}

/// Panics where an ask is seen first.
struct Mad;

impl Extension for Mad {
    fn commands(&self) -> Vec<amp::schema::CommandDeclaration> {
        vec![Fetch::DECLARATION]
    }

    fn attach(&self, _: amp::connection::WeakConnection) -> Arc<dyn Handler> {
        Arc::new(Self)
    }
}

impl Handler for Mad {
    fn handle(&self, _: usize, ask: amp::locator::Ask) {
        panic!("expected: a bug of the user's at {ask:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_extension_that_panics_costs_that_ask() {
    let builder = Connection::builder().extension(Mad).locator(crate::commands::House::new().into_locator());
    let (_connection, mut peer) = RawPeer::of(1 << 20, builder.settings(Settings::new().announce(false)));
    peer.send(ask("1", "Fetch", &[])).await;
    peer.expect(crate::raw_peer::unknown("1")).await;
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn a_notification_runs_beside_whatever_calls_run_however_much_is_held() {
    let (connection, mut peer, work) = working(Settings::new().max_inbound(2_000).max_responders(1));
    // A call that runs on, and may be waiting for what is notified.
    peer.send(ask("1", "Brood", &[])).await;
    let large = packed(&[("_command", "Store"), ("pad", &"x".repeat(1_500))]);
    peer.send(large.repeat(3)).await;
    peer.expect_silence_for(2 * SECOND).await;
    assert_eq!(work.counts(), (4, 3), "one after the other");
    drop((peer, connection));
}
