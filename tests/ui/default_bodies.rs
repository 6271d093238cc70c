//! Bodies in a trait that do not give what their method returns.
use amp::{Command, Reply, responder};

#[derive(Command)]
struct Ping;

#[derive(Command)]
struct Pong;

#[responder]
trait Pinger {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        5
    }

    async fn pong(&self, _: Pong) -> Reply<Pong> {}
}

fn main() {}
