//! What an extension is promised that sends commands: their replies come to its sink, each once, whatever becomes of the connection.

use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use amp::connection::ConnectionBuilder;
use amp::{CallError, CloseReason, Connection, Peer, Settings};
use amp_core::extension::{Delivery, ReplySink, Sender, SentTag};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use crate::commands::Wait;
use crate::raw_peer::{RawPeer, answer, ask, ask_sum, ended, error, soon, word};

/// Passes replies on, and nothing between those that come together.
struct Replies(UnboundedSender<Option<Delivery>>);

impl ReplySink for Replies {
    fn deliver(self: Arc<Self>, replies: &mut dyn Iterator<Item = Delivery>) {
        replies.for_each(|reply| drop(self.0.send(Some(reply))));
        let _ = self.0.send(None);
    }
}

struct Received(UnboundedReceiver<Option<Delivery>>);

impl Received {
    async fn recv(&mut self) -> Option<Delivery> {
        loop {
            if let Some(reply) = self.0.recv().await? {
                return Some(reply);
            }
        }
    }

    /// The tags of those that come together.
    async fn together(&mut self) -> Vec<SentTag> {
        let mut tags = Vec::new();
        while let Some(Some(reply)) = soon("a reply", self.0.recv()).await {
            tags.push(reply.tag());
        }
        tags
    }

    fn assert_no_more(&mut self) {
        while let Ok(more) = self.0.try_recv() {
            assert!(more.is_none(), "a reply came twice");
        }
    }
}

fn replies() -> (Arc<dyn ReplySink>, Received) {
    let (sender, receiver) = unbounded_channel();
    (Arc::new(Replies(sender)), Received(receiver))
}

fn send(sender: &mut Sender, sink: &Arc<dyn ReplySink>) -> SentTag {
    match sender.poll_send::<Wait>(Waker::noop(), sink, |_| Ok(())) {
        Poll::Ready(sent) => sent.expect("the connection is open"),
        Poll::Pending => panic!("there is room"),
    }
}

async fn expect_waits(peer: &mut RawPeer, tags: &[&str]) {
    for tag in tags {
        peer.expect(ask(tag, "Wait", &[])).await;
    }
}

#[tokio::test(start_paused = true)]
async fn replies_that_come_together_are_handed_to_their_sink_at_once_in_their_order_and_each_once() {
    let (connection, mut peer) = RawPeer::with((), Settings::new());
    let ((one, mut first), (other, mut second)) = (replies(), replies());
    let mut sender = Sender::new(&connection);
    let tags: Vec<_> = [&one, &one, &one, &other, &one].map(|sink| send(&mut sender, sink)).into();
    assert!(tags.is_sorted() && tags.iter().all(|tag| sender.is_awaited(*tag)));
    expect_waits(&mut peer, &["1", "2", "3", "4", "5"]).await;
    peer.send([answer("3", &[]), answer("1", &[]), answer("4", &[]), answer("2", &[])].concat()).await;
    assert_eq!(first.together().await, [tags[2], tags[0]]);
    assert_eq!(second.together().await, [tags[3]]);
    assert_eq!(first.together().await, [tags[1]]);
    assert!(!tags[..4].iter().any(|tag| sender.is_awaited(*tag)) && sender.is_awaited(tags[4]));
    peer.send(error("5", "BROKEN", "as it is")).await;
    let refused = soon("an error", first.recv()).await.expect("a reply").into_reply::<Wait>();
    assert!(matches!(refused, Err(CallError::Remote { code, .. }) if code == "BROKEN"));
    drop(connection);
    peer.expect_end("").await;
    first.assert_no_more();
    second.assert_no_more();
}

#[tokio::test(start_paused = true)]
async fn a_sink_has_the_reply_before_what_came_behind_it_is_handled() {
    let (connection, mut peer) = RawPeer::with((), Settings::new());
    let (sink, mut received) = replies();
    let mut sender = Sender::new(&connection);
    let tag = send(&mut sender, &sink);
    expect_waits(&mut peer, &["1"]).await;
    peer.send([answer("1", &[]), ask_sum("a"), b"\0\0".to_vec()].concat()).await;
    assert_ne!(ended(&connection).await, "Closed");
    let reply = soon("a reply", received.recv()).await.expect("a reply");
    assert_eq!(reply.tag(), tag);
    reply.into_reply::<Wait>().expect("it came before the fault");
}

