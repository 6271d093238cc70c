//! The main job in one process, over a real TCP socket: `cargo run --example quickstart`

use std::sync::Arc;
use std::time::Instant;

use amp::{Arguments, Command, Connection, ErrorCodes, Exposed, Reply, Server, responder};

/// Divides one integer by another.
#[derive(Command, Debug)]
#[amp(response = Quotient, errors = DivideError)]
struct Divide {
    numerator: i64,
    denominator: i64,
}

#[derive(Arguments, Debug)]
struct Quotient {
    result: f64,
}

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum DivideError {
    #[error("cannot divide by zero")]
    ZeroDivision,
}

/// Greets whoever calls, by the name that they give when they are asked back.
#[derive(Command, Debug, Default)]
#[amp(response = Greeting)]
struct Greet {
    /// Never on the wire: filled in where the command is answered.
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(Arguments, Debug)]
struct Greeting {
    text: String,
}

/// Writes a line down. Nobody waits for an answer.
#[derive(Command, Debug)]
#[amp(no_answer)]
struct Note {
    line: String,
}

/// Tells one's name.
#[derive(Command, Debug)]
#[amp(response = Name)]
struct WhoAreYou;

#[derive(Arguments, Debug)]
struct Name {
    name: String,
}

/// What the server answers.
#[responder]
trait Desk {
    async fn divide(&self, command: Divide) -> Reply<Divide>;
    async fn greet(&self, command: Greet) -> Reply<Greet>;
    async fn note(&self, command: Note) -> Reply<Note>;
}

/// What the client answers: on one connection both ends call and both ends answer.
#[responder]
trait Visitor {
    async fn who_are_you(&self, command: WhoAreYou) -> Reply<WhoAreYou>;
}

struct Clerk;

impl Desk for Clerk {
    async fn divide(&self, command: Divide) -> Reply<Divide> {
        if command.denominator == 0 {
            return Err(DivideError::ZeroDivision.into());
        }
        Ok(Quotient { result: command.numerator as f64 / command.denominator as f64 })
    }

    async fn greet(&self, command: Greet) -> Reply<Greet> {
        let visitor = VisitorClient::new(&command.connection);
        let Name { name } = visitor.who_are_you(WhoAreYou).await.map_err(amp::CallError::failed)?;
        Ok(Greeting { text: format!("Good morning, {name}!") })
    }

    async fn note(&self, command: Note) -> Reply<Note> {
        println!("   (the server writes down: {})", command.line);
        Ok(())
    }
}

struct Ada;

impl Visitor for Ada {
    async fn who_are_you(&self, _: WhoAreYou) -> Reply<WhoAreYou> {
        Ok(Name { name: "Ada".to_owned() })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let clerk = Arc::new(Clerk);
    let server = Server::builder().bind_tcp("127.0.0.1:0", move |_| DeskLocator::from_arc(Arc::clone(&clerk))).await?;
    let address = server.local_addr().ok_or("a TCP server has an address")?;
    println!("A server listens on {address}.");

    let connection = Connection::builder().locator(VisitorLocator::new(Ada)).connect_tcp(address).await?;
    let desk = DeskClient::new(&connection);

    println!("1. A typed call: 355 / 113 is");
    println!("   {}", desk.divide(Divide { numerator: 355, denominator: 113 }).await?.result);

    println!("2. A declared error comes back typed:");
    match desk.divide(Divide { numerator: 1, denominator: 0 }).await.as_ref().map_err(|error| error.declared()) {
        Err(Some(DivideError::ZeroDivision)) => println!("   {}", DivideError::ZeroDivision),
        other => println!("   unexpected: {other:?}"),
    }

    println!("3. The server calls back before it answers:");
    println!("   {}", desk.greet(Greet::default()).await?.text);

    println!("4. A command that wants no answer; the next call finds it done:");
    desk.note(Note { line: "Ada was here".to_owned() }).await?;
    desk.divide(Divide { numerator: 0, denominator: 1 }).await?;

    const CALLS: i64 = 10_000;
    println!("5. {CALLS} calls at once on one connection:");
    let start = Instant::now();
    let calls: Vec<_> =
        (0..CALLS).map(|numerator| tokio::spawn(connection.call(Divide { numerator, denominator: 2 }))).collect();
    let mut sum = 0.0;
    for call in calls {
        sum += call.await??.result;
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("   {:.0} calls a second, and the halves add up to {sum}", CALLS as f64 / seconds);

    connection.close();
    println!("The connection was {}.", connection.closed().await);
    server.close();
    server.closed().await;
    Ok(())
}
