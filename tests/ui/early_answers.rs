//! An exposed answer to another command.
use amp::locator::EarlyAnswer;
use amp::{Command, Exposed, Reply, responder};

#[derive(Command)]
struct Other;

#[derive(Command)]
struct Order {
    #[exposed]
    own: Exposed<EarlyAnswer<Order>>,
}

#[derive(Command)]
struct Mistaken {
    #[exposed]
    answer: Exposed<EarlyAnswer<Other>>,
    #[exposed]
    optional: Exposed<Option<EarlyAnswer<Order>>>,
}

#[derive(Command)]
struct Generic<T: amp::value::Value> {
    value: T,
    #[exposed]
    own: Exposed<EarlyAnswer<Generic<T>>>,
}

#[derive(Command)]
struct Plain;

struct Office;

#[responder]
impl Office {
    async fn order(&self, _: Order, again: EarlyAnswer<Order>) -> Reply<Order> {
        again.send(Ok(()));
        Ok(())
    }

    async fn plain(&self, _: Plain, other: Option<EarlyAnswer<Other>>) -> Reply<Plain> {
        drop(other);
        Ok(())
    }
}

fn main() {}
