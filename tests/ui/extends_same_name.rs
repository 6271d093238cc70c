//! Traits of which one extends the other and that answer one command, or two of one name.
use amp::{Command, Reply, responder};

#[derive(Command, Debug)]
struct Ping;

#[derive(Command, Debug)]
#[amp(name = "Ping")]
struct Other;

#[responder]
trait Basic {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
}

#[responder(extends(Basic))]
trait Again: Basic {
    async fn again(&self, command: Ping) -> Reply<Ping>;
}

#[responder]
trait Others {
    async fn other(&self, command: Other) -> Reply<Other>;
}

#[responder(extends(Basic, Others))]
trait Both: Basic + Others {}

fn main() {}
