//! A responder whose parameter does not live as long as its connections.
use std::rc::Rc;

use amp::{Command, Reply, responder};
use amp::locator::Locator;

#[derive(Command)]
struct Ping;

struct Holds<T>(T);

#[responder]
impl<T> Holds<T> {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

fn locator() -> impl Locator {
    Holds(Rc::new(1)).into_locator()
}

fn main() {}
