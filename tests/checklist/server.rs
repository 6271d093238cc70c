//! The server: survives everything, counts its connections, and closes in peace.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use amp::server::Listener;
use amp::{Connection, Peer, Server, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::commands::{House, Wait, sum};
use crate::raw_peer::{RawPeer, ended, reason, soon};

/// Accepts what a test sends, errors included.
pub(crate) struct Door(pub(crate) mpsc::UnboundedReceiver<io::Result<DuplexStream>>);

impl Listener for Door {
    type Transport = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Peer)> {
        match self.0.recv().await {
            Some(visitor) => Ok((visitor?, Peer::other("visitor"))),
            None => std::future::pending().await,
        }
    }
}

/// The street before the door.
pub(crate) struct Street(pub(crate) mpsc::UnboundedSender<io::Result<DuplexStream>>);

impl Street {
    pub(crate) fn enter(&self) -> Connection {
        let (ours, theirs) = tokio::io::duplex(4096);
        self.0.send(Ok(theirs)).expect("the door is there");
        Connection::builder().start(ours, Peer::other("server"))
    }
}

pub(crate) fn serve(most: usize, settings: Settings) -> (Server, Street, House) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let house = House::new();
    let locator = house.clone();
    let builder = Server::builder().settings(settings).max_connections(most);
    let server = builder.serve(Door(receiver), move |_| locator.clone().into_locator());
    (server, Street(sender), house)
}

pub(crate) async fn works(connection: &Connection) {
    assert_eq!(soon("the server answers", connection.call(sum())).await.expect("an answer").total, 3);
}

#[tokio::test(start_paused = true)]
async fn errors_of_accepting_cost_nobody_anything() {
    let (server, street, _) = serve(10, Settings::new());
    let before = street.enter();
    works(&before).await;
    for kind in [io::ErrorKind::ConnectionAborted, io::ErrorKind::Other] {
        street.0.send(Err(kind.into())).expect("the door is there");
    }
    let after = street.enter();
    works(&after).await;
    works(&before).await;
    assert_eq!(server.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn closing_takes_nobody_new_and_finishes_what_runs() {
    let (server, street, house) = serve(10, Settings::new().close_timeout(Duration::from_secs(1000)));
    let connection = street.enter();
    let call = tokio::spawn(connection.call(Wait));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(house.waiting(), 1);
    server.close();
    sleep(Duration::from_secs(100)).await;
    assert!(!call.is_finished() && server.connections() == 1);
    assert!(street.0.is_closed(), "the listener is gone");
    house.open(1);
    soon("answered", call).await.expect("no panic").expect("an answer");
    soon("the server ends", server.closed()).await;
    assert_eq!(server.connections(), 0);
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    soon("and again", server.closed()).await;
}

#[tokio::test(start_paused = true)]
async fn closing_ends_at_its_deadline() {
    let (server, street, house) = serve(10, Settings::new().close_timeout(Duration::from_secs(7)));
    let connections = [street.enter(), street.enter()];
    let calls = connections.each_ref().map(|connection| tokio::spawn(connection.call(Wait)));
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    server.close();
    soon("the server ends", server.closed()).await;
    assert_eq!((start.elapsed().as_secs(), house.waiting()), (7, 0));
    for call in calls {
        assert_eq!(reason(soon("told", call).await.expect("no panic")), "ClosedByPeer");
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_server_closes_it() {
    let (server, street, _) = serve(10, Settings::new());
    let connection = street.enter();
    works(&connection).await;
    drop(server);
    assert_eq!(ended(&connection).await, "ClosedByPeer");
}

#[tokio::test(start_paused = true)]
async fn without_a_limit_of_connections_closing_still_waits_for_each() {
    let (server, street, house) = serve(usize::MAX, Settings::new().close_timeout(Duration::from_secs(50)));
    let connection = street.enter();
    let call = tokio::spawn(connection.call(Wait));
    sleep(Duration::from_secs(1)).await;
    server.close();
    let early = tokio::time::timeout(Duration::from_secs(5), server.closed()).await;
    assert!(early.is_err(), "closed with {} connections", server.connections());
    house.open(1);
    soon("answered", call).await.expect("no panic").expect("an answer");
    soon("the server ends", server.closed()).await;
}

#[tokio::test(start_paused = true)]
async fn a_locator_that_panics_costs_its_one_connection() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let street = Street(sender);
    let visitors = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::builder().max_connections(1).serve(Door(receiver), move |_| {
        assert!(visitors.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0, "the first visitor");
        House::new().into_locator()
    });
    assert_eq!(ended(&street.enter()).await, "ClosedByPeer");
    works(&street.enter()).await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_connection_has_a_locator_of_its_own() {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (street, houses) = (Street(sender), std::sync::Mutex::new(vec![House::new(), House::new()]));
    let left = houses.lock().expect("no panic").clone();
    let _server = Server::builder().serve(Door(receiver), move |new| {
        assert_eq!(new.peer().to_string(), "visitor");
        houses.lock().expect("no panic").pop().expect("two visitors").into_locator()
    });
    for at in [1, 0] {
        let connection = street.enter();
        connection.notify(crate::commands::Note { text: "mine".into() }).await.expect("sent");
        works(&connection).await;
        assert_eq!(left[at].notes(), ["mine"]);
    }
    assert_eq!(left.iter().map(|house| house.notes().len()).sum::<usize>(), 2);
}

async fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("the server listens");
    stream.write_all(bytes).await.expect("the server takes bytes");
    let mut got = Vec::new();
    soon("the server closes", stream.read_to_end(&mut got)).await.expect("no reset");
    got
}

#[tokio::test]
async fn a_server_over_tcp_survives_peers_that_do_not_speak_amp() {
    let house = House::new();
    let locator = move |_: &amp::connection::NewConnection| house.clone().into_locator();
    let server = Server::builder()
        .settings(Settings::new().announce(false))
        .bind_tcp("127.0.0.1:0", locator)
        .await
        .expect("a free port");
    let address = server.local_addr().expect("an address");
    let connection = Connection::builder().connect_tcp(address).await.expect("the server listens");
    works(&connection).await;
    assert_eq!(raw(address, b"GET / HTTP/1.1\r\n\r\n").await, b"");
    assert_eq!(raw(address, b"\0\0").await, b"");
    let ask = crate::raw_peer::ask_sum("1");
    assert_eq!(raw(address, &[&ask[..], b"\xff\xff"].concat()).await, crate::raw_peer::answer_sum("1"));
    drop(TcpStream::connect(address).await.expect("the server listens"));
    works(&connection).await;
    server.close();
    soon("the server ends", server.closed()).await;
    assert_eq!(ended(&connection).await, "ClosedByPeer");
    assert!(Connection::builder().connect_tcp(address).await.is_err(), "nobody listens any more");
}

#[tokio::test(start_paused = true)]
async fn either_end_of_a_connection_calls_and_answers() {
    let (connection, mut peer) = RawPeer::with(House::new().into_locator(), Settings::new());
    let call = tokio::spawn(connection.call(sum()));
    peer.expect(crate::raw_peer::ask_sum("1")).await;
    peer.expect_open().await;
    peer.send(crate::raw_peer::answer_sum("1")).await;
    soon("answered", call).await.expect("no panic").expect("an answer");
}
