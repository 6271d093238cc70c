//! Two responders for one command.
use amp::{Command, Reply, responder};

#[derive(Command)]
struct Ping;

#[responder]
trait Pinger {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
    async fn pong(&self, command: Ping) -> Reply<Ping>;
}

fn main() {}
