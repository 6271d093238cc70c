//! A connection that runs over boxes: what its sender and its inlet do to it.

use std::sync::Arc;

use amp::connection::{BoxInlet, BoxReceiver, BoxSender, ConnectionBuilder};
use amp::error::SendBoxError;
use amp::wire::BoxLimits;
use amp::{AmpBox, CloseReason, Connection, Peer, Settings};
use tokio::sync::mpsc;
use tokio::task::yield_now;

use crate::commands::{Echo, House, sum};
use crate::raw_peer::{ended, reason, soon};

/// Sends to a test, or fails.
struct Pipe(mpsc::UnboundedSender<AmpBox>);

impl BoxSender for Pipe {
    fn send_box(&self, sent: AmpBox) -> Result<(), SendBoxError> {
        if sent.value("_command").is_some_and(|command| command == "Echo") {
            return Err(SendBoxError::TooLong { limit: 7 });
        }
        self.0.send(sent).map_err(|_| SendBoxError::Closed(CloseReason::UnknownAnswer))
    }
}

fn start(builder: ConnectionBuilder) -> (Connection, BoxInlet, mpsc::UnboundedReceiver<AmpBox>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let builder = builder.locator(House::new().into_locator());
    let (connection, inlet) = builder.start_over(Arc::new(Pipe(sender)), Peer::other("pipe"));
    (connection, inlet, receiver)
}

fn made(pairs: &[(&'static str, &'static str)]) -> AmpBox {
    pairs.iter().fold(AmpBox::new(), |made, (key, value)| made.with(*key, *value).expect("fits"))
}

fn ask() -> AmpBox {
    made(&[("_ask", "1"), ("_command", "Sum"), ("a", "1"), ("b", "2")])
}

#[tokio::test(start_paused = true)]
async fn a_connection_over_boxes_calls_and_answers() {
    let (connection, mut inlet, mut sent) = start(Connection::builder().settings(Settings::new().announce(false)));
    let call = tokio::spawn(connection.call(sum()));
    assert_eq!(soon("sent", sent.recv()).await, Some(ask()));
    inlet.receive_box(made(&[("_answer", "1"), ("total", "3")]));
    assert_eq!(soon("answered", call).await.expect("no panic").expect("an answer").total, 3);
    inlet.receive_box(ask());
    assert_eq!(soon("answered", sent.recv()).await, Some(made(&[("_answer", "1"), ("total", "3")])));
}

#[tokio::test(start_paused = true)]
async fn it_ends_for_the_reason_that_its_inlet_is_told_after_what_came_before() {
    let (connection, mut inlet, mut sent) = start(Connection::builder().settings(Settings::new().announce(false)));
    let call = tokio::spawn(connection.call(sum()));
    soon("sent", sent.recv()).await.expect("an ask");
    assert!(inlet.is_open());
    inlet.receive_box(made(&[("_answer", "1"), ("total", "3")]));
    inlet.stop(&CloseReason::NotReading { limit: 7 });
    inlet.stop(&CloseReason::Aborted);
    assert!(!inlet.is_open());
    inlet.receive_box(ask());
    soon("answered", call).await.expect("no panic").expect("it came before the end");
    assert_eq!(ended(&connection).await, "NotReading", "the first reason stays");
}

#[tokio::test(start_paused = true)]
async fn it_ends_as_by_its_peer_when_its_inlet_is_dropped() {
    let (connection, inlet, _sent) = start(Connection::builder());
    drop(inlet);
    assert_eq!(ended(&connection).await, "ClosedByPeer");
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_its_sender_fails() {
    let (connection, inlet, sent) = start(Connection::builder());
    let error = soon("told", connection.call(Echo { data: vec![] })).await.expect_err("the sender refuses it");
    let text = format!("{error:?}");
    assert!(text.contains("Io(") && text.contains("TooLong { limit: 7 }"), "{text}");
    assert_eq!(ended(&connection).await, "Io");
    assert!(!inlet.is_open());
    drop(sent);
    let (connection, _inlet, sent) = start(Connection::builder());
    drop(sent);
    assert_eq!(reason(soon("told", connection.call(sum())).await), "UnknownAnswer", "the sender's own reason");
}

#[tokio::test(start_paused = true)]
async fn an_inlet_knows_when_its_connection_has_ended() {
    for how in ["abort", "close", "drop", "nonsense"] {
        let (connection, mut inlet, _sent) = start(Connection::builder());
        yield_now().await;
        assert!(inlet.is_open());
        let closed = connection.closed();
        match how {
            "abort" => connection.abort(),
            "close" => connection.close(),
            "drop" => drop(connection),
            _ => inlet.receive_box(made(&[("no", "meaning")])),
        }
        soon("the end", closed).await;
        assert!(!inlet.is_open(), "{how}");
        inlet.receive_box(ask());
    }
}

#[tokio::test(start_paused = true)]
async fn it_has_not_closed_in_order_when_the_connection_beneath_was_closed() {
    /// What the connection beneath says when it was closed here.
    #[derive(Debug)]
    struct ClosedBeneath;

    impl BoxSender for ClosedBeneath {
        fn send_box(&self, _: AmpBox) -> Result<(), SendBoxError> {
            Err(SendBoxError::Closed(CloseReason::Closed))
        }
    }

    for closes in [false, true] {
        let (connection, _inlet) = Connection::builder().start_over(Arc::new(ClosedBeneath), Peer::other("beneath"));
        connection.notify(sum()).await.expect("queued");
        if closes {
            connection.close();
        }
        assert_eq!(ended(&connection).await, "Unwritten");
    }
}

#[tokio::test(start_paused = true)]
async fn boxes_that_wait_are_bounded_and_one_always_fits() {
    let settings = Settings::new().max_inbound(1).boxes(BoxLimits::new().bytes(100));
    let (connection, mut inlet, mut sent) = start(Connection::builder().settings(settings));
    let note = || made(&[("_command", "Note"), ("text", "n")]);
    for _ in 0..3 {
        inlet.receive_box(note());
        yield_now().await;
        yield_now().await;
        assert!(inlet.is_open());
    }
    inlet.receive_box(note());
    inlet.receive_box(note());
    assert!(!inlet.is_open());
    assert_eq!(ended(&connection).await, "Io");
    assert!(sent.try_recv().is_err(), "nothing was sent");
}
