//! What the types of the user's program lack is said with the next step.

use std::collections::BTreeSet;

use amp::{Arguments, Command, Connection, Reply, Server, responder};

#[derive(Debug)]
enum Color {
    Red,
}

#[derive(Debug)]
struct Meters(u64);

#[derive(Command, Debug)]
struct Paint {
    color: Color,
    length: Meters,
    names: BTreeSet<String>,
    several: Vec<Color>,
}

#[derive(Command, Debug)]
#[amp(response = i64)]
struct Count;

#[derive(Command, Debug)]
#[amp(errors = String)]
struct Fail;

#[derive(Arguments, Debug)]
struct Total {
    total: i64,
}

#[derive(Command, Debug)]
#[amp(response = Total)]
struct Sum;

#[derive(Clone, Debug)]
struct Adder;

#[responder]
impl Adder {
    async fn sum(&self, _: Sum) -> Reply<Sum> {
        Ok(Total { total: 1 })
    }
}

#[responder]
trait Adds {
    async fn sum(&self, command: Sum) -> Reply<Sum>;
}

impl Adds for Adder {
    async fn sum(&self, _: Sum) -> Reply<Sum> {
        Ok(Total { total: 1 })
    }
}

async fn serve() {
    let _ = Server::builder().bind_tcp("127.0.0.1:0", Adder.into_locator()).await;
    let _ = Server::builder().bind_tcp("127.0.0.1:0", AddsLocator::new(Adder)).await;
    let _ = Server::builder().bind_tcp("127.0.0.1:0", |_| Adder).await;
    let _ = Server::builder().bind_unix("/run/x", Adder.into_locator());
    let _ = Connection::builder().locator(Adder);
}

async fn call(connection: &Connection) -> i64 {
    connection.call(Sum).total
}

async fn call_client(client: &AddsClient) -> i64 {
    client.sum(Sum).total
}

mod mocked {
    use super::*;

    struct MockAdds;

    #[responder]
    impl Adds for MockAdds {
        async fn sum(&self, _: Sum) -> Reply<Sum> {
            Ok(Total { total: 1 })
        }
    }
}

fn main() {}
