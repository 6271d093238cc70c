//! Two services on one TCP connection, told apart by a key in every box: `cargo run --example router`
//!
//! Each route is a connection like any other: typed calls, a locator, an end of its own. What shares the connection
//! is written by hand from a `BoxSender` and a `BoxReceiver`, in `examples/shared/router.rs`.

use std::error::Error;

use amp::{Arguments, Command, Connection, Reply, Server, responder};
use router::Router;

#[path = "shared/router.rs"]
mod router;

#[derive(Command)]
#[amp(response = Total)]
struct Sum {
    a: i64,
    b: i64,
}

#[derive(Arguments)]
struct Total {
    total: i64,
}

#[derive(Command)]
#[amp(response = Greeting)]
struct Greet {
    name: String,
}

#[derive(Arguments)]
struct Greeting {
    greeting: String,
}

struct Calculator;

#[responder]
impl Calculator {
    async fn sum(&self, command: Sum) -> Reply<Sum> {
        Ok(Total { total: command.a + command.b })
    }
}

struct Greeter;

#[responder]
impl Greeter {
    async fn greet(&self, command: Greet) -> Reply<Greet> {
        Ok(Greeting { greeting: format!("Hello, {}!", command.name) })
    }
}

/// The server's side: both services on every connection.
fn serve(connection: &Connection) {
    let router = Router::on(connection);
    let calculator = router.open("calculator", Connection::builder().locator(Calculator.into_locator()));
    let greeter = router.open("greeter", Connection::builder().locator(Greeter.into_locator()));
    // A route lives as long as one of its handles.
    tokio::spawn(async move {
        let (end, _) = tokio::join!(calculator.closed(), greeter.closed());
        println!("server: its routes were {end}");
    });
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server =
        Server::builder().on_connection(|connection| serve(&connection)).bind_tcp("127.0.0.1:0", |_| ()).await?;
    let address = server.local_addr().ok_or("a TCP server has an address")?;

    let connection = Connection::builder().connect_tcp(address).await?;
    let router = Router::on(&connection);
    let calculator = router.open("calculator", Connection::builder());
    let greeter = router.open("greeter", Connection::builder());
    println!("client: two routes over one connection to {address}");

    let sum = calculator.call(Sum { a: 1, b: 2 });
    let greet = greeter.call(Greet { name: "Ada".to_owned() });
    let (sum, greet) = tokio::join!(sum, greet);
    println!("calculator: 1 + 2 = {}", sum?.total);
    println!("greeter: {}", greet?.greeting);

    let wrong = greeter.call(Sum { a: 1, b: 2 }).await;
    println!("greeter, asked for a sum: {}", wrong.err().ok_or("it cannot")?);
    let nobody = router.open("nobody", Connection::builder());
    let refused = nobody.call(Sum { a: 1, b: 2 }).await;
    println!("nobody: {}", refused.err().ok_or("nobody is there")?);

    greeter.close();
    println!("greeter: {}", greeter.closed().await);
    println!("calculator: 20 + 22 = {}", calculator.call(Sum { a: 20, b: 22 }).await?.total);

    connection.close();
    println!("client: the connection was {}, the calculator {}", connection.closed().await, calculator.closed().await);
    server.close();
    server.closed().await;
    Ok(())
}
