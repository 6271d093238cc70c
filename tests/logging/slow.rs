//! A responder that holds up its connection is told with its command and what helps.

use std::thread;
use std::time::Duration;

use amp::locator::Locator;
use amp::{Command, Reply, Settings, responder};

use crate::log::Log;
use crate::raw_peer::{RawPeer, answer, ask};

#[derive(Command, Debug)]
#[amp(name = "Compute\n")]
struct Compute;

struct InPlace;

#[responder]
impl InPlace {
    async fn compute(&self, _: Compute) -> Reply<Compute> {
        thread::sleep(Duration::from_millis(30));
        Ok(())
    }
}

struct Spawned;

#[responder]
impl Spawned {
    #[amp(spawn)]
    async fn compute(&self, _: Compute) -> Reply<Compute> {
        thread::sleep(Duration::from_millis(30));
        Ok(())
    }
}

/// What is told of so many that compute.
async fn told(locator: impl Locator, settings: Settings, count: usize) -> Vec<String> {
    const TEXT: &str = "a responder computed or blocked before its first await";
    let log = Log::start();
    let (_connection, mut peer) = RawPeer::with(locator, settings);
    for _ in 0..count {
        peer.send(ask("x", "Compute\n", &[])).await;
        peer.expect(answer("x", &[])).await;
    }
    log.lines().into_iter().filter(|line| line.contains(TEXT)).collect()
}

#[tokio::test]
async fn a_responder_that_computes_where_its_connection_is_read_is_told_when_it_does_so_again() {
    let lines = told(InPlace.into_locator(), Settings::new(), 3).await;
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert!(line.contains("WARN") && line.contains("#[amp(spawn)]") && line.contains("took="), "{line}");
    assert!(line.contains("Compute") && !line.contains('\n'), "{line}");
}

#[tokio::test]
async fn one_that_was_slow_once_is_not_told_because_the_system_may_have_paused_it() {
    assert!(told(InPlace.into_locator(), Settings::new(), 1).await.is_empty());
}

#[tokio::test]
async fn one_in_a_task_of_its_own_or_within_the_limit_is_not() {
    assert!(told(Spawned.into_locator(), Settings::new(), 3).await.is_empty());
    assert!(told(InPlace.into_locator(), Settings::new().slow_poll(None), 3).await.is_empty());
    assert!(told(InPlace.into_locator(), Settings::new().slow_poll(Duration::from_secs(60)), 3).await.is_empty());
}
