//! Traits that a client could not implement.
use amp::{Command, Reply, responder};

#[derive(Command)]
struct Ping;

#[responder(name = "x", krate = amp)]
trait Settings {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
}

#[responder]
unsafe trait Whole<T> {
    const LIMIT: usize;
    type Item;
    async fn ping(&self, command: Ping) -> Reply<Ping>;
}

#[responder]
trait Methods {
    fn blocking(&self, command: Ping) -> Reply<Ping>;
    async fn exclusive(&mut self, command: Ping) -> Reply<Ping>;
    async fn consuming(self, command: Ping) -> Reply<Ping>;
    async fn nobody(command: Ping) -> Reply<Ping>;
    async fn nothing(&self) -> Reply<Ping>;
    async fn more(&self, command: Ping, again: Ping) -> Reply<Ping>;
    async fn generic<C: Command>(&self, command: C) -> Reply<C>;
    async fn lifetime<'a>(&'a self, command: &'a Ping) -> Reply<Ping>;
    async fn opaque(&self, command: impl Command) -> Reply<Ping>;
    async fn silent(&self, command: Ping);
    async unsafe fn dangerous(&self, command: Ping) -> Reply<Ping>;
    async fn bounded(&self, command: Ping) -> Reply<Ping>
    where
        Self: Sized;
}

fn main() {}
