//! What is told of the end of a connection, however it ends.

use std::sync::mpsc;

use amp::connection::pair;
use amp::{CloseReason, Connection};

fn listen(connection: &Connection) -> mpsc::Receiver<String> {
    let (told, reasons) = mpsc::channel();
    connection.on_end(move |reason| drop(told.send(reason.to_string())));
    reasons
}

fn ends() -> (Connection, Connection) {
    pair(Connection::builder(), Connection::builder())
}

#[tokio::test]
async fn a_listener_for_the_end_learns_the_reason_once_at_each_end() {
    let (a, b) = ends();
    let (at_a, at_b) = (listen(&a), listen(&b));
    a.close();
    a.closed().await;
    b.closed().await;
    assert_eq!(at_a.iter().collect::<Vec<_>>(), [CloseReason::Closed.to_string()]);
    assert_eq!(at_b.iter().collect::<Vec<_>>(), [CloseReason::ClosedByPeer.to_string()]);
}

#[tokio::test]
async fn a_listener_that_comes_after_the_end_runs_at_once() {
    let (a, _b) = ends();
    a.abort();
    a.closed().await;
    assert_eq!(listen(&a).try_recv(), Ok(CloseReason::Aborted.to_string()));
}

#[test]
fn a_listener_for_the_end_runs_when_the_runtime_of_the_driver_is_dropped() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (a, _b) = runtime.block_on(async { ends() });
    let told = listen(&a);
    drop(runtime);
    assert_eq!(told.try_recv(), Ok(CloseReason::DriverDropped.to_string()));
}

#[tokio::test]
async fn a_listener_for_the_end_that_panics_costs_nothing_else() {
    let (a, _b) = ends();
    a.on_end(|_| panic!("expected: a listener's bug"));
    let told = listen(&a);
    a.close();
    assert!(matches!(a.closed().await, CloseReason::Closed));
    assert_eq!(told.try_recv(), Ok(CloseReason::Closed.to_string()));
}
