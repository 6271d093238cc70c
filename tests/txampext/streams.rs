//! "Multiplexed streams": many byte streams over the connection of the commands.

use amp::connection::pair;
use amp::multiplex::{ConnectError, Factories, Factory, Multiplexer, Multiplexing, Opening};
use amp::{Command, Connection, Reply, responder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(Command, Debug)]
struct Ping;

struct Service;

#[responder]
impl Service {
    async fn ping(&self, _: Ping) -> Reply<Ping> {
        Ok(())
    }
}

/// Speaks first, as SMTP and SSH do, and then echoes to the end.
fn factories() -> Factories {
    let factories = Factories::new();
    factories.serve("echo", async |mut stream| {
        stream.write_all(b"220 ready\r\n").await.expect("it is read");
        let (mut from, mut to) = tokio::io::split(stream);
        drop(tokio::io::copy(&mut from, &mut to).await);
        drop(to.shutdown().await);
    });
    factories
}

/// The client's end and its streams, and the server's end.
fn connected(factories: &Factories) -> (Connection, Multiplexer, Connection) {
    let server = Connection::builder().extension(Multiplexing::new(factories));
    let server = server.locator(Service.into_locator());
    // The client has no factories: it opens streams and receives their bytes and their ends.
    let (client, server) = pair(Connection::builder().extension(Multiplexing::default()), server);
    let streams = Multiplexer::of(&client).expect("it has the extension");
    (client, streams, server)
}

#[tokio::test]
async fn a_connect_request_builds_a_protocol_with_a_transport_of_its_own() {
    let (_client, streams, _server) = connected(&factories());
    let mut banners = Vec::new();
    for _ in 0..2 {
        let mut stream = streams.connect("echo").await.expect("a stream");
        let mut banner = [0; 11];
        stream.read_exact(&mut banner).await.expect("the server speaks first");
        banners.push((stream, banner));
    }
    assert!(banners.iter().all(|(_, banner)| banner == b"220 ready\r\n"));
    for (at, (stream, _)) in banners.iter_mut().enumerate() {
        let words = format!("words of stream {at}");
        stream.write_all(words.as_bytes()).await.expect("it is read");
        stream.shutdown().await.expect("it is read");
        let mut echoed = String::new();
        stream.read_to_string(&mut echoed).await.expect("an end in order");
        assert_eq!(echoed, words);
    }
}

#[tokio::test]
async fn bytes_are_transmitted_over_an_existing_connection_beside_its_commands() {
    let (client, streams, _server) = connected(&factories());
    let mut stream = streams.connect("echo").await.expect("a stream");
    let mut banner = [0; 11];
    stream.read_exact(&mut banner).await.expect("a banner");
    let sent: Vec<u8> = (0..300_000_u32).map(|at| at.to_le_bytes()[at as usize % 4]).collect();
    let (mut from, mut to) = tokio::io::split(stream);
    let writing = async {
        to.write_all(&sent).await.expect("it is read");
        to.shutdown().await.expect("it is read");
    };
    let mut echoed = Vec::new();
    let reading = async { from.read_to_end(&mut echoed).await.expect("an end in order") };
    let calling = async { client.call(Ping).await.expect("an answer") };
    let (_, read, _) = tokio::join!(writing, reading, calling);
    assert_eq!(read, 300_000);
    assert!(echoed == sent, "a write of any length arrives, though a box holds 65,535 bytes");
}

#[tokio::test]
async fn either_end_may_disconnect() {
    let factories = Factories::new();
    let mut listener = factories.listen("files", 1);
    let (_client, streams, _server) = connected(&factories);
    let (stream, accepted) = tokio::join!(streams.connect("files"), listener.accept());
    let (mut stream, mut accepted) = (stream.expect("a stream"), accepted.expect("a stream"));
    // The server's loseConnection: what it wrote before is read, then the end.
    accepted.write_all(b"bye").await.expect("it is read");
    drop(accepted);
    let mut read = String::new();
    stream.read_to_string(&mut read).await.expect("an end in order");
    assert_eq!(read, "bye");
    // The client's.
    let (stream, accepted) = tokio::join!(streams.connect("files"), listener.accept());
    drop(stream.expect("a stream"));
    let read = accepted.expect("a stream").read(&mut [0]).await.expect("an end in order");
    assert_eq!(read, 0);
}

struct Closed;

impl Factory for Closed {
    fn open(&self, opening: Opening) {
        opening.refuse("not today");
    }
}

#[tokio::test]
async fn a_factory_that_is_not_there_and_one_that_refuses_are_declared_errors() {
    let factories = Factories::new();
    factories.insert("shop", Closed);
    let (_client, streams, server) = connected(&factories);
    match streams.connect("library").await {
        Err(ConnectError::NoSuchFactory(name)) => assert_eq!(name, "library"),
        other => panic!("{other:?}"),
    }
    match streams.connect("shop").await {
        Err(ConnectError::Refused(reason)) => assert_eq!(reason, "not today"),
        other => panic!("{other:?}"),
    }
    // A factory that is removed is as one that was never there.
    factories.remove("shop");
    assert!(matches!(streams.connect("shop").await, Err(ConnectError::NoSuchFactory(_))));
    assert!(!server.is_closed());
}
