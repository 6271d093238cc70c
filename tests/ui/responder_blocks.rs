//! Two blocks of one type.
use amp::{Command, Reply, responder};

#[derive(Command)]
struct Ping;

#[derive(Command)]
struct Pong;

struct Abacus;

#[responder]
impl Abacus {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

#[responder]
impl Abacus {
    async fn pong(&self, _: Pong) -> Reply<Pong> {
        Ok(())
    }
}

fn main() {}

struct Generic<T>(T);

#[responder]
impl<T> Generic<T>
where
    T: Clone,
{
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

#[responder]
impl<T> Generic<T> {
    async fn pong(&self, _: Pong) -> Reply<Pong> {
        Ok(())
    }
}
