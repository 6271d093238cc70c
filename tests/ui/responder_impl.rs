//! Blocks whose items are not responders.
use amp::{Command, Reply, responder};

#[derive(Command)]
struct Ping;

#[derive(Command)]
struct Pong;

struct Abacus;

#[responder]
impl Abacus {
    const LIMIT: usize = 1;

    fn new() -> Self {
        Abacus
    }

    fn helper(&self) -> u8 {
        5
    }

    async fn into_locator(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }

    async fn ping(&self, _: Pong, _: &amp::Peer) -> Reply<Pong> {
        Ok(())
    }

    async fn crowded(&self, _: Pong, _: A, _: B, _: C, _: D, _: E, _: F, _: G) -> Reply<Pong> {
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
