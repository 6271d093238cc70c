//! A session object of each connection: responders find in `self` what they would take from exposed fields.

use std::sync::{Arc, Mutex};

use amp::connection::{NewConnection, WeakConnection};
use amp::server::{Refused, Session};
use amp::{Arguments, CallError, Command, Connection, ErrorCodes, Peer, Reply, Server, State, responder};

use crate::raw_peer::soon;

#[derive(Command, Debug)]
#[amp(errors = HubError)]
struct LogIn {
    user: String,
}

#[derive(Arguments, Debug, PartialEq)]
struct Told {
    text: String,
}

#[derive(Command, Debug)]
#[amp(response = Told, errors = HubError)]
struct WhereAmI;

/// Answered by what the caller itself answers.
#[derive(Command, Debug)]
#[amp(response = Told, errors = HubError)]
struct AskMe;

#[derive(ErrorCodes, Debug, PartialEq, thiserror::Error)]
enum HubError {
    #[error("log in first")]
    Nobody,
}

#[responder]
trait Hub {
    async fn log_in(&self, command: LogIn) -> Reply<LogIn>;
    async fn where_am_i(&self, command: WhereAmI) -> Reply<WhereAmI>;
    async fn ask_me(&self, command: AskMe) -> Reply<AskMe>;
}

#[derive(Command, Debug)]
#[amp(response = Told)]
struct Question;

#[responder]
trait Agent {
    async fn question(&self, command: Question) -> Reply<Question>;
}

/// What one connection of the hub is.
struct HubSession {
    peer: Peer,
    connection: WeakConnection,
    user: Mutex<Option<String>>,
}

impl HubSession {
    fn new(new: &NewConnection) -> Self {
        assert!(new.connection().upgrade().is_none(), "there is a connection before its session");
        Self { peer: new.peer().clone(), connection: new.connection().clone(), user: Mutex::default() }
    }

    fn user(&self) -> Result<String, HubError> {
        self.user.lock().expect("no panic").clone().ok_or(HubError::Nobody)
    }
}

impl Hub for HubSession {
    async fn log_in(&self, command: LogIn) -> Reply<LogIn> {
        *self.user.lock().expect("no panic") = Some(command.user);
        Ok(())
    }

    async fn where_am_i(&self, _: WhereAmI) -> Reply<WhereAmI> {
        Ok(Told { text: format!("{} at {}", self.user()?, self.peer) })
    }

    async fn ask_me(&self, _: AskMe) -> Reply<AskMe> {
        let user = self.user()?;
        let agent = AgentClient::new(&self.connection.upgrade().ok_or(HubError::Nobody)?);
        let Told { text } = agent.question(Question).await.map_err(CallError::failed)?;
        Ok(Told { text: format!("{user} says {text}") })
    }
}

