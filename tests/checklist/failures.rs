//! A bug costs its one call: panics, in every place where a user's code runs.

use std::sync::Arc;

use amp::connection::pair;
use amp::error::codes;
use amp::locator::{Ask, Located, Locator};
use amp::{CallError, Command, Connection, Exposed, Peer, Reply, Settings, State, responder};

use crate::commands::{Explode, Fail, House, Wait, sum};
use crate::raw_peer::{RawPeer, answer_sum, ask, ask_sum, soon, unknown};

#[tokio::test(start_paused = true)]
async fn a_panic_before_or_after_the_first_await_is_unknown_for_that_call_only() {
    let house = House::new();
    let (caller, _other) = pair(Connection::builder(), Connection::builder().locator(house.clone().into_locator()));
    let slow = tokio::spawn(caller.call(Wait));
    for how in ["panic", "later panic"] {
        let error = soon("answered", caller.call(Fail { how: how.into() })).await.expect_err("a panic");
        assert_eq!(error.remote_code(), Some(codes::UNKNOWN), "{how}");
        soon("others go on", caller.call(sum())).await.expect("an answer");
    }
    house.open(1);
    soon("answered", slow).await.expect("no panic").expect("an answer");
}

/// Panics, or loses the ask, in the locator itself.
struct Careless;

impl Locator for Careless {
    fn locate(&self, ask: Ask) -> Located {
        match ask.command() {
            b"Panic" => panic!("the locator panics"),
            b"Lose" => Located::Answered,
            _ => Located::Unknown(ask),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_ask_that_a_locator_loses_is_answered_with_unknown() {
    let locator: (Careless, Arc<dyn Locator>) = (Careless, Arc::new(House::new().into_locator()));
    let (_connection, mut peer) = RawPeer::with(locator, Settings::new());
    peer.send([ask("1", "Panic", &[]), ask("2", "Lose", &[]), ask_sum("3")].concat()).await;
    peer.expect([unknown("1"), unknown("2"), answer_sum("3")].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn a_command_that_panics_while_it_is_written_leaves_no_half_box() {
    let (connection, mut peer) = RawPeer::with(House::new().into_locator(), Settings::new());
    let doomed = connection.clone();
    let call = tokio::spawn(async move { doomed.call(Doomed { mine: crate::commands::Mine }).await });
    assert!(soon("the caller panics", call).await.expect_err("a panic").is_panic());
    peer.expect_open().await;
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    peer.send(answer_sum("1")).await;
    soon("usable afterwards", call).await.expect("no panic").expect("an answer");
}

#[derive(amp::Command, Debug)]
struct Doomed {
    mine: crate::commands::Mine,
}

#[tokio::test(start_paused = true)]
async fn a_response_that_panics_while_it_is_written_or_read_costs_that_call_only() {
    let (connection, mut peer) = RawPeer::with(House::new().into_locator(), Settings::new());
    let call = tokio::spawn(connection.call(Explode));
    peer.expect(ask("1", "Explode", &[])).await;
    peer.send(crate::raw_peer::answer("1", &[("before", "1"), ("mine", "x")])).await;
    assert!(soon("the caller panics", call).await.expect_err("a panic").is_panic());
    peer.expect_open().await;

    let (caller, _other) = pair(Connection::builder(), Connection::builder().locator(House::new().into_locator()));
    match soon("answered", caller.call(Explode)).await {
        Err(CallError::Remote { code, .. }) => assert_eq!(code, codes::UNKNOWN),
        other => panic!("{other:?}"),
    }
    soon("others go on", caller.call(sum())).await.expect("an answer");
}

/// Nothing provides it here.
#[derive(Debug)]
struct Treasure;

#[derive(Command, Debug)]
struct Dig {
    #[exposed]
    treasure: Exposed<State<Treasure>>,
}

#[derive(Command, Debug)]
struct Look {
    #[exposed]
    peer: Exposed<Peer>,
    #[exposed]
    connection: Exposed<Connection>,
}

struct Island;

#[responder]
impl Island {
    async fn dig(&self, command: Dig) -> Reply<Dig> {
        panic!("there is no {:?}", *command.treasure)
    }

    async fn look(&self, command: Look) -> Reply<Look> {
        assert_eq!(*command.peer, Peer::other("script"));
        assert_eq!(command.connection.peer(), &*command.peer);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn an_exposed_field_that_nothing_provides_is_unknown_for_that_call_only() {
    let locator = (Island.into_locator(), House::new().into_locator());
    let (_connection, mut peer) = RawPeer::with(locator, Settings::new());
    peer.send([ask("1", "Dig", &[]), ask("2", "Look", &[])].concat()).await;
    peer.expect([unknown("1"), crate::raw_peer::answer("2", &[])].concat()).await;
    peer.expect_open().await;
}

/// Panics when it is dropped, unless something else does.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("expected: the payload of a panic");
        }
    }
}

#[derive(Command, Debug)]
struct PanicTwice {
    late: bool,
}

struct Panicking;

#[responder]
impl Panicking {
    async fn panic_twice(&self, command: PanicTwice) -> Reply<PanicTwice> {
        if command.late {
            tokio::task::yield_now().await;
        }
        std::panic::panic_any(Payload)
    }
}

#[tokio::test]
async fn a_panic_whose_payload_panics_when_it_is_dropped_costs_its_one_call() {
    let builder = Connection::builder().locator((Panicking.into_locator(), House::new().into_locator()));
    let (caller, _answering) = pair(Connection::builder(), builder);
    for late in [false, true] {
        let error = soon("told", caller.call(PanicTwice { late })).await.expect_err("it panics");
        assert_eq!(error.remote_code(), Some(codes::UNKNOWN), "late: {late}");
        let sum = soon("a call", caller.call(sum())).await;
        assert_eq!(sum.expect("the connection lives").total, 3);
    }
}
