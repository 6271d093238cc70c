//! Boxes that are sent without a type.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use amp::connection::BoxSender;
use amp::error::SendBoxError;
use amp::wire::BoxLimits;
use amp::{AmpBox, CloseReason, Settings};

use crate::raw_peer::{RawPeer, packed, soon};

#[tokio::test(start_paused = true)]
async fn a_box_that_is_sent_is_written_as_it_is_and_a_wrong_one_is_not() {
    let limits = BoxLimits::new().bytes(20);
    let (connection, mut peer) = RawPeer::with((), Settings::new().boxes(limits));
    let fitting = AmpBox::new().with("z", "1").and_then(|sent| sent.with("a", "2")).expect("fits");
    connection.send_box(fitting.clone()).expect("sent");
    peer.expect(packed(&[("a", "2"), ("z", "1")])).await;
    assert!(matches!(connection.send_box(AmpBox::new()), Err(SendBoxError::Empty)));
    let exact = AmpBox::new().with("k", vec![b'v'; 13]).expect("fits");
    let long = AmpBox::new().with("k", vec![b'v'; 14]).expect("fits");
    assert!(matches!(connection.send_box(long.clone()), Err(SendBoxError::TooLong { limit: 20 })));
    connection.send_box(exact).expect("sent");
    peer.expect(packed(&[("k", [b'v'; 13])])).await;
    connection.abort();
    match connection.send_box(fitting) {
        Err(SendBoxError::Closed(CloseReason::Aborted)) => {}
        other => panic!("{other:?}"),
    }
    assert!(matches!(connection.send_box(long), Err(SendBoxError::TooLong { .. })));
    peer.expect_end("").await;
}

#[tokio::test(start_paused = true)]
async fn a_sender_says_when_it_would_like_more_and_is_woken_when_the_connection_ends() {
    let settings = Settings::new().outbound_high_water(100);
    let (connection, mut peer) = RawPeer::with_room(16, (), settings);
    let sent = AmpBox::new().with("k", vec![b'v'; 100]).expect("fits");
    for _ in 0..2 {
        soon("room", poll_fn(|cx| connection.poll_room(cx))).await;
        connection.send_box(sent.clone()).expect("sent");
        tokio::task::yield_now().await;
    }
    assert!(connection.poll_room(&mut Context::from_waker(Waker::noop())).is_pending());
    let waiting = connection.clone();
    let waiting = tokio::spawn(async move { poll_fn(|cx| waiting.poll_room(cx)).await });
    peer.read_bytes(80).await;
    assert!(!waiting.is_finished());
    peer.read_bytes(100).await;
    soon("room again", waiting).await.expect("no panic");
    connection.send_box(sent).expect("sent");
    let last = connection.clone();
    let last = tokio::spawn(async move { poll_fn(|cx| last.poll_room(cx)).await });
    connection.abort();
    soon("the end", last).await.expect("no panic");
    assert_eq!(connection.poll_room(&mut Context::from_waker(Waker::noop())), Poll::Ready(()));
}

/// Its clones are counted by its `Arc`.
struct Sleeper;

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {}
}

#[tokio::test(start_paused = true)]
async fn who_looks_for_room_again_and_again_is_remembered_once() {
    let (connection, _peer) = RawPeer::with_room(16, (), Settings::new().outbound_high_water(1));
    for _ in 0..2 {
        connection.send_box(AmpBox::new().with("k", vec![b'v'; 100]).expect("fits")).expect("sent");
        tokio::task::yield_now().await;
    }
    let sleepers = [Arc::new(Sleeper), Arc::new(Sleeper)];
    let wakers = sleepers.each_ref().map(|sleeper| Waker::from(Arc::clone(sleeper)));
    for _ in 0..100 {
        for waker in &wakers {
            assert!(connection.poll_room(&mut Context::from_waker(waker)).is_pending());
        }
    }
    assert_eq!(sleepers.map(|sleeper| Arc::strong_count(&sleeper)), [3, 3], "here, in the waker, and in the queue");
}
