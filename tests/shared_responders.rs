//! An `Arc` of what implements a responder trait implements it, too.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use amp::connection::pair;
use amp::{Arguments, Command, Connection, Reply, responder};

/// Counts.
#[derive(Command, Debug)]
#[amp(response = Total)]
pub struct Count;

/// How often.
#[derive(Arguments, Debug, PartialEq)]
pub struct Total {
    /// It.
    pub total: u8,
}

/// Is answered by the trait itself.
#[derive(Command, Debug)]
#[amp(response = Total)]
pub struct Default;

/// Counts.
#[responder(dyn)]
pub trait Counter: Debug {
    /// By one.
    async fn count(&self, command: Count) -> Reply<Count>;

    /// Unless the implementor knows better.
    async fn default(&self, _: Default) -> Reply<Default> {
        Ok(Total { total: 0 })
    }

    /// Is not there.
    #[cfg_attr(all(), cfg(any()))]
    async fn absent(&self, command: Absent) -> Reply<Absent>;
}

/// What an `Arc` does not have.
pub trait Local {}

/// Is implemented for no `Arc`, and compiles.
#[responder]
pub trait Named: Local {
    /// By one.
    async fn count(&self, command: Count) -> Reply<Count>;
}

impl Local for NamedClient {}

/// Knows better.
#[derive(Debug)]
struct Counts(AtomicU8);

impl Counter for Counts {
    async fn count(&self, _: Count) -> Reply<Count> {
        Ok(Total { total: self.0.fetch_add(1, Ordering::Relaxed) + 1 })
    }

    async fn default(&self, _: Default) -> Reply<Default> {
        Ok(Total { total: 9 })
    }
}

/// What takes any implementor.
async fn twice(counter: impl Counter) -> u8 {
    let _ = counter.count(Count).await;
    counter.count(Count).await.map_or(0, |total| total.total)
}

#[tokio::test]
async fn one_service_is_shared_by_connections_and_by_code_that_takes_any_implementor() {
    let counts = Arc::new(Counts(AtomicU8::new(0)));
    assert_eq!(twice(Arc::clone(&counts)).await, 2);
    let answer = |counter: &Arc<Counts>| Connection::builder().locator(CounterLocator::new(Arc::clone(counter)));
    let (first, _a) = pair(Connection::builder(), answer(&counts));
    let (second, _b) = pair(Connection::builder(), answer(&counts));
    assert_eq!(twice(CounterClient::new(&first)).await, 4);
    assert_eq!(twice(Arc::new(Arc::new(CounterClient::new(&second)))).await, 6);
    assert_eq!(Arc::clone(&counts).default(Default).await.ok(), Some(Total { total: 9 }));
    assert_eq!(CounterClient::new(&first).default(Default).await.ok(), Some(Total { total: 9 }));
}

#[tokio::test]
async fn objects_of_different_implementors_are_implementors_too() {
    let (caller, _responder) =
        pair(Connection::builder(), Connection::builder().locator(CounterLocator::new(Counts(AtomicU8::new(7)))));
    let objects: Vec<Arc<dyn DynCounter>> = vec![
        Arc::new(Counts(AtomicU8::new(1))),
        Arc::new(CounterClient::new(&caller)),
        Arc::new(Counts(AtomicU8::new(3))),
    ];
    let mut totals = Vec::new();
    for object in &objects {
        totals.push(object.count(Count).await.map_or(0, |total| total.total));
        totals.push(twice(Arc::clone(object)).await);
    }
    assert_eq!(totals, [2, 4, 8, 10, 4, 6]);
    let locator = CounterLocator::new(Arc::clone(&objects[0]));
    let (caller, _responder) = pair(Connection::builder(), Connection::builder().locator(locator));
    assert_eq!(CounterClient::new(&caller).default(Default).await.ok(), Some(Total { total: 9 }));
}
