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
struct Adder {
    count: i64,
}

#[responder]
trait Adds {
    async fn sum(&self, command: Sum) -> Reply<Sum>;
}

impl Adds for Adder {
    async fn sum(&self, _: Sum) -> Reply<Sum> {
        Ok(Total { total: self.count })
    }
}

fn one_for_each() {
    let _ = Connection::builder().locator(|_| AddsLocator::new(Adder { count: 1 }));
}

fn one_for_all() {
    let _ = Connection::builder().locator_with(AddsLocator::new(Adder { count: 1 }));
}

fn not_the_locator() {
    let _ = Connection::builder().locator_with(|_| Adder { count: 1 });
}

fn refuses_with_a_text() {
    let _ = Server::builder().bind_unix("/run/x", |_| Err::<AddsLocator<Adder>, _>("no"));
}

fn captures_what_stays_on_one_thread() {
    let only_here = std::rc::Rc::new(1);
    let _ = Connection::builder().locator_with(move |_| AddsLocator::new(Adder { count: *only_here }));
    let only_here = std::cell::Cell::new(1);
    let _ = Server::builder().bind_unix("/run/x", move |_| AddsLocator::new(Adder { count: only_here.get() }));
}

fn is_asynchronous() {
    let _ = Server::builder().bind_unix("/run/x", async |_| AddsLocator::new(Adder { count: 1 }));
}

fn main() {}
