//! What a server makes of its listener, its locators and its connections.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use amp::server::Listener;
use amp::{Connection, Peer, Server, Settings};
use tokio::io::DuplexStream;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::commands::{House, Wait};
use crate::raw_peer::{ended, soon};
use crate::server::{Door, Street, serve, works};

#[tokio::test(start_paused = true)]
async fn clients_that_reset_before_they_are_accepted_do_not_slow_accepting() {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected};
    let (server, street, _) = serve(1, Settings::new());
    let start = Instant::now();
    for kind in [ConnectionAborted, ConnectionRefused, ConnectionReset, NotConnected].repeat(100) {
        street.0.send(Err(kind.into())).expect("the door is there");
    }
    let connection = street.enter();
    works(&connection).await;
    assert_eq!((start.elapsed(), server.connections()), (Duration::ZERO, 1));
}

#[tokio::test]
async fn a_server_over_tcp_accepts_behind_clients_that_reset() {
    let server = Server::builder().bind_tcp("127.0.0.1:0", |_| House::new().into_locator()).await;
    let server = server.expect("a free port");
    let address = server.local_addr().expect("an address");
    for _ in 0..50 {
        let stream = TcpStream::connect(address).await.expect("the server listens");
        stream.set_zero_linger().expect("a socket that resets when it is dropped");
    }
    works(&Connection::builder().connect_tcp(address).await.expect("the server listens")).await;
}

/// Gives its visitors away, and then panics.
struct Bomb(mpsc::UnboundedReceiver<DuplexStream>);

impl Listener for Bomb {
    type Transport = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Peer)> {
        Ok((self.0.recv().await.expect("a visitor"), Peer::other("visitor")))
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_listener_panics_closes_and_tells_who_waits_when_its_connections_have_ended() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let house = House::new();
    let locator = house.clone();
    let builder = Server::builder().settings(Settings::new().close_timeout(Duration::from_secs(24 * 3600)));
    let server = builder.serve(Bomb(receiver), move |_| locator.clone().into_locator());
    let (ours, theirs) = tokio::io::duplex(4096);
    let connection = Connection::builder().start(ours, Peer::other("server"));
    sender.send(theirs).expect("the door is there");
    works(&connection).await;
    let call = tokio::spawn(connection.call(Wait));
    sleep(Duration::from_secs(1)).await;
    drop(sender);
    let early = tokio::time::timeout(Duration::from_secs(3600), server.closed()).await;
    assert!(early.is_err() && server.connections() == 1, "what runs may finish");
    house.open(1);
    soon("answered", call).await.expect("no panic").expect("an answer");
    soon("the server is over", server.closed()).await;
    assert_eq!(server.connections(), 0);
    assert_eq!(ended(&connection).await, "ClosedByPeer");
}

#[tokio::test(start_paused = true)]
async fn what_on_connection_is_given_calls_the_client_and_does_not_keep_it() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let street = Street(sender);
    let given: Arc<Mutex<Vec<Connection>>> = Arc::default();
    let to = Arc::clone(&given);
    let server = Server::builder().on_connection(move |connection| to.lock().expect("no panic").push(connection));
    let server = server.serve(Door(receiver), |_| House::new().into_locator());
    let mut clients = Vec::new();
    for _ in 0..3 {
        let (ours, theirs) = tokio::io::duplex(4096);
        street.0.send(Ok(theirs)).expect("the door is there");
        clients.push(Connection::builder().locator(House::new().into_locator()).start(ours, Peer::other("server")));
        works(clients.last().expect("it was just pushed")).await;
    }
    let connections = std::mem::take(&mut *given.lock().expect("no panic"));
    assert_eq!(connections.len(), 3);
    for connection in &connections {
        assert_eq!(connection.peer(), &Peer::other("visitor"));
        works(connection).await;
    }
    drop(connections);
    for client in &clients {
        works(client).await;
    }
    assert_eq!(server.connections(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_locator_or_an_on_connection_that_panics_costs_its_one_connection() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (street, first, second) = (Street(sender), AtomicBool::new(true), AtomicBool::new(true));
    let builder = Server::builder().max_connections(1).on_connection(move |_| {
        assert!(!second.swap(false, Ordering::SeqCst), "the second visitor");
    });
    let server = builder.serve(Door(receiver), move |_| {
        assert!(!first.swap(false, Ordering::SeqCst), "the first visitor");
        House::new().into_locator()
    });
    assert_eq!(ended(&street.enter()).await, "ClosedByPeer");
    assert_eq!(ended(&street.enter()).await, "ClosedByPeer");
    works(&street.enter()).await;
    server.close();
    soon("the server ends", server.closed()).await;
    assert_eq!(server.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_server_of_at_most_zero_connections_takes_one() {
    let (server, street, _) = serve(0, Settings::new());
    for _ in 0..2 {
        let one = street.enter();
        works(&one).await;
        one.close();
        soon("it leaves", one.closed()).await;
    }
    assert!(server.connections() <= 1);
}
