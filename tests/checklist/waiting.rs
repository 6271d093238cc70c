//! Who waits for what: asks for their turn, answers that come later, calls for a place, and the end of the driver.

use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use amp::connection::{Strictness, pair};
use amp::locator::{Ask, Located, Locator};
use amp::{Arguments, CloseReason, Command, Connection, Peer, Reply, Settings, responder};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::time::sleep;

use crate::raw_peer::{RawPeer, answer, ask, packed, soon};

#[derive(Arguments, Debug)]
struct Data {
    data: Vec<u8>,
}

/// Is answered with more than the outbound mark of these tests.
#[derive(Command, Debug)]
#[amp(response = Data)]
struct Big;

/// Takes its time and wants no answer, so that nothing is written when it is done.
#[derive(Command, Debug)]
#[amp(no_answer)]
struct Slow;

#[derive(Command, Debug)]
struct Ping;

struct House;

#[responder]
impl House {
    async fn big(&self, _: Big) -> Reply<Big> {
        Ok(Data { data: vec![b'x'; 2000] })
    }

    async fn slow(&self, _: Slow) -> Reply<Slow> {
        sleep(Duration::from_millis(50)).await;
        Ok(())
    }

    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

fn congested() -> Settings {
    Settings::new().outbound_high_water(1000)
}

/// Answers a while after the locator has given the ask away.
struct Later;

impl Locator for Later {
    fn locate(&self, ask: Ask) -> Located {
        if let Some((Ping, answer)) = ask.accept() {
            tokio::spawn(async move {
                sleep(Duration::from_millis(100)).await;
                answer.send(Ok(()));
            });
        }
        Located::Answered
    }
}

#[tokio::test(start_paused = true)]
async fn in_order_the_next_ask_starts_although_the_one_before_wrote_nothing() {
    let (_connection, mut peer) = RawPeer::with(House.into_locator(), congested().in_order(true));
    peer.send([ask("1", "Big", &[]), packed(&[("_command", "Slow")]), ask("2", "Ping", &[])].concat()).await;
    let data = "x".repeat(2000);
    peer.expect([answer("1", &[("data", data.as_str())]), answer("2", &[])].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_later_is_waited_for_when_the_connection_closes() {
    let (connection, mut peer) = RawPeer::with(Later, Settings::new());
    peer.send(ask("1", "Ping", &[])).await;
    sleep(Duration::from_millis(20)).await;
    connection.close();
    assert_eq!(peer.rest().await, answer("1", &[]));
}

#[tokio::test(start_paused = true)]
async fn asks_that_wait_when_the_driver_is_dropped_do_not_change_the_reason() {
    let (ours, mut theirs): (DuplexStream, _) = duplex(64);
    let builder = Connection::builder().settings(congested().strictness(Strictness::Twisted));
    let (connection, driver) = builder.locator(House.into_locator()).build(ours, Peer::other("script"));
    let driver = tokio::spawn(driver);
    theirs.write_all(&ask("1", "Big", &[]).repeat(4)).await.expect("the driver reads");
    sleep(Duration::from_millis(50)).await;
    driver.abort();
    let reason = soon("the end", connection.closed()).await;
    assert!(matches!(reason, CloseReason::DriverDropped), "{reason:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_and_is_not_polled_keeps_its_turn_until_it_is_dropped() {
    let (connection, mut peer) = RawPeer::with((), Settings::new().max_calls(1));
    let first = tokio::spawn(connection.call(Ping));
    peer.expect(ask("1", "Ping", &[])).await;
    let mut idle = Box::pin(connection.call(Ping));
    poll_fn(|cx| Poll::Ready(idle.as_mut().poll(cx).is_pending())).await;
    peer.send(answer("1", &[])).await;
    soon("answered", first).await.expect("no panic").expect("an answer");
    let last = tokio::spawn(connection.call(Ping));
    sleep(Duration::from_secs(1)).await;
    assert!(!last.is_finished(), "it is not its turn");
    drop(idle);
    peer.expect(ask("2", "Ping", &[])).await;
    peer.send(answer("2", &[])).await;
    soon("answered", last).await.expect("no panic").expect("an answer");
}

/// Writes down that it has begun, and takes the longer the smaller its number is.
#[derive(Command, Debug)]
#[amp(no_answer)]
struct Numbered {
    number: u64,
}

#[derive(Clone, Default)]
struct Beginnings(Arc<Mutex<Vec<u64>>>);

#[responder]
impl Beginnings {
    async fn numbered(&self, command: Numbered) -> Reply<Numbered> {
        self.0.lock().expect("no panic under it").push(command.number);
        sleep(Duration::from_millis(20 - command.number / 10)).await;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn rule_100_notifications_start_in_the_order_of_their_coming() {
    for max_responders in [1, 3, 4096] {
        let begun = Beginnings::default();
        let receiver = Connection::builder().locator(begun.clone().into_locator());
        let receiver = receiver.settings(Settings::new().max_responders(max_responders));
        let (sender, receiver) = pair(Connection::builder(), receiver);
        for number in 0..200 {
            soon("credit", sender.notify(Numbered { number })).await.expect("sent");
        }
        sender.close();
        receiver.closed().await;
        let begun = begun.0.lock().expect("no panic under it");
        assert_eq!(*begun, (0..200).collect::<Vec<_>>(), "{max_responders} at once");
    }
}
