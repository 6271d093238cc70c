//! Constraints that both ends enforce, and a log-in that makes the caller somebody: `cargo run --example guarded`

use std::collections::HashMap;
use std::sync::Mutex;

use amp::locator::Locator;
use amp::schema::Schema;
use amp::{AmpBox, Arguments, CallError, Command, Connection, ErrorCodes, Exposed, Reply, Server, State, responder};

/// Says who one is. What the connection may do from then on depends on it.
#[derive(Command, Debug)]
#[amp(errors = LogInError)]
struct LogIn {
    #[constrain(length = 1..=32, with = is_lowercase)]
    user: String,
    #[constrain(non_empty)]
    password: String,
    #[exposed]
    connection: Exposed<Connection>,
    #[exposed]
    accounts: Exposed<State<Accounts>>,
}

fn is_lowercase(text: &str) -> bool {
    text.chars().all(char::is_lowercase)
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum LogInError {
    #[error("no such user, or not this password")]
    WrongCredentials,
}

/// Books nodes of a cluster.
#[derive(Command, Debug)]
#[amp(response = Booking, errors = BookError)]
struct Book {
    #[constrain(length = 1..=8)]
    nodes: Vec<Node>,
    #[constrain(in_set = ["small", "large"])]
    size: String,
    /// Who asks: nobody before the log-in.
    #[exposed]
    principal: Exposed<Option<State<Principal>>>,
}

#[derive(Arguments, Debug)]
struct Node {
    #[constrain(range = 1..=65535)]
    port: u32,
}

#[derive(Arguments, Debug)]
struct Booking {
    owner: String,
    nodes: usize,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum BookError {
    #[error("log in first")]
    NotLoggedIn,
    #[error("{0}")]
    #[amp(invalid_argument, code = "VALUE_ERROR")]
    BadValue(String),
}

/// The program's own state, given to the server: every responder can have it.
struct Accounts(Mutex<HashMap<&'static str, &'static str>>);

/// The connection's own state, set by the log-in.
struct Principal(String);

struct Cluster;

#[responder]
impl Cluster {
    async fn log_in(&self, command: LogIn) -> Reply<LogIn> {
        let known = command.accounts.0.lock().map_err(|_| CallError::failed("the accounts are broken"))?;
        if known.get(command.user.as_str()) != Some(&command.password.as_str()) {
            return Err(LogInError::WrongCredentials.into());
        }
        command.connection.set_state(Principal(command.user.clone()));
        Ok(())
    }

    async fn book(&self, command: Book) -> Reply<Book> {
        let principal = command.principal.as_ref().ok_or(BookError::NotLoggedIn)?;
        Ok(Booking { owner: principal.0.clone(), nodes: command.nodes.len() })
    }
}

fn book(ports: &[u32]) -> Book {
    let nodes = ports.iter().map(|port| Node { port: *port }).collect();
    Book { nodes, size: "small".to_owned(), principal: Exposed::empty() }
}

fn log_in(user: &str, password: &str) -> LogIn {
    let (user, password) = (user.to_owned(), password.to_owned());
    LogIn { user, password, connection: Exposed::empty(), accounts: Exposed::empty() }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let accounts = Accounts(Mutex::new(HashMap::from([("ada", "lovelace")])));
    let server = Server::builder().state(accounts).bind_tcp("127.0.0.1:0", |_| Cluster.into_locator()).await?;
    let address = server.local_addr().ok_or("a TCP server has an address")?;
    let connection = Connection::builder().connect_tcp(address).await?;

    println!("1. Before the log-in:");
    println!("   {:?}", connection.call(book(&[80])).await.map_err(|error| error.to_string()));

    println!("2. A wrong password, then the right one:");
    println!("   {:?}", connection.call(log_in("ada", "byron")).await.map_err(|error| error.to_string()));
    connection.call(log_in("ada", "lovelace")).await?;
    println!("   {:?}", connection.call(book(&[80, 443])).await?);

    println!("3. What breaks a constraint is refused here, before a byte is sent, and every violation is told:");
    match connection.call(Book { size: "huge".to_owned(), ..book(&[80, 0, 70_000]) }).await {
        Err(CallError::Invalid(error)) => println!("   {error}"),
        other => println!("   unexpected: {other:?}"),
    }

    println!("4. A peer that does not check is refused there, and only its one call fails:");
    let unchecked = AmpBox::new().with("nodes", &b"\0\x04port\0\x010\0\0"[..])?.with("size", "small")?;
    println!(
        "   {}",
        connection.call_box("Book", unchecked).await.map_or_else(|error| error.to_string(), |_| "?".into())
    );
    println!("   {:?}", connection.call(book(&[22])).await?);

    println!("5. What the commands declare is data: for a listing, a comparison, or Twisted.");
    let schema = Schema::of(Cluster.into_locator().commands());
    println!(
        "{schema}fingerprint {}; the Python module has {} lines",
        schema.fingerprint(),
        schema.to_twisted().lines().count()
    );
    Ok(())
}
