//! Traits that extend what they do not say, and types that implement no responder trait.
use amp::{Command, Reply, responder};

#[derive(Command, Debug)]
struct Ping;

#[derive(Command, Debug)]
struct Stop;

#[responder]
trait Basic {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
}

#[responder(extends(Basic, self::Basic, Basic), extends, extends())]
trait Admin {
    async fn stop(&self, command: Stop) -> Reply<Stop>;
}

struct Abacus;

#[responder(extends(Basic))]
impl Abacus {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}



#[responder(dyn, extends(Basic))]
trait Object: Basic {}

struct NoTrait;

#[responder(dyn = 1, dyn)]
impl NoTrait {}
fn main() {}
