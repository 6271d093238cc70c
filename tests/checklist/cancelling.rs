//! How an extension finds what runs for the peer by the peer's tags, and drops it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp::connection::{WeakConnection, pair};
use amp::locator::{Answer, Ask, Located};
use amp::schema::CommandDeclaration;
use amp::{Arguments, CallError, Command, Connection, Settings};
use amp_core::extension::{Extension, Handler, RunningAsks};

use crate::commands::{House, Wait, sum};
use crate::decoding::until;
use crate::logged::{Level, logged};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, soon, unknown};

const SECOND: Duration = Duration::from_secs(1);

/// Cancels the ask with the tag.
#[derive(Command, Debug)]
#[amp(response = Cancelled)]
struct Cancel {
    tag: String,
}

#[derive(Arguments, Debug)]
struct Cancelled {
    found: bool,
}

/// Claims `Cancel`, and shows the asks of the last connection.
#[derive(Clone, Default)]
struct Cancelling(Arc<Mutex<Option<RunningAsks>>>);

struct Asks(RunningAsks);

impl Extension for Cancelling {
    fn commands(&self) -> Vec<CommandDeclaration> {
        vec![Cancel::DECLARATION]
    }

    fn attach(&self, connection: WeakConnection) -> Arc<dyn Handler> {
        let asks = RunningAsks::new(&connection.upgrade().expect("it has a handle"));
        *self.0.lock().expect("no panic") = Some(asks.clone());
        Arc::new(Asks(asks))
    }
}

impl Handler for Asks {
    fn handle(&self, _: usize, ask: Ask) {
        let tag = ask.tag().map(<[u8]>::to_vec);
        assert!(!tag.is_some_and(|tag| self.0.contains(&tag)), "what an extension claims is left out");
        if let Some((Cancel { tag }, answer)) = ask.accept() {
            answer.send(Ok(Cancelled { found: self.0.cancel(tag.as_bytes()) }));
        }
    }
}

impl Cancelling {
    fn asks(&self) -> RunningAsks {
        self.0.lock().expect("no panic").clone().expect("it was attached")
    }
}

fn scripted(settings: Settings) -> (House, RunningAsks, Connection, RawPeer) {
    let (house, cancelling) = (House::new(), Cancelling::default());
    let builder = Connection::builder().extension(cancelling.clone()).locator(house.clone().into_locator());
    let (connection, peer) = RawPeer::of(1 << 20, builder.settings(settings.announce(false)));
    (house, cancelling.asks(), connection, peer)
}

fn cancel(tag: &str, cancelled: &str) -> Vec<u8> {
    ask(tag, "Cancel", &[("tag", cancelled)])
}

fn cancelled(tag: &str, found: bool) -> Vec<u8> {
    answer(tag, &[("found", if found { "True" } else { "False" })])
}

