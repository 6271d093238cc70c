//! Blocks whose items are not responders.
use amp::{Command, Reply, responder};

#[derive(Command)]
struct Ping;

struct Abacus;

#[responder]
impl Abacus {
    const LIMIT: usize = 1;

    fn new() -> Self {
        Abacus
    }

    async fn ping(&self, _: Ping, _: &amp::Peer) -> Reply<Ping> {
        Ok(())
    }

    async fn crowded(&self, _: Ping, _: A, _: B, _: C, _: D, _: E, _: F, _: G) -> Reply<Ping> {
        Ok(())
    }
}

trait Pinger {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
}

#[responder]
impl Pinger for Abacus {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

struct Borrowed<'a>(&'a str);

#[responder]
impl<'a> Borrowed<'a> {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

fn main() {}
