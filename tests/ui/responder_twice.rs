//! Two responders for one command, or of one name.
use amp::{Command, Reply, responder};

#[derive(Command)]
struct Ping;

#[responder]
trait Pinger {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
    async fn pong(&self, command: Ping) -> Reply<Ping>;
}

#[derive(Command)]
struct Pong;

#[responder]
trait Namesakes {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
    async fn ping(&self, command: Pong) -> Reply<Pong>;
    #[cfg(any())]
    async fn ping(&self, command: Pong) -> Reply<Pong>;
}

#[responder]
impl Ping {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }

    async fn ping(&self, _: Pong) -> Reply<Pong> {
        Ok(())
    }
}

fn main() {}
