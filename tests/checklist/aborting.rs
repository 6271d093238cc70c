//! What responders do to connections: theirs that they abort, and others that close while they call over them.

use amp::{Command, Connection, Exposed, Reply, Settings, responder};

use crate::ends_of_asks::{Fetch, Work, untagged};
use crate::raw_peer::{RawPeer, answer, ask, ended, soon};

/// Ends its connection at once.
#[derive(Command, Debug)]
#[amp(no_answer)]
struct Abort {
    #[exposed]
    connection: Exposed<Connection>,
}

#[derive(Clone)]
struct Aborter;

#[responder]
impl Aborter {
    async fn abort(&self, command: Abort) -> Reply<Abort> {
        command.connection.abort();
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_stands_behind_an_abort_by_a_responder_is_not_begun() {
    for settings in [Settings::new(), Settings::new().in_order(true)] {
        let work = Work::default();
        let locator = (Aborter.into_locator(), work.clone().into_locator());
        let (connection, mut peer) = RawPeer::with(locator, settings);
        peer.send([untagged("Abort"), ask("1", "Fetch", &[]).repeat(3), untagged("Store").repeat(3)].concat()).await;
        peer.expect_end("").await;
        assert_eq!(ended(&connection).await, "Aborted");
        assert_eq!(work.counts(), (0, 0));
    }
}

/// Is passed on over another connection.
#[derive(Command, Debug)]
struct PassOn;

struct Proxy(Connection);

#[responder]
impl Proxy {
    async fn pass_on(&self, _: PassOn) -> Reply<PassOn> {
        self.0.call(Fetch).await.map_err(amp::CallError::forward)?;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_closes_takes_no_calls_of_responders_of_others() {
    let (beyond, mut far) = RawPeer::with((), Settings::new());
    let first = tokio::spawn(beyond.call(Fetch));
    far.expect(ask("1", "Fetch", &[])).await;
    beyond.close();
    let (_connection, mut peer) = RawPeer::with(Proxy(beyond.clone()).into_locator(), Settings::new());
    peer.send(ask("1", "PassOn", &[])).await;
    peer.expect(crate::raw_peer::unknown("1")).await;
    far.send(answer("1", &[])).await;
    far.expect_end("").await;
    soon("the first", first).await.expect("no panic").expect("an answer");
}
