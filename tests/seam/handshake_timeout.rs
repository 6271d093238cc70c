//! How long a replacement of the transport may take, in paused time.

use std::time::Duration;

use amp::connection::BoxSender;
use amp::{AmpBox, CloseReason, Settings};
use tokio::time::{Instant, sleep};

use crate::logged::{Level, logged};
use crate::masks::{GREETING, Masking, Pad, start_mask};
use crate::raw_peer::{answer_sum, ask_sum, ended, soon};
use crate::upgrades::{answer_mask, ask_mask, scripted_with, sum};

const SECOND: Duration = Duration::from_secs(1);
const ROOM: usize = 1 << 20;

fn settings() -> Settings {
    Settings::new().linger(Duration::ZERO)
}

#[tokio::test(start_paused = true)]
async fn an_ask_for_another_transport_that_has_no_answer_ends_the_connection() {
    let logged = logged(Level::INFO);
    let (connection, mut peer) = scripted_with(ROOM, Masking::default(), settings());
    let start = Instant::now();
    let asking = connection.clone();
    let mask = tokio::spawn(async move { start_mask(&asking, 7).await });
    peer.expect(ask_mask("1")).await;
    // Neither what it sends meanwhile, nor errors that go before the barrier, restart the time.
    for tag in ["1", "2", "3"] {
        sleep(2 * SECOND).await;
        peer.send([ask_sum(tag), ask_mask(tag)].concat()).await;
        assert!(!peer.read_some().await.is_empty(), "it is refused");
    }
    let reason = soon("the end", connection.closed()).await;
    assert!(matches!(reason, CloseReason::HandshakeTimeout { timeout } if timeout == 10 * SECOND), "{reason:?}");
    assert_eq!(start.elapsed().as_secs(), 10);
    assert!(soon("the answer", mask).await.expect("no panic").is_err());
    assert_eq!(logged.text().matches("the transport was not replaced within 10s").count(), 1, "{}", logged.text());
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_the_peer_does_not_go_on_with_ends_the_connection() {
    let (connection, mut peer) = scripted_with(ROOM, Masking::default(), settings());
    let start = Instant::now();
    peer.send(ask_mask("1")).await;
    peer.expect(answer_mask("1")).await;
    // The greeting is waited for.
    peer.expect(GREETING).await;
    let call = tokio::spawn(connection.call(sum()));
    peer.send(&GREETING[1..]).await;
    assert_eq!(ended(&connection).await, "HandshakeTimeout");
    assert_eq!(start.elapsed().as_secs(), 10);
    assert!(soon("told", call).await.expect("no panic").is_err());
    peer.expect_end("").await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_to_be_written_before_a_handshake_has_its_own_time_and_so_has_what_comes_after_it() {
    let (connection, mut peer) = scripted_with(64, Masking::default(), settings());
    let mut first = AmpBox::new();
    first.insert("x", "y".repeat(1000)).expect("a pair");
    connection.send_box(first).expect("queued");
    let asking = connection.clone();
    let mask = tokio::spawn(async move { start_mask(&asking, 7).await });
    for _ in 0..20 {
        sleep(9 * SECOND).await;
        peer.read_bytes(1).await;
    }
    peer.read_bytes(1000 + 7 - 20).await;
    peer.expect(ask_mask("1")).await;
    sleep(9 * SECOND).await;
    peer.send([answer_mask("1"), GREETING.to_vec()].concat()).await;
    soon("the answer", mask).await.expect("no panic").expect("accepted");
    peer.expect(GREETING).await;
    sleep(3600 * SECOND).await;
    peer.send(Pad::new(7).next(&ask_sum("1"))).await;
    peer.expect(Pad::new(7).next(&answer_sum("1"))).await;
}
