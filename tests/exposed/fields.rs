//! Exposed fields and parameters themselves: at the caller, in a test by hand, and on the wire.

use amp::connection::pair;
use amp::{Arguments, Command, Connection, Exposed, Peer, Reply, Settings, State, responder};

use crate::raw_peer::{RawPeer, answer, ask, soon, unknown};

#[derive(Debug)]
struct Pool(u32);

#[derive(Debug)]
struct Treasure;

#[derive(Arguments, Debug, PartialEq)]
struct Seen {
    seen: Vec<String>,
}

#[derive(Command, Debug, Default)]
#[amp(response = Seen)]
struct Look {
    at: String,
    #[exposed]
    connection: Exposed<Connection>,
    #[exposed]
    peer: Exposed<Peer>,
    #[exposed]
    pool: Exposed<State<Pool>>,
}

/// Is told in parameters what `Look` is told in fields.
#[derive(Command, Debug)]
#[amp(response = Seen)]
struct Glance {
    at: String,
    #[exposed]
    pool: Exposed<State<Pool>>,
}

#[derive(Command, Debug)]
struct Dig;

struct Eye;

#[responder]
impl Eye {
    async fn look(&self, command: Look) -> Reply<Look> {
        assert_eq!(command.connection.peer(), &*command.peer);
        Ok(Seen { seen: vec![command.at, command.peer.to_string(), command.pool.0.to_string()] })
    }

    async fn glance(
        &self,
        command: Glance,
        connection: Connection,
        peer: Peer,
        pool: State<Pool>,
        treasure: Option<State<Treasure>>,
    ) -> Reply<Glance> {
        assert_eq!(connection.peer(), &peer);
        assert!(std::ptr::eq(&*pool, &**command.pool), "a field and a parameter hold the same value");
        Ok(Seen { seen: vec![command.at, peer.to_string(), pool.0.to_string(), format!("{:?}", treasure.is_some())] })
    }

    async fn dig(&self, _: Dig, _pool: State<Pool>, treasure: State<Treasure>) -> Reply<Dig> {
        panic!("there is no {:?}", *treasure)
    }
}

#[tokio::test(start_paused = true)]
async fn parameters_behind_the_command_are_exposed_beside_its_fields() {
    let given = Connection::builder().locator(Eye.into_locator()).state(Pool(7));
    let (caller, answering) = pair(Connection::builder(), given);
    for there in ["false", "true"] {
        let glance = Glance { at: "it".into(), pool: Exposed::empty() };
        let seen = soon("seen", caller.call(glance)).await.expect("an answer").seen;
        assert_eq!(seen, ["it", "memory", "7", there]);
        answering.set_state(Treasure);
    }
}

#[tokio::test(start_paused = true)]
async fn a_parameter_that_nothing_provides_is_unknown_for_that_call_only() {
    let (connection, mut peer) = RawPeer::with(Eye.into_locator(), Settings::new());
    connection.set_state(Pool(1));
    peer.send([ask("1", "Dig", &[]), ask("2", "Look", &[("at", "sea")])].concat()).await;
    peer.expect([unknown("1"), answer("2", &[("seen", "\0\u{3}sea\0\u{6}script\0\u{1}1")])].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn a_test_sets_exposed_fields_by_hand_and_needs_no_wire() {
    let (connection, _other) = pair(Connection::builder(), Connection::builder());
    let look = Look {
        at: "the test".into(),
        peer: Exposed::of(connection.peer().clone()),
        connection: Exposed::of(connection),
        pool: Exposed::of(State::new(Pool(3))),
    };
    assert_eq!(Eye.look(look).await.expect("an answer").seen, ["the test", "memory", "3"]);
}

#[test]
fn an_exposed_field_is_empty_by_default_and_says_whether_it_is() {
    let look = Look::default();
    assert!(look.peer.as_option().is_none() && look.pool.clone().into_option().is_none());
    let shared = State::from(std::sync::Arc::new(Pool(1)));
    let full = Exposed::of(shared);
    assert_eq!(full.as_option().map(|pool| pool.0), Some(1));
    assert_eq!(format!("{:?} {full:?}", look.pool), "Exposed(empty) Exposed(..)");
    assert_eq!(full.into_option().expect("it is there").0, 1);
}

#[test]
#[should_panic(expected = "Pool>` is exposed only where the command is answered; in a test set it with `Exposed::of`")]
fn an_empty_one_that_is_looked_into_panics_with_words() {
    let _ = Look::default().pool.0;
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_exposed_travels() {
    let (connection, mut peer) = RawPeer::with((), Settings::new());
    let look = Look {
        at: "me".into(),
        connection: Exposed::of(connection.clone()),
        peer: Exposed::of(Peer::other("secret")),
        pool: Exposed::of(State::new(Pool(42))),
    };
    let call = tokio::spawn(connection.call(look));
    peer.expect(ask("1", "Look", &[("at", "me")])).await;
    peer.send(answer("1", &[("seen", "")])).await;
    assert_eq!(soon("answered", call).await.expect("no panic").expect("an answer").seen.len(), 0);
}
