//! A supertrait that is not named, and a type that implements nothing.
use amp::{Command, Reply, responder};

#[derive(Command, Debug)]
struct Ping;

#[derive(Command, Debug)]
struct Stop;

#[responder]
trait Basic {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
}

#[responder]
trait Admin: Basic {
    async fn stop(&self, command: Stop) -> Reply<Stop>;
}

struct Nothing;

fn main() {
    let _ = BasicLocator::new(Nothing);
}
