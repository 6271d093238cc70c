//! Two types with one name on the wire.
use amp::{Command, Reply, responder};

#[derive(Command)]
struct Ping;

#[derive(Command)]
#[amp(name = "Ping")]
struct Pong;

#[responder]
trait Pinger {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
    async fn pong(&self, command: Pong) -> Reply<Pong>;
}

struct Abacus;

#[responder]
impl Abacus {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }

    async fn pong(&self, _: Pong) -> Reply<Pong> {
        Ok(())
    }
}

struct Generic<T>(T);

#[responder]
impl<T> Generic<T> {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }

    async fn pong(&self, _: Pong) -> Reply<Pong> {
        Ok(())
    }
}

fn main() {}
