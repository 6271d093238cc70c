//! Responder traits that extend others: the locator and the client have the commands of all.
#![deny(missing_docs, warnings, unused_qualifications, unreachable_pub)]

use std::fmt::Debug;
use std::sync::Arc;

use amp::connection::pair;
use amp::locator::Locator;
use amp::{Command, Connection, Reply, responder};

/// Is answered by all.
#[derive(Command, Debug)]
pub struct Ping;

/// Is answered by administrators.
#[derive(Command, Debug)]
pub struct Stop;

/// Is answered by those who may do everything.
#[derive(Command, Debug)]
pub struct Erase;

/// In a module of its own.
pub mod basic {
    use super::{Debug, Ping, Reply, responder};

    /// What all do.
    #[responder]
    pub trait Basic: Debug {
        /// Says that it is there.
        async fn ping(&self, command: Ping) -> Reply<Ping>;
    }
}

use basic::{Basic, BasicLocator};

/// What administrators do.
#[responder(extends(Basic))]
pub trait Admin: Basic + Debug {
    /// Stops.
    async fn stop(&self, command: Stop) -> Reply<Stop>;
}

/// Extends one that extends another.
#[responder(extends(Admin, Basic), spawn)]
pub trait Root: Admin + Basic {
    /// Erases.
    async fn erase(&self, command: Erase) -> Reply<Erase>;
}

/// Extends one that is named by its path.
#[responder(extends(far::Basic))]
pub trait Far: far::Basic {}

mod far {
    /// Of the same name.
    #[amp::responder]
    pub trait Basic {
        /// Says that it is there.
        async fn ping(&self, command: super::Ping) -> amp::Reply<super::Ping>;
    }
}

#[derive(Debug)]
struct Service;

impl Basic for Service {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

impl Admin for Service {
    async fn stop(&self, _: Stop) -> Reply<Stop> {
        Ok(())
    }
}

impl Root for Service {
    async fn erase(&self, _: Erase) -> Reply<Erase> {
        Ok(())
    }
}

async fn all(root: impl Root) -> bool {
    root.ping(Ping).await.is_ok() && root.stop(Stop).await.is_ok() && root.erase(Erase).await.is_ok()
}

#[tokio::test]
async fn the_locator_and_the_client_of_a_trait_have_the_commands_of_those_that_it_extends() {
    let names = |locator: &dyn Locator| locator.commands().iter().map(|command| command.name).collect::<Vec<_>>();
    assert_eq!(names(&BasicLocator::new(Service)), ["Ping"]);
    assert_eq!(names(&AdminLocator::new(Service)), ["Stop", "Ping"]);
    assert_eq!(names(&RootLocator::new(Service)), ["Erase", "Stop", "Ping"]);
    let root = RootLocator::new(Arc::new(Service));
    let (caller, _responder) = pair(Connection::builder(), Connection::builder().locator(root));
    assert!(all(RootClient::new(&caller)).await && all(Arc::new(Service)).await);
    let client = AdminClient::new(&caller);
    assert!(client.ping(Ping).await.is_ok() && client.stop(Stop).await.is_ok());
    let admin = AdminLocator::new(Service);
    let (caller, _responder) = pair(Connection::builder(), Connection::builder().locator(admin));
    let client = RootClient::new(&caller);
    assert!(client.erase(Erase).await.is_err_and(|error| error.is_unhandled()));
    assert!(client.ping(Ping).await.is_ok() && client.stop(Stop).await.is_ok());
}