struct Fixed(&'static str);

impl Agent for Fixed {
    async fn question(&self, _: Question) -> Reply<Question> {
        Ok(Told { text: self.0.to_owned() })
    }
}

#[tokio::test]
async fn a_session_object_holds_what_the_responders_of_its_connection_need() {
    let hub = Server::builder().bind_tcp("127.0.0.1:0", |new| HubLocator::new(HubSession::new(new)));
    let hub = hub.await.expect("a free port");
    let address = hub.local_addr().expect("TCP");
    let connect = async |text| {
        let builder = Connection::builder().locator(AgentLocator::new(Fixed(text)));
        builder.connect_tcp(address).await.expect("the hub listens")
    };
    let (ada, bob) = (connect("yes").await, connect("no").await);
    let (ada, bob) = (HubClient::new(&ada), HubClient::new(&bob));
    for (user, client) in [("ada", &ada), ("bob", &bob)] {
        let error = soon("an answer", client.where_am_i(WhereAmI)).await.expect_err("nobody has logged in");
        assert_eq!(error.declared(), Some(&HubError::Nobody));
        soon("a log-in", client.log_in(LogIn { user: user.to_owned() })).await.expect("it is answered");
    }
    let told = soon("an answer", ada.where_am_i(WhereAmI)).await.expect("it is answered");
    assert!(told.text.starts_with("ada at 127.0.0.1:"), "{}", told.text);
    for (client, text) in [(&ada, "ada says yes"), (&bob, "bob says no")] {
        let told = soon("an answer", client.ask_me(AskMe)).await.expect("it is answered");
        assert_eq!(told.text, text);
    }
}

#[derive(Command, Debug)]
#[amp(response = Told)]
struct Read;

struct Reader;

#[responder]
impl Reader {
    async fn read(&self, _: Read, own: State<u16>, shared: State<&'static str>) -> Reply<Read> {
        Ok(Told { text: format!("{} {}", *own, *shared) })
    }
}

#[tokio::test]
async fn a_session_sets_states_of_its_connection_in_place_of_its_servers() {
    let builder = Server::builder().state(7_u16).state("shared");
    let server = builder.bind_tcp("127.0.0.1:0", |new| {
        let Peer::Tcp { address } = new.peer() else { return Err(Refused::new("TCP only")) };
        Ok(Session::new(Reader.into_locator()).state(address.port()))
    });
    let server = server.await.expect("a free port");
    let address = server.local_addr().expect("TCP");
    for _ in 0..2 {
        let socket = tokio::net::TcpStream::connect(address).await.expect("the server listens");
        let port = socket.local_addr().expect("TCP").port();
        let connection = Connection::builder().start(socket, Peer::other("the server"));
        let told = soon("an answer", connection.call(Read)).await.expect("it is answered");
        assert_eq!(told.text, format!("{port} shared"));
    }
}

#[tokio::test]
async fn the_handle_of_a_peer_that_is_refused_leads_to_no_connection() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let keeps = Arc::clone(&kept);
    let server = Server::builder().bind_tcp("127.0.0.1:0", move |new| {
        keeps.lock().expect("no panic").push(new.connection().clone());
        Err::<(), _>(Refused::new("nobody is let in"))
    });
    let server = server.await.expect("a free port");
    let client = Connection::builder().connect_tcp(server.local_addr().expect("TCP")).await.expect("it listens");
    soon("the end", client.closed()).await;
    let kept = kept.lock().expect("no panic");
    assert!(kept.len() == 1 && kept[0].upgrade().is_none(), "{kept:?}");
}

/// Calls the other end back with what it was made with.
struct CallsBack {
    hub: WeakConnection,
    address: String,
}

impl CallsBack {
    fn new(new: &NewConnection) -> Self {
        assert!(new.connection().upgrade().is_none(), "there is a connection before its locator");
        Self { hub: new.connection().clone(), address: new.peer().to_string() }
    }
}

impl Agent for CallsBack {
    async fn question(&self, _: Question) -> Reply<Question> {
        let hub = self.hub.upgrade().ok_or_else(|| CallError::failed("the connection has gone"))?;
        let Told { text } = hub.call(Read).await?;
        Ok(Told { text: format!("{text} at {}", self.address) })
    }
}

#[tokio::test]
async fn a_locator_that_a_client_makes_has_the_peer_and_a_handle_to_call_back() {
    let (sender, mut connections) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::builder().state(1_u16).state("server").on_connection(move |connection| {
        sender.send(connection).expect("the test waits");
    });
    let server = server.bind_tcp("127.0.0.1:0", |_| Reader.into_locator()).await.expect("a free port");
    let builder = Connection::builder().locator_with(|new| AgentLocator::new(CallsBack::new(new)));
    let address = server.local_addr().expect("TCP");
    let _clients = [builder.clone().connect_tcp(address).await, builder.connect_tcp(address).await];
    for _ in 0..2 {
        let connection = soon("a connection", connections.recv()).await.expect("the server goes on");
        let told = soon("an answer", connection.call(Question)).await.expect("it is answered");
        assert_eq!(told.text, format!("1 server at {address}"));
    }
}
