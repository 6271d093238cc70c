//! What stands behind a `cfg` is looked at where the condition holds.
#![allow(unexpected_cfgs)]
use amp::{Command, Connection, Reply, responder};

#[derive(Command, Debug)]
struct Ping;

#[derive(Command, Debug)]
struct Pong;

#[responder]
trait Service {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
    #[cfg(nope)]
    fn absent(&self);
    #[cfg(nope)]
    type Absent;
    #[cfg(not(nope))]
    fn present(&self);
    #[cfg_attr(all(), cfg(all()))]
    async fn clone(&self, command: Pong) -> Reply<Pong>;
}

struct Abacus;

#[responder]
impl Abacus {
    async fn ping(&self, _: Ping, #[cfg(nope)] connection: Connection) -> Reply<Ping> {
        Ok(())
    }

    async fn pong(&self, #[cfg_attr(all(), cfg(all()))] _: Pong) -> Reply<Pong> {
        Ok(())
    }

    #[cfg(nope)]
    fn absent(&self) {}

    #[cfg(not(nope))]
    const PRESENT: u8 = 0;
}



#[responder(spawn = 1, spawn)]
trait Spawned {
    #[amp(spawn, name = "x")]
    async fn ping(&self, command: Ping) -> Reply<Ping>;
    #[cfg_attr(all(), amp(spawn))]
    async fn pong(&self, command: Pong) -> Reply<Pong>;
}
fn main() {}
