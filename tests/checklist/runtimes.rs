//! Runtimes that lack something.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use amp::connection::pair;
use amp::{Connection, Peer, Server};
use tokio::sync::mpsc;

use crate::server::Door;

/// What a panic says.
fn words(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(words) => *words,
        Err(other) => other.downcast_ref::<&str>().map(|words| (*words).to_owned()).unwrap_or_default(),
    }
}

#[test]
fn a_runtime_without_time_is_refused_at_once_where_a_connection_or_a_server_starts() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    runtime.block_on(async {
        let starts: [(&str, &dyn Fn()); 3] = [
            ("start", &|| drop(Connection::builder().start(tokio::io::duplex(1).0, Peer::other("memory")))),
            ("pair", &|| drop(pair(Connection::builder(), Connection::builder()))),
            ("serve", &|| drop(Server::builder().serve(Door(mpsc::unbounded_channel().1), |_| ()))),
        ];
        for (name, start) in starts {
            let panic = catch_unwind(AssertUnwindSafe(start)).expect_err(name);
            assert!(words(panic).contains("enable_time"), "{name}");
        }
    });
}

#[test]
fn the_first_poll_of_a_driver_on_a_runtime_without_time_panics_and_ends_the_connection() {
    // Outside of any runtime nothing is wrong yet.
    let (connection, driver) = Connection::builder().build(tokio::io::duplex(1).0, Peer::other("memory"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    runtime.block_on(async {
        let error = tokio::spawn(driver).await.expect_err("it panics");
        assert!(words(error.into_panic()).contains("enable_time"));
        assert_eq!(connection.closed().await.to_string(), "the connection's task was dropped");
    });
}
