//! One mistake is one message, however often the type is used.
use amp::{Arguments, Command, Connection, ErrorCodes, Reply, responder};

#[derive(Command)]
#[amp(response = Total, errors = Fault, bogus)]
struct Sum {
    a: i64,
}

#[derive(Arguments)]
struct Total {
    #[amp(bogus)]
    total: Vec<Item>,
}

#[derive(Arguments)]
struct Item(u8);

#[derive(ErrorCodes, thiserror::Error, Debug)]
enum Fault {
    #[error("fault")]
    #[amp(bogus)]
    Fault,
}

#[derive(Command)]
struct Ping;

#[responder]
trait Calculator {
    async fn sum(&self, command: Sum) -> Reply<Sum>;
    async fn ping(&mut self, command: Ping) -> Reply<Ping>;
    async fn silent(&self, command: Ping);
}

struct Abacus;

impl Calculator for Abacus {
    async fn sum(&self, _: Sum) -> Reply<Sum> {
        Err(Fault::Fault.into())
    }

    async fn ping(&mut self, _: Ping) -> Reply<Ping> {
        Ok(())
    }

    async fn silent(&self, _: Ping) {}
}

struct Counter;

#[responder]
impl Counter {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }

    fn count(&self, _: Sum) -> Reply<Sum> {
        Err(Fault::Fault.into())
    }
}

#[responder]
trait Wires {
    async fn connection(&self, command: Ping) -> Reply<Ping>;
}

async fn call_wires(connection: Connection) -> Reply<Ping> {
    WiresClient::new(&connection).connection(Ping).await
}

async fn call(connection: Connection) -> Option<i64> {
    let total = connection.call(Sum { a: 1 }).await.ok()?.total;
    CalculatorClient::new(&connection).sum(Sum { a: 2 }).await.ok()?;
    total.first().map(|item| item.0.into())
}

fn serve() {
    let locators = (CalculatorLocator::new(Abacus), Counter.into_locator());
    let _ = Connection::builder().locator(locators);
}

fn main() {}