#[tokio::test(start_paused = true)]
async fn when_the_connection_ends_each_sink_learns_why_and_whether_its_command_was_sent() {
    let (transport, _peer) = tokio::io::duplex(16);
    let (connection, driver) = Connection::builder().build(transport, Peer::other("script"));
    let driver = tokio::spawn(driver);
    let (sink, mut received) = replies();
    let mut sender = Sender::new(&connection);
    let sent = [send(&mut sender, &sink), send(&mut sender, &sink)];
    // They begin to leave, and nothing behind them does.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let unsent = send(&mut sender, &sink);
    let (held, (listener, holders)) = (Arc::clone(&sink), oneshot::channel());
    connection.on_end(move |_| {
        let _ = listener.send(Arc::strong_count(&held));
    });
    driver.abort();
    for (tag, was_sent) in [(sent[0], true), (sent[1], true), (unsent, false)] {
        let reply = soon("the end", received.recv()).await.expect("a reply");
        assert_eq!(reply.tag(), tag);
        match reply.into_reply::<Wait>() {
            Err(CallError::Connection { reason: CloseReason::DriverDropped, sent }) => assert_eq!(sent, was_sent),
            other => panic!("{other:?}"),
        }
    }
    assert!(!sender.is_awaited(unsent));
    assert_eq!(soon("the listener", holders).await, Ok(2), "sinks are told before those that listen for the end");
    received.assert_no_more();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_closes_waits_for_the_reply_to_a_sink_until_that_is_abandoned() {
    let (connection, mut peer) = RawPeer::with((), Settings::new().close_timeout(Duration::from_secs(600)));
    let (sink, mut received) = replies();
    let mut sender = Sender::new(&connection);
    let tag = send(&mut sender, &sink);
    expect_waits(&mut peer, &["1"]).await;
    connection.close();
    peer.expect_silence_for(Duration::from_secs(30)).await;
    sender.abandon(tag);
    peer.expect_end("").await;
    assert_eq!(ended(&connection).await, "Closed");
    received.assert_no_more();
    assert_eq!(Arc::strong_count(&sink), 1, "the connection holds no sink");
}

struct Panicking;

impl ReplySink for Panicking {
    fn deliver(self: Arc<Self>, _: &mut dyn Iterator<Item = Delivery>) {
        panic!("a sink of a test");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_panics_costs_neither_the_connection_nor_the_replies_of_others() {
    let (connection, mut peer) = RawPeer::with((), Settings::new());
    let ((sink, mut received), panicking) = (replies(), Arc::new(Panicking) as Arc<dyn ReplySink>);
    let mut sender = Sender::new(&connection);
    send(&mut sender, &panicking);
    let tag = send(&mut sender, &sink);
    expect_waits(&mut peer, &["1", "2"]).await;
    peer.send([answer("1", &[]), answer("2", &[])].concat()).await;
    assert_eq!(received.together().await, [tag]);
    drop(connection);
    peer.expect_end("").await;
}

#[tokio::test(start_paused = true)]
async fn what_an_extension_sends_takes_no_place_among_the_calls_and_keeps_nothing_open() {
    let builder: ConnectionBuilder = Connection::builder().settings(Settings::new().max_calls(1).announce(false));
    let (connection, mut peer) = RawPeer::of(1 << 20, builder);
    let call = tokio::spawn(connection.call(Wait));
    peer.expect(ask("1", "Wait", &[])).await;
    let (mut sender, (sink, mut replies)) = (Sender::new(&connection), replies());
    send(&mut sender, &sink);
    peer.expect(ask("2", "Wait", &[])).await;
    peer.send([answer("2", &[]), answer("1", &[])].concat()).await;
    let reply = soon("the reply", replies.recv()).await.expect("the sink is there");
    reply.into_reply::<Wait>().expect("an answer");
    soon("the call", call).await.expect("no panic").expect("an answer");
    let closed = connection.closed();
    drop(connection);
    assert_eq!(word(&soon("the end", closed).await), "Closed");
    let refused = sender.poll_send::<Wait>(Waker::noop(), &sink, |_| Ok(()));
    assert!(matches!(refused, Poll::Ready(Err(CallError::Connection { reason: CloseReason::Closed, sent: false }))));
}

/// Panics when it takes replies, if it does, and when it is dropped.
struct Falling {
    in_deliver: bool,
}

impl ReplySink for Falling {
    fn deliver(self: Arc<Self>, replies: &mut dyn Iterator<Item = Delivery>) {
        replies.for_each(drop);
        assert!(!self.in_deliver, "a sink that panics");
    }
}

impl Drop for Falling {
    fn drop(&mut self) {
        // Once is enough: a second one while it unwinds would abort.
        if !std::thread::panicking() {
            panic!("a sink whose drop panics");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_sink_whose_drop_panics_costs_no_other_its_reply() {
    let (connection, mut peer) = RawPeer::with((), Settings::new());
    let (sink, mut received) = replies();
    let mut sender = Sender::new(&connection);
    for in_deliver in [false, true] {
        // The connection holds the last of it.
        let falling: Arc<dyn ReplySink> = Arc::new(Falling { in_deliver });
        send(&mut sender, &falling);
    }
    let tag = send(&mut sender, &sink);
    expect_waits(&mut peer, &["1", "2", "3"]).await;
    peer.send([answer("1", &[]), answer("2", &[]), answer("3", &[])].concat()).await;
    assert_eq!(received.together().await, [tag]);
}
