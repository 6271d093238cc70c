//! Log in once, then be somebody.

use std::sync::Arc;

use amp::{Arguments, CallError, Command, Connection, ErrorCodes, Exposed, Reply, Server, Settings, State, responder};
use tokio::sync::Semaphore;

use crate::raw_peer::{RawPeer, answer, ask, error, soon};

#[derive(Debug, PartialEq)]
struct Principal(String);

#[derive(ErrorCodes, thiserror::Error, Debug, PartialEq)]
enum LoginError {
    #[error("who are you?")]
    Nobody,
}

#[derive(Command, Debug)]
struct Login {
    user: String,
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(Command, Debug)]
struct Logout {
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(Arguments, Debug, PartialEq)]
struct Name {
    name: String,
}

/// Tells who the caller is, at once.
#[derive(Command, Debug)]
#[amp(response = Name, errors = LoginError)]
struct Whoami {
    #[exposed]
    principal: Exposed<Option<State<Principal>>>,
}

/// Tells who the caller was when it asked, later.
#[derive(Command, Debug)]
#[amp(response = Name, errors = LoginError)]
struct WhoWasI {
    #[exposed]
    principal: Exposed<Option<State<Principal>>>,
}

#[derive(Clone)]
struct Hall(Arc<Semaphore>);

impl Hall {
    fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

fn name(principal: &Option<State<Principal>>) -> Result<Name, CallError<LoginError>> {
    let principal = principal.as_ref().ok_or(LoginError::Nobody)?;
    Ok(Name { name: principal.0.clone() })
}

#[responder]
impl Hall {
    async fn login(&self, command: Login) -> Reply<Login> {
        command.connection.set_state(Principal(command.user));
        Ok(())
    }

    async fn logout(&self, command: Logout) -> Reply<Logout> {
        command.connection.remove_state::<Principal>();
        Ok(())
    }

    async fn whoami(&self, command: Whoami) -> Reply<Whoami> {
        name(&command.principal)
    }

    async fn who_was_i(&self, command: WhoWasI) -> Reply<WhoWasI> {
        self.0.acquire().await.map_err(CallError::failed)?.forget();
        name(&command.principal)
    }
}

async fn whoami(connection: &Connection) -> Result<String, LoginError> {
    match soon("who", connection.call(Whoami { principal: Exposed::empty() })).await {
        Ok(Name { name }) => Ok(name),
        Err(CallError::Declared(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

async fn login(connection: &Connection, user: &str) {
    let login = Login { user: user.to_owned(), connection: Exposed::empty() };
    soon("a log-in", connection.call(login)).await.expect("an answer");
}

#[tokio::test]
async fn a_state_that_a_responder_sets_is_seen_by_later_calls_of_that_connection_only() {
    let server = Server::builder().bind_tcp("127.0.0.1:0", |_| Hall::new().into_locator()).await;
    let server = server.expect("a free port");
    let address = server.local_addr().expect("an address");
    let connect = || async { Connection::builder().connect_tcp(address).await.expect("the server listens") };
    let (ada, bob) = (connect().await, connect().await);
    assert_eq!(whoami(&ada).await, Err(LoginError::Nobody));
    login(&ada, "ada").await;
    assert_eq!((whoami(&ada).await, whoami(&bob).await), (Ok("ada".into()), Err(LoginError::Nobody)));
    login(&bob, "bob").await;
    assert_eq!((whoami(&ada).await, whoami(&bob).await), (Ok("ada".into()), Ok("bob".into())));
    soon("a log-out", ada.call(Logout { connection: Exposed::empty() })).await.expect("an answer");
    assert_eq!((whoami(&ada).await, whoami(&bob).await), (Err(LoginError::Nobody), Ok("bob".into())));
    assert_eq!(whoami(&connect().await).await, Err(LoginError::Nobody), "nobody inherits it");
}

fn hall() -> (Connection, RawPeer, Hall) {
    let hall = Hall::new();
    let (connection, peer) = RawPeer::with(hall.clone().into_locator(), Settings::new());
    (connection, peer, hall)
}

fn nobody(tag: &str) -> Vec<u8> {
    error(tag, "NOBODY", "who are you?")
}

#[tokio::test(start_paused = true)]
async fn a_log_in_counts_for_the_very_next_ask_of_the_same_read() {
    let (_connection, mut peer, _) = hall();
    let login = ask("2", "Login", &[("user", "ada")]);
    let all =
        [ask("1", "Whoami", &[]), login, ask("3", "Whoami", &[]), ask("4", "Logout", &[]), ask("5", "Whoami", &[])];
    peer.send(all.concat()).await;
    let ada = answer("3", &[("name", "ada")]);
    peer.expect([nobody("1"), answer("2", &[]), ada, answer("4", &[]), nobody("5")].concat()).await;
}

#[tokio::test(start_paused = true)]
async fn a_responder_that_runs_keeps_who_it_began_with() {
    let (_connection, mut peer, hall) = hall();
    let login = |tag, user| ask(tag, "Login", &[("user", user)]);
    let was = |tag| ask(tag, "WhoWasI", &[]);
    peer.send([was("1"), login("2", "ada"), was("3"), login("4", "bob"), was("5")].concat()).await;
    peer.expect([answer("2", &[]), answer("4", &[])].concat()).await;
    hall.0.add_permits(1);
    peer.expect(nobody("1")).await;
    hall.0.add_permits(1);
    peer.expect(answer("3", &[("name", "ada")])).await;
    hall.0.add_permits(1);
    peer.expect(answer("5", &[("name", "bob")])).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_cannot_send_what_is_exposed() {
    let (connection, mut peer, _) = hall();
    peer.send(ask("1", "Whoami", &[("principal", "root")])).await;
    peer.expect(nobody("1")).await;
    assert!(connection.set_state(Principal("ada".into())).is_none());
    peer.send(ask("2", "Whoami", &[("principal", "root")])).await;
    peer.expect(answer("2", &[("name", "ada")])).await;
    assert_eq!(*connection.state::<Principal>().expect("it was set"), Principal("ada".into()));
    assert_eq!(connection.set_state(Principal("bob".into())).expect("the one before").0, "ada");
    assert_eq!(connection.remove_state::<Principal>().expect("the one before").0, "bob");
    assert!(connection.remove_state::<Principal>().is_none() && connection.state::<Principal>().is_none());
}
