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

#[responder]
trait Calculator {
    async fn sum(&self, command: Sum) -> Reply<Sum>;
}

async fn call(connection: Connection) -> Option<i64> {
    let total = connection.call(Sum { a: 1 }).await.ok()?.total;
    CalculatorClient::new(&connection).sum(Sum { a: 2 }).await.ok()?;
    total.first().map(|item| item.0.into())
}

fn main() {}
