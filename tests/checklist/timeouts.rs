//! Time limits of calls, in paused time.

use std::time::Duration;

use amp::{CallError, Settings};
use tokio::time::{Instant, sleep};

use crate::commands::{House, Wait, sum};
use crate::raw_peer::{RawPeer, answer, answer_sum, ask, ask_sum, ended, soon};

const SECOND: Duration = Duration::from_secs(1);

fn with(settings: Settings) -> (amp::Connection, RawPeer) {
    RawPeer::with(House::new().into_locator(), settings)
}

#[tokio::test(start_paused = true)]
async fn a_call_gives_up_at_its_time_limit_and_its_late_answer_is_discarded() {
    let (connection, mut peer) = with(Settings::new());
    let start = Instant::now();
    let error = connection.call(sum()).timeout(5 * SECOND).await.expect_err("nobody answers");
    assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 5);
    peer.expect(ask_sum("1")).await;
    peer.send(answer_sum("1")).await;
    peer.expect_open().await;
    peer.send(answer_sum("1")).await;
    peer.expect_end("").await;
    drop(peer);
    assert_eq!(ended(&connection).await, "UnknownAnswer", "only the first answer was expected");
}

#[tokio::test(start_paused = true)]
async fn the_connections_own_limit_counts_unless_the_call_has_another() {
    let (connection, mut peer) = with(Settings::new().call_timeout(3 * SECOND));
    let start = Instant::now();
    let patient = tokio::spawn(connection.call(sum()).no_timeout());
    let own = tokio::spawn(connection.call(sum()).timeout(7 * SECOND));
    let eager = tokio::spawn(connection.call(sum()).timeout(SECOND));
    peer.expect([ask_sum("1"), ask_sum("2"), ask_sum("3")].concat()).await;
    assert!(matches!(connection.call(Wait).await, Err(CallError::Timeout { .. })));
    assert_eq!(start.elapsed().as_secs(), 3);
    assert!(eager.is_finished() && !own.is_finished());
    assert!(matches!(own.await.expect("no panic"), Err(CallError::Timeout { .. })));
    assert_eq!(start.elapsed().as_secs(), 7);
    sleep(3600 * SECOND).await;
    assert!(!patient.is_finished());
    peer.send(answer_sum("1")).await;
    soon("answered", patient).await.expect("no panic").expect("an answer");
}

#[tokio::test(start_paused = true)]
async fn the_time_in_the_queue_counts() {
    let (connection, mut peer) = with(Settings::new().max_calls(1));
    let first = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    let start = Instant::now();
    let queued = connection.call(Wait).timeout(2 * SECOND).await;
    assert!(matches!(queued, Err(CallError::Timeout { .. })));
    assert_eq!(start.elapsed().as_secs(), 2);
    peer.expect_silence().await;
    peer.send(answer_sum("1")).await;
    soon("answered", first).await.expect("no panic").expect("an answer");
    let next = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("2")).await;
    peer.send(answer_sum("2")).await;
    soon("the place is free", next).await.expect("no panic").expect("an answer");
}

#[tokio::test(start_paused = true)]
async fn a_notification_gives_up_when_the_peer_does_not_read() {
    let settings = Settings::new().outbound_high_water(10).call_timeout(SECOND);
    let (connection, _peer) = RawPeer::with_room(16, (), settings);
    connection.notify(sum()).await.expect("there is room");
    tokio::task::yield_now().await;
    connection.notify(sum()).await.expect("there is room while the first one is written");
    let error = connection.notify(sum()).await.expect_err("no room");
    assert!(matches!(error, amp::error::NotifyError::Timeout), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_set_while_the_driver_sleeps_or_writes_is_kept() {
    let (connection, _peer) = RawPeer::with_room(16, (), Settings::new().write_timeout(None));
    let long = tokio::spawn(connection.call(sum()).timeout(100 * SECOND));
    sleep(SECOND).await;
    let start = Instant::now();
    assert!(matches!(connection.call(sum()).timeout(SECOND).await, Err(CallError::Timeout { .. })));
    assert_eq!(start.elapsed().as_secs(), 1);
    assert!(matches!(long.await.expect("no panic"), Err(CallError::Timeout { .. })));
    assert_eq!(start.elapsed().as_secs(), 99);
}

#[tokio::test(start_paused = true)]
async fn the_longest_limit_there_is_means_without_end() {
    let settings = Settings::new().call_timeout(Duration::MAX).close_timeout(Duration::MAX).linger(Duration::MAX);
    let (connection, mut peer) = with(settings);
    let calls = [connection.call(sum()), connection.call(sum()).timeout(Duration::MAX)].map(tokio::spawn);
    peer.expect([ask_sum("1"), ask_sum("2")].concat()).await;
    connection.close();
    sleep(3600 * SECOND).await;
    peer.send([answer_sum("1"), answer_sum("2")].concat()).await;
    for call in calls {
        soon("answered", call).await.expect("no panic").expect("an answer");
    }
    peer.expect_end("").await;
    drop(peer);
    assert_eq!(ended(&connection).await, "Closed");
}

#[tokio::test(start_paused = true)]
async fn the_late_answer_of_a_dropped_call_is_discarded() {
    let (connection, mut peer) = with(Settings::new());
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(ask_sum("1")).await;
    call.abort();
    assert!(call.await.is_err_and(|error| error.is_cancelled()));
    peer.send(answer_sum("1")).await;
    peer.expect_open().await;
    drop(connection.call(sum()));
    peer.expect_silence().await;
    peer.send(ask("1", "Note", &[("text", "a dropped call that was never polled sends nothing")])).await;
    peer.expect(answer("1", &[])).await;
}
