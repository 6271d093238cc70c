//! Attributes beside `#[responder]`, and arguments that are no command.
use amp::{Arguments, Command, Reply, responder};

#[derive(Command, Debug)]
struct Ping;

#[derive(Arguments, Debug)]
struct Sum {
    total: i64,
}

#[responder(spawn)]
#[responder(dyn)]
trait Twice {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
}

#[responder]
#[amp(spawn)]
trait Beside {
    async fn ping(&self, command: Ping) -> Reply<Ping>;
}

struct Machine;

#[responder]
#[amp(spawn)]
impl Machine {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

struct Other;

#[responder]
#[amp::responder(spawn)]
impl Other {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

#[responder]
trait Calculator {
    async fn sum(&self, a: i64, b: i64) -> i64;
}

#[responder]
trait Negator {
    async fn negate(&self, a: i64) -> i64;
}

fn main() {
    let _ = (TwiceLocator::new(Machine), BesideLocator::new(Machine), Machine.into_locator(), Other.into_locator());
}
