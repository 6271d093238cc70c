//! The user's own values: given to a builder, several at once, and what happens when one is missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use amp::connection::pair;
use amp::error::codes;
use amp::{Arguments, CallError, Command, Connection, Exposed, Reply, Server, Settings, State, responder};

use crate::commands::{House, sum};
use crate::logged::{Level, logged};
use crate::raw_peer::{RawPeer, answer, ask, soon, unknown};

/// A pool of connections to a database, say.
#[derive(Debug, Default)]
struct Pool(AtomicU32);

#[derive(Debug)]
struct Motto(&'static str);

/// No builder has it.
#[derive(Debug)]
struct Treasure;

#[derive(Arguments, Debug, PartialEq)]
struct Taken {
    taken: u32,
    motto: String,
}

#[derive(Command, Debug)]
#[amp(response = Taken)]
struct Take {
    #[exposed]
    pool: Exposed<State<Pool>>,
    #[exposed]
    motto: Exposed<State<Motto>>,
}

fn take() -> Take {
    Take { pool: Exposed::empty(), motto: Exposed::empty() }
}

#[derive(Command, Debug)]
struct Dig {
    #[exposed]
    pool: Exposed<State<Pool>>,
    #[exposed]
    treasure: Exposed<State<Treasure>>,
}

struct Shop;

#[responder]
impl Shop {
    async fn take(&self, command: Take) -> Reply<Take> {
        let taken = command.pool.0.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Taken { taken, motto: command.motto.0.to_owned() })
    }

    async fn dig(&self, command: Dig) -> Reply<Dig> {
        panic!("{:?} holds {:?}", *command.pool, *command.treasure)
    }
}

async fn taken(connection: &Connection) -> (u32, String) {
    let Taken { taken, motto } = soon("taken", connection.call(take())).await.expect("an answer");
    (taken, motto)
}

#[tokio::test(start_paused = true)]
async fn states_of_several_types_are_given_to_a_connections_builder() {
    let given = Connection::builder().locator(Shop.into_locator()).state(Pool::default()).state(Motto("first"));
    let (caller, answering) = pair(Connection::builder(), given.clone().state(Motto("last of a type")));
    assert_eq!(taken(&caller).await, (1, "last of a type".into()));
    assert_eq!(answering.state::<Pool>().expect("it was given").0.load(Ordering::SeqCst), 1);
    // A copy of the builder has the same pool.
    let (other, _answering) = pair(Connection::builder(), given);
    assert_eq!(taken(&other).await, (2, "first".into()));
}

#[tokio::test]
async fn states_given_to_a_servers_builder_are_shared_by_its_connections() {
    let pool = Arc::new(Pool(AtomicU32::new(10)));
    let builder = Server::builder().shared_state(Arc::clone(&pool)).state(Motto("served"));
    let server = builder.bind_tcp("127.0.0.1:0", |_| Shop.into_locator()).await.expect("a free port");
    for expected in 11..14 {
        let address = server.local_addr().expect("an address");
        let connection = Connection::builder().connect_tcp(address).await.expect("the server listens");
        assert_eq!(taken(&connection).await, (expected, "served".into()));
    }
    assert_eq!(pool.0.load(Ordering::SeqCst), 13);
}

#[tokio::test]
async fn on_connection_may_set_a_state_before_the_first_ask() {
    let builder = Server::builder().state(Pool::default()).state(Motto("of the server"));
    let builder = builder.on_connection(|connection| {
        let before = connection.set_state(Motto("of the connection")).expect("the server's");
        assert_eq!(before.0, "of the server");
    });
    let server = builder.bind_tcp("127.0.0.1:0", |_| Shop.into_locator()).await.expect("a free port");
    let address = server.local_addr().expect("an address");
    let connection = Connection::builder().connect_tcp(address).await.expect("the server listens");
    assert_eq!(taken(&connection).await, (1, "of the connection".into()));
}

#[tokio::test(start_paused = true)]
async fn a_missing_state_is_unknown_for_that_call_and_the_log_names_the_type() {
    let log = logged(Level::INFO);
    let given = Connection::builder().locator((Shop.into_locator(), House::new().into_locator()));
    let (caller, answering) = pair(Connection::builder(), given);
    let dig = || Dig { pool: Exposed::empty(), treasure: Exposed::empty() };
    for (missing, rest) in [("Pool", "Treasure"), ("Treasure", "Pool")] {
        let before = log.text().len();
        match soon("answered", caller.call(dig())).await {
            Err(CallError::Remote { code, description }) => {
                assert_eq!((&*code, &*description), (codes::UNKNOWN, "Unknown Error"));
            }
            other => panic!("{other:?}"),
        }
        let logged = log.text().split_off(before);
        assert!(logged.contains(&format!("states::{missing}")) && logged.contains("Dig"), "{logged}");
        assert!(!logged.contains(&format!("states::{rest}")), "{logged}");
        assert_eq!(soon("it lives", caller.call(sum())).await.expect("an answer").total, 3);
        answering.set_state(Pool::default());
        // One failure a minute is told.
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_state_tells_a_raw_peer_nothing_but_that_it_failed() {
    let (_connection, mut peer) = RawPeer::with((Shop.into_locator(), House::new().into_locator()), Settings::new());
    peer.send([ask("1", "Take", &[]), ask("2", "Dig", &[])].concat()).await;
    peer.expect([unknown("1"), unknown("2")].concat()).await;
    peer.expect_open().await;
    let (connection, mut peer) = RawPeer::with(Shop.into_locator(), Settings::new());
    connection.set_state(Pool::default());
    connection.set_state(Motto("m"));
    peer.send(ask("1", "Take", &[])).await;
    peer.expect(answer("1", &[("motto", "m"), ("taken", "1")])).await;
}
