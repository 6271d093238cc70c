//! What is not a locator, and closures that are not those of the place.

use amp::{Arguments, Command, Connection, Reply, Server, responder};

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
trait Adds {
    async fn sum(&self, command: Sum) -> Reply<Sum>;
}

impl Adds for Adder {
    async fn sum(&self, _: Sum) -> Reply<Sum> {
        Ok(Total { total: 1 })
    }
}

fn one_for_each() {
    let _ = Connection::builder().locator(|_| AddsLocator::new(Adder));
}

fn one_for_all() {
    let _ = Connection::builder().locator_with(AddsLocator::new(Adder));
}

fn not_the_locator() {
    let _ = Connection::builder().locator_with(|_| Adder);
}

fn refuses_with_a_text() {
    let _ = Server::builder().bind_unix("/run/x", |_| Err::<AddsLocator<Adder>, _>("no"));
}

fn is_asynchronous() {
    let _ = Server::builder().bind_unix("/run/x", async |_| AddsLocator::new(Adder));
}

fn main() {}
