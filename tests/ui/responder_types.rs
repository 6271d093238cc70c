//! Types that only the compiler can judge: it points at the user's own.
use amp::{Arguments, Command, Connection, Reply, responder};
use std::rc::Rc;

#[derive(Command)]
struct Ping;

#[derive(Arguments)]
struct Total {
    total: i64,
}

#[responder]
trait Pinger {
    async fn total(&self, command: Total) -> Reply<Ping>;
}

#[responder]
trait Wrong {
    async fn ping(&self, command: Ping) -> Result<(), String>;
}

struct Shared(Rc<u8>);

#[responder]
impl Shared {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

struct Slow;

async fn wait() {}

#[responder]
impl Slow {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        let held = Rc::new(1);
        wait().await;
        drop(held);
        Ok(())
    }
}

fn serve() {
    let _ = Connection::builder().locator(Shared(Rc::new(1)));
}

fn main() {}