#[tokio::test(start_paused = true)]
async fn a_running_ask_is_dropped_and_answered_and_the_others_go_on() {
    let log = logged(Level::INFO);
    let (house, asks, _connection, mut peer) = scripted(Settings::new());
    peer.send([ask("a", "Wait", &[]), ask("b", "Wait", &[])].concat()).await;
    peer.expect_silence_for(SECOND).await;
    assert_eq!((asks.contains(b"a"), house.waiting()), (true, 2));
    peer.send(cancel("c", "a")).await;
    peer.expect([cancelled("c", true), unknown("a")].concat()).await;
    assert_eq!((asks.contains(b"a"), asks.contains(b"b"), house.waiting()), (false, true, 1));
    house.open(1);
    peer.expect(answer("b", &[])).await;
    peer.expect_open().await;
    assert!(!asks.contains(b"b"));
    // It is the peer that wants it: no failure of this end.
    assert!(!log.text().contains("ERROR"), "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn a_tag_of_no_running_ask_is_not_found_and_costs_nothing() {
    let (house, asks, _connection, mut peer) = scripted(Settings::new());
    peer.send([ask_sum("a"), cancel("b", "a"), cancel("c", "never"), cancel("d", "d")].concat()).await;
    peer.expect([answer_sum("a"), cancelled("b", false), cancelled("c", false), cancelled("d", false)].concat()).await;
    peer.send(ask("e", "Wait", &[])).await;
    house.open(1);
    peer.expect(answer("e", &[])).await;
    peer.send([cancel("f", "e"), ask("g", "No", &[])].concat()).await;
    peer.expect(cancelled("f", false)).await;
    peer.expect(crate::raw_peer::error("g", "UNHANDLED", "Unhandled Command: b'No'")).await;
    assert_eq!(format!("{asks:?}"), "RunningAsks { count: 0, .. }");
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_the_peer_uses_twice_cancels_all_its_asks_and_each_is_answered_once() {
    let (house, asks, _connection, mut peer) = scripted(Settings::new());
    peer.send([ask("a", "Wait", &[]), ask("a", "Wait", &[]), ask_sum("a")].concat()).await;
    peer.expect(answer_sum("a")).await;
    peer.expect_silence_for(SECOND).await;
    assert!(asks.contains(b"a"));
    peer.send(cancel("b", "a")).await;
    peer.expect([cancelled("b", true), unknown("a"), unknown("a")].concat()).await;
    assert_eq!((asks.contains(b"a"), house.waiting()), (false, 0));
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_waits_to_begin_never_begins_once_it_is_cancelled() {
    let (house, _asks, _connection, mut peer) = scripted(Settings::new().in_order(true));
    peer.send([ask("a", "Wait", &[]), ask("b", "Fail", &[("how", "panic")]), ask_sum("c"), cancel("d", "b")].concat())
        .await;
    peer.expect([cancelled("d", true), unknown("b")].concat()).await;
    peer.expect_silence_for(SECOND).await;
    house.open(1);
    peer.expect([answer("a", &[]), answer_sum("c")].concat()).await;
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_is_answered_elsewhere_is_left_out() {
    let (taken, cancelling) = (Arc::new(Mutex::new(Vec::<Answer<Wait>>::new())), Cancelling::default());
    let (answers, kept) = (Arc::clone(&taken), Arc::new(Mutex::new(Vec::new())));
    let asks = Arc::clone(&kept);
    let locator = move |ask: Ask| {
        if ask.is::<Wait>() {
            answers.lock().expect("no panic").extend(ask.accept::<Wait>().map(|(_, answer)| answer));
        } else {
            asks.lock().expect("no panic").push(ask);
        }
        Located::Answered
    };
    let builder = Connection::builder().extension(cancelling.clone()).locator(Locating(locator));
    let (_connection, mut peer) = RawPeer::of(1 << 20, builder.settings(Settings::new().announce(false)));
    peer.send([ask("a", "Wait", &[]), ask_sum("b"), cancel("c", "a"), cancel("d", "b")].concat()).await;
    peer.expect([cancelled("c", false), cancelled("d", false)].concat()).await;
    taken.lock().expect("no panic").pop().expect("it was taken").send(Ok(()));
    peer.expect(answer("a", &[])).await;
    kept.lock().expect("no panic").clear();
    peer.expect(unknown("b")).await;
}

#[tokio::test(start_paused = true)]
async fn a_large_ask_that_is_cancelled_while_it_is_decoded_does_not_begin() {
    let ((inside, entered), (opens, opened)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let (opened, begun) = (Mutex::new(opened), Arc::new(AtomicBool::new(false)));
    let locator = {
        let begun = Arc::clone(&begun);
        move |ask: Ask| {
            inside.send(()).expect("the test is there");
            // Not on the test's thread, or the gate would stay closed.
            let opened = opened.lock().expect("no panic").recv_timeout(20 * SECOND);
            opened.expect("the gate opens while the ask is decoded");
            let begun = Arc::clone(&begun);
            ask.respond(async move |_: Wait| {
                begun.store(true, Ordering::SeqCst);
                Ok(())
            })
        }
    };
    let cancelling = Cancelling::default();
    let builder = Connection::builder().extension(cancelling.clone()).locator(Locating(locator));
    let (_connection, mut peer) = RawPeer::of(1 << 20, builder.settings(Settings::new().announce(false)));
    peer.send([ask("a", "Wait", &[("more", &"m".repeat(65_535))]), cancel("c", "a")].concat()).await;
    until("the ask is decoded", || entered.try_recv().is_ok()).await;
    peer.expect(cancelled("c", true)).await;
    opens.send(()).expect("the locator is there");
    peer.expect(unknown("a")).await;
    assert!(!begun.load(Ordering::SeqCst));
    assert_eq!(format!("{:?}", cancelling.asks()), "RunningAsks { count: 0, .. }");
}

struct Locating<F>(F);

impl<F: Fn(Ask) -> Located + Send + Sync + 'static> amp::locator::Locator for Locating<F> {
    fn locate(&self, ask: Ask) -> Located {
        (self.0)(ask)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_that_races_with_the_answer_leaves_each_ask_one_answer() {
    const CALLS: u64 = 2_000;
    let (house, cancelling) = (House::new(), Cancelling::default());
    let answering = Connection::builder().extension(cancelling.clone()).locator(house.clone().into_locator());
    // A second answer to a tag would end the connection.
    let (caller, _answering) = pair(Connection::builder().settings(Settings::new().announce(false)), answering);
    let asks = cancelling.asks();
    let calls: Vec<_> = (0..CALLS).map(|_| tokio::spawn(caller.call(Wait))).collect();
    let canceller = std::thread::spawn(move || {
        let mut found = 0;
        for _ in 0..4 {
            for tag in (1..=CALLS).filter(|tag| tag % 2 == 0) {
                found += usize::from(asks.cancel(format!("{tag:x}").as_bytes()));
            }
        }
        found
    });
    house.open(usize::try_from(CALLS).expect("a short count"));
    let (mut answered, mut dropped) = (0, 0);
    for call in calls {
        match soon("an answer", call).await.expect("no panic") {
            Ok(()) => answered += 1,
            Err(CallError::Remote { code, .. }) if code == "UNKNOWN" => dropped += 1,
            Err(other) => panic!("{other:?}"),
        }
    }
    let found = canceller.join().expect("no panic");
    assert!(answered >= CALLS / 2 && answered + dropped == CALLS, "{answered} {dropped} {found}");
    assert_eq!(soon("an answer", caller.call(sum())).await.expect("an answer").total, 3);
    assert_eq!(format!("{:?}", cancelling.asks()), "RunningAsks { count: 0, .. }");
}
