//! What keeps a connection open and what does not, and what its end waits for.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use amp::connection::pair;
use amp::{CallError, Connection, Peer, Settings};
use amp_core::extension::CallExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep};

use crate::commands::{Echo, House, Wait, sum};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, ended, soon, word};

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test(start_paused = true)]
async fn a_weak_handle_and_a_wait_for_the_end_do_not_keep_a_connection_open() {
    let (connection, mut peer) = RawPeer::with(House::new().into_locator(), Settings::new());
    let (weak, ended) = (connection.downgrade(), tokio::spawn(connection.closed()));
    peer.expect_open().await;
    let strong = weak.upgrade().expect("it is open");
    assert!(strong.is_same(&connection));
    drop(connection);
    peer.expect_open().await;
    drop(strong);
    assert!(weak.upgrade().is_none(), "its last handle is gone");
    peer.expect_end("").await;
    drop(peer);
    assert_eq!(word(&soon("the end", ended).await.expect("no panic")), "Closed");
    assert!(weak.upgrade().is_none());
}

#[tokio::test(start_paused = true)]
async fn weak_handles_are_the_same_by_their_connection_which_may_have_ended() {
    let met = Arc::new(Mutex::new(None));
    let session = Arc::clone(&met);
    let builder = Connection::builder().locator_with(move |new| {
        *session.lock().expect("no panic") = Some(new.connection().clone());
    });
    let (one, other) = pair(builder, Connection::builder());
    let early = met.lock().expect("no panic").take().expect("the locator was made");
    let (weak, others) = (one.downgrade(), other.downgrade());
    assert!(weak.is_same(&early) && early.is_same(&weak) && weak.is_same(&one.clone().downgrade()));
    assert!(!weak.is_same(&others) && !early.is_same(&others));
    let ends = [one.closed(), other.closed()];
    drop((one, other));
    for end in ends {
        end.await;
    }
    assert!(weak.upgrade().is_none());
    assert!(weak.is_same(&early) && !weak.is_same(&others));
    let (next, _other) = pair(Connection::builder(), Connection::builder());
    assert!(!weak.is_same(&next.downgrade()), "no later connection is taken for it");
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_handles_cannot_be_had_again_while_it_closes() {
    let house = House::new();
    let (connection, mut peer) = RawPeer::with(house.clone().into_locator(), Settings::new());
    let (weak, mut closed) = (connection.downgrade(), pin!(connection.closed()));
    peer.send(ask("1", "Wait", &[])).await;
    peer.expect_open().await;
    drop(connection);
    // What runs keeps the driver, and with it all that handles share.
    for _ in 0..3 {
        assert!(weak.upgrade().is_none(), "its last handle is gone");
        assert!(poll(&mut closed).is_pending(), "a responder runs");
    }
    house.open(1);
    peer.expect_end(answer("1", &[])).await;
    drop(peer);
    assert_eq!(word(&soon("the end", closed).await), "Closed");
}

#[tokio::test(start_paused = true)]
async fn a_weak_call_does_not_keep_a_connection_open_and_has_the_time_of_its_closing() {
    for answered in [true, false] {
        let (connection, mut peer) = RawPeer::with(House::new().into_locator(), Settings::new());
        let call = tokio::spawn(connection.call(sum()).weak());
        peer.expect(ask_sum("1")).await;
        drop(connection);
        if answered {
            peer.send(answer_sum("1")).await;
        }
        let reply = soon("the reply", call).await.expect("no panic");
        match reply {
            Ok(reply) => assert!(answered && reply.total == 3),
            Err(error) => assert!(!answered && matches!(error, CallError::Connection { .. }), "{error:?}"),
        }
        peer.expect_end("").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_has_expired_does_not_delay_closing() {
    let answering = Connection::builder().locator(House::new().into_locator());
    let settings = Settings::new().close_timeout(Duration::from_secs(24 * 3600));
    let (caller, answering) = pair(Connection::builder().settings(settings), answering);
    let start = Instant::now();
    let call = tokio::spawn(caller.call(Wait).timeout(Duration::from_secs(5)));
    sleep(Duration::from_secs(1)).await;
    caller.close();
    let reply = call.await.expect("no panic");
    assert!(matches!(reply, Err(CallError::Timeout { .. })), "{reply:?}");
    assert_eq!(word(&caller.closed().await), "Closed");
    assert_eq!(start.elapsed().as_secs(), 5, "as soon as nobody waits for an answer");
    assert_eq!(ended(&answering).await, "ClosedByPeer");
}

#[tokio::test]
async fn a_write_that_fails_does_not_cost_the_answers_that_came() {
    let (ours, mut theirs) = UnixStream::pair().expect("two sockets");
    let (connection, driver) =
        Connection::builder().settings(Settings::new().announce(false)).build(ours, Peer::other("script"));
    let (mut driver, mut first) = (pin!(driver), connection.call(Echo { data: vec![] }));
    assert!(poll(&mut first).is_pending() && poll(&mut driver).is_pending());
    let ask = ask("1", "Echo", &[("data", "")]);
    let mut got = vec![0; ask.len()];
    soon("the ask", theirs.read_exact(&mut got)).await.expect("it is written");
    assert_eq!(got, ask);
    // More than one read takes.
    theirs.write_all(&answer("1", &[("data", &"x".repeat(60_000))])).await.expect("there is room");
    drop(theirs);
    let mut second = connection.call(sum());
    assert!(poll(&mut second).is_pending());
    assert_eq!(word(&soon("the end", driver).await), "Io");
    assert_eq!(soon("the first answer", first).await.expect("it came before the end").data.len(), 60_000);
    assert!(matches!(second.await, Err(CallError::Connection { reason: amp::CloseReason::Io(_), .. })));
}
