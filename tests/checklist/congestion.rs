//! A peer that asks for more than it has read yet: it is served as it reads, and held to the bounds.

use std::time::Duration;

use amp::{Arguments, Command, Connection, Peer, Reply, Server, Settings, responder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::commands::{House, Note};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, draining, error, packed, soon};

/// Is answered with 130 KB.
#[derive(Command, Debug)]
#[amp(response = Tome)]
struct Read;

#[derive(Arguments, Debug)]
struct Tome {
    first: Vec<u8>,
    second: Vec<u8>,
}

struct Library;

#[responder]
impl Library {
    async fn read(&self, _: Read) -> Reply<Read> {
        Ok(Tome { first: vec![b'1'; 65_000], second: vec![b'2'; 65_000] })
    }
}

/// The length of such an answer whose tag has so many letters.
fn answer_len(tag: usize) -> usize {
    packed(&[("_answer", "")]).len() + tag + packed(&[("first", [b'1'; 65_000]), ("second", [b'2'; 65_000])]).len() - 2
}

/// 1,024 asks at once.
fn asks() -> Vec<u8> {
    ask("t", "Read", &[]).repeat(1024)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_of_1_024_answers_of_130_kb_at_once_are_not_accused_of_not_reading() {
    let server = Server::builder().bind_tcp("127.0.0.1:0", |_| Library.into_locator()).await.expect("a port");
    let address = server.local_addr().expect("an address");
    let connection = Connection::builder().connect_tcp(address).await.expect("the server listens");
    let mut calls = JoinSet::new();
    for _ in 0..1024 {
        calls.spawn(connection.call(Read));
    }
    for reply in soon("every call ends", calls.join_all()).await {
        let tome = reply.expect("an answer");
        assert_eq!((tome.first.len(), tome.second.len()), (65_000, 65_000));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raw_peer_over_tcp_that_asks_for_1_024_answers_of_130_kb_and_reads_is_not_accused() {
    let server = Server::builder().bind_tcp("127.0.0.1:0", |_| Library.into_locator()).await.expect("a port");
    let stream = TcpStream::connect(server.local_addr().expect("an address")).await.expect("the server listens");
    let (read, mut write) = stream.into_split();
    write.write_all(&asks()).await.expect("the server takes bytes");
    let all = 1024 * answer_len(1);
    let mut answers = read.take(u64::try_from(all).expect("64 bits"));
    let count = soon("all answers", tokio::io::copy(&mut answers, &mut tokio::io::sink())).await.expect("no reset");
    assert_eq!(usize::try_from(count).expect("64 bits"), all);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_a_little_at_a_time_is_not_accused() {
    // A bound of outbound bytes that a hundredth of the answers would cross.
    let settings = Settings::new().outbound_high_water(100_000).max_outbound(1_000_000);
    let (_connection, mut peer) = RawPeer::with_room(64 * 1024, Library.into_locator(), settings);
    peer.send(&asks()[..]).await;
    let mut left = 1024 * answer_len(1);
    while left > 0 {
        sleep(Duration::from_millis(10)).await;
        for _ in 0..16 {
            if left > 0 {
                left -= peer.read_some().await.len();
            }
        }
    }
    peer.send(ask("last", "Read", &[])).await;
    peer.expect(packed(&[("_answer", "last")]).strip_suffix(b"\0\0").expect("an end")).await;
}

/// A house whose peer has not read two large answers: one is being written, and one is over the mark.
async fn congested(settings: Settings) -> (Connection, RawPeer, House) {
    let house = House::new();
    let locator = house.clone().into_locator();
    let (connection, mut peer) = RawPeer::with_room(64, locator, settings.outbound_high_water(1000));
    peer.send(ask("big", "Big", &[("size", "2000")]).repeat(2)).await;
    (connection, peer, house)
}

fn big() -> Vec<u8> {
    answer("big", &[("data", &"x".repeat(2000))]).repeat(2)
}

#[tokio::test(start_paused = true)]
async fn asks_wait_in_order_while_the_peer_does_not_read_and_start_when_it_does() {
    let (_connection, mut peer, house) = congested(Settings::new().write_timeout(None)).await;
    for text in ["a", "b"] {
        peer.send(ask(text, "Note", &[("text", text)])).await;
    }
    peer.send([ask_sum("sum"), ask("wait", "Wait", &[]), ask("c", "Note", &[("text", "c")])].concat()).await;
    sleep(Duration::from_secs(3600)).await;
    assert_eq!((house.notes(), house.waiting()), (vec![], 0), "none has begun");
    peer.expect([big(), answer("a", &[]), answer("b", &[]), answer_sum("sum"), answer("c", &[])].concat()).await;
    assert_eq!((house.notes(), house.waiting()), (vec!["a".into(), "b".into(), "c".into()], 1));
    house.open(1);
    peer.expect(answer("wait", &[])).await;
    peer.expect_open().await;
}

#[tokio::test(start_paused = true)]
async fn what_waiting_asks_hold_is_bounded_and_further_ones_are_busy() {
    let (_connection, mut peer, _) = congested(Settings::new().max_inbound(13_000)).await;
    let data = "d".repeat(4000);
    for tag in ["1", "2", "3", "4"] {
        peer.send(ask(tag, "Echo", &[("data", &data)])).await;
    }
    // A small one finds room where a large one does not.
    peer.send(ask_sum("5")).await;
    let busy = |tag| error(tag, "BUSY", "Too many commands are running; try again later");
    let echo = |tag| answer(tag, &[("data", &data)]);
    peer.expect([big(), busy("3"), busy("4"), echo("1"), echo("2"), answer_sum("5")].concat()).await;
    // What they held is free again.
    peer.send([ask("6", "Echo", &[("data", &data)]), ask("7", "Echo", &[("data", &data)])].concat()).await;
    peer.expect([echo("6"), echo("7")].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn asks_that_wait_while_the_connection_closes_are_answered_that_nothing_was_done() {
    let (connection, mut peer, _) = congested(Settings::new()).await;
    peer.send([ask_sum("1"), ask_sum("2")].concat()).await;
    sleep(Duration::from_secs(1)).await;
    connection.close();
    peer.expect_end([big(), draining("1"), draining("2")].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn settings_of_zero_that_are_at_least_one_act_as_one() {
    let settings = || Settings::new().outbound_high_water(0).max_calls(0);
    let (ours, theirs) = tokio::io::duplex(64);
    let caller = Connection::builder().settings(settings()).start(ours, Peer::other("zero"));
    let builder = Connection::builder().settings(settings()).locator(House::new().into_locator());
    let _answering = builder.start(theirs, Peer::other("zero"));
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        calls.spawn(caller.call(crate::commands::sum()));
    }
    for reply in soon("every call ends", calls.join_all()).await {
        assert_eq!(reply.expect("an answer").total, 3);
    }
    soon("a notification", caller.notify(Note { text: "n".into() })).await.expect("sent");
}

#[tokio::test(start_paused = true)]
async fn nothing_waits_for_good_behind_notifications_that_wait_for_memory() {
    let house = House::new();
    let settings = Settings::new().outbound_high_water(1000).max_inbound(5_000);
    let (_connection, mut peer) = RawPeer::with_room(64, house.clone().into_locator(), settings);
    // One runs, and may be waiting for the call or for what is notified.
    peer.send(ask("wait", "Wait", &[])).await;
    sleep(Duration::from_secs(1)).await;
    peer.send(ask("big", "Big", &[("size", "2000")]).repeat(2)).await;
    let note = |size: usize| packed(&[("_command", "Note"), ("text", &"n".repeat(size))]);
    peer.send([note(100), ask_sum("sum"), note(600)].concat()).await;
    sleep(Duration::from_secs(1)).await;
    peer.expect([big(), answer_sum("sum")].concat()).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(house.notes().len(), 2, "one at a time");
    house.open(1);
    peer.expect(answer("wait", &[])).await;
}

/// Waits for good, with much in its future.
#[derive(Command, Debug)]
struct Stay;

const FUTURE: usize = 16 * 1024;

struct Guests;

#[responder]
impl Guests {
    async fn stay(&self, _: Stay) -> Reply<Stay> {
        let mut luggage = [0_u8; FUTURE];
        std::future::pending::<()>().await;
        luggage.reverse();
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn asks_that_waited_are_busy_when_the_futures_of_those_before_hold_as_much_as_they_may() {
    let house = House::new();
    let settings = Settings::new().outbound_high_water(1000).max_inbound(100_000).write_timeout(None);
    let locator = (house.clone().into_locator(), Guests.into_locator());
    let (connection, mut peer) = RawPeer::with_room(64, locator, settings);
    peer.send(ask("big", "Big", &[("size", "2000")]).repeat(2)).await;
    peer.send(ask("stay", "Stay", &[]).repeat(50)).await;
    peer.send(packed(&[("_command", "Note"), ("text", "promised")])).await;
    peer.expect(big()).await;
    sleep(Duration::from_secs(1)).await;
    let (mut answers, mut busy) = (Vec::new(), 0);
    while busy < 50 - 100_000 / FUTURE - 2 {
        answers.extend(peer.read_some().await);
        busy = answers.windows(4).filter(|word| word == b"BUSY").count();
    }
    sleep(Duration::from_secs(1)).await;
    // Nobody is accused, and what was promised to run has run.
    assert!(!connection.is_closed());
    assert_eq!(house.notes(), ["promised"]);
}
