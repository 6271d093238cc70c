//! How many streams there may be to a factory, a target and a forward.

use amp_core::Connection;
use amp_multiplex::{ConnectError, Factories, Multiplexer, Multiplexing, Stream, StreamSettings, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::forwards::dial;
use crate::support::{ends, ends_with, multiplexer, soon, until};

/// A client of one set of factories, and what keeps its connection.
fn client(factories: &Factories) -> (Multiplexer, [Connection; 2]) {
    let (one, other) = amp_core::connection::pair(
        Connection::builder().extension(Multiplexing::default()),
        Connection::builder().extension(Multiplexing::new(factories)),
    );
    (multiplexer(&one), [one, other])
}

/// The streams that a client gets which wants all, and what refuses the next one.
async fn greedy(client: &Multiplexer, factory: &str) -> (Vec<Stream>, String) {
    let mut streams = Vec::new();
    loop {
        match soon("an answer", client.connect(factory)).await {
            Ok(stream) => streams.push(stream),
            Err(ConnectError::Refused(reason)) => return (streams, reason),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_factory_has_no_more_streams_than_it_may_and_one_connection_takes_no_more_than_half_of_what_is_left() {
    let factories = Factories::new();
    factories.max_streams("hold", 8);
    factories.serve("hold", async |mut stream: Stream| drop(stream.read_u8().await));
    factories.serve("free", async |mut stream: Stream| drop(stream.read_u8().await));
    let (hostile, _connections) = client(&factories);
    let (mut streams, reason) = greedy(&hostile, "hold").await;
    assert_eq!((streams.len(), reason.as_str()), (4, "too many streams to this factory"));
    let (honest, _connections) = client(&factories);
    let (others, _) = greedy(&honest, "hold").await;
    assert_eq!(others.len(), 2, "half of what is left");
    soon("another factory", hostile.connect("free")).await.expect("it has no limit");
    // A place is free again when the stream is dropped at its factory. Then it has two, and four are left.
    streams.truncate(2);
    let again = async {
        while hostile.connect("hold").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon("a stream", again).await;
}

#[tokio::test]
async fn a_limit_holds_for_a_listener_and_for_openings_that_wait_to_be_accepted() {
    let factories = Factories::new();
    let mut listener = factories.listen("queue", 100);
    factories.max_streams("queue", 2);
    let (one, _connections) = client(&factories);
    let (other, _connections) = client(&factories);
    let waits = tokio::spawn(async move { one.connect("queue").await.map(drop) });
    let opening = soon("an opening", listener.opening()).await.expect("a factory");
    let second = tokio::spawn({
        let other = other.clone();
        async move { other.connect("queue").await.map(drop) }
    });
    let second_opening = soon("an opening", listener.opening()).await.expect("a factory");
    assert!(matches!(soon("an answer", other.connect("queue")).await, Err(ConnectError::Refused(_))));
    // One that is refused gives its place back.
    opening.refuse("");
    soon("an answer", waits).await.expect("no panic").expect_err("refused");
    drop(second_opening.accept());
    soon("an answer", second).await.expect("no panic").expect("accepted");
    assert!(greedy_opening(&other, &mut listener).await);
}

async fn greedy_opening(client: &Multiplexer, listener: &mut amp_multiplex::StreamListener) -> bool {
    let both = async { tokio::join!(client.connect("queue"), listener.accept()) };
    soon("a stream", both).await.0.is_ok()
}

/// A TCP address at which nobody accepts, so that connecting to it takes its time: its backlog is full.
async fn full() -> (TcpListener, Vec<TcpStream>, String) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let listener = socket.listen(0).expect("it listens");
    let address = listener.local_addr().expect("TCP");
    let mut waiting = Vec::new();
    let fits = std::time::Duration::from_millis(200);
    while let Ok(client) = tokio::time::timeout(fits, TcpStream::connect(address)).await {
        waiting.push(client.expect("the system answers"));
    }
    (listener, waiting, address.to_string())
}

#[tokio::test]
async fn a_target_is_connected_to_by_no_more_than_may_at_once_and_others_are_refused_at_once() {
    let (_listener, _waiting, address) = full().await;
    let factories = Factories::new();
    let target = Target::tcp(address).max_connects(4);
    factories.insert("full", target.clone());
    let (hostile, connections) = client(&factories);
    for _ in 0..100 {
        let hostile = hostile.clone();
        tokio::spawn(async move { drop(hostile.connect("full").await) });
    }
    until("98 are refused", || target.counts().refused == 98).await;
    // Another connection may try, and what has left still counts while it is being connected.
    drop(connections);
    let (honest, _connections) = client(&factories);
    for _ in 0..3 {
        let honest = honest.clone();
        tokio::spawn(async move { drop(honest.connect("full").await) });
    }
    until("one is connected, and two are refused", || target.counts().refused == 100).await;
    let error = soon("an answer", honest.connect("full")).await.expect_err("one is being connected");
    assert!(error.to_string().ends_with("its target is being connected to too often"), "{error}");
}

#[tokio::test]
async fn a_target_has_no_more_sockets_than_it_may_and_each_connection_gets_some() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let factories = Factories::new();
    let target = Target::tcp(listener.local_addr().expect("TCP").to_string()).max_streams(8);
    factories.insert("target", target.clone());
    let (hostile, _connections) = client(&factories);
    let (streams, reason) = greedy(&hostile, "target").await;
    assert_eq!((streams.len(), reason.as_str()), (4, "its target has too many streams"));
    let (honest, _connections) = client(&factories);
    let (others, _) = greedy(&honest, "target").await;
    assert_eq!(others.len(), 2);
    assert_eq!((target.counts().total, target.counts().refused), (6, 2));
    drop((streams, listener));
    until("its places are free", || target.counts().open == 0).await;
    let error = soon("an answer", hostile.connect("target")).await.expect_err("nobody listens any more");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn a_forward_serves_no_more_clients_at_once_than_it_may_and_the_next_when_one_has_left() {
    let (here, there) = ends_with(1 << 16, &StreamSettings::new().max_clients(2));
    there.factories.serve("echo", crate::support::echo);
    let forward = here.multiplexer.forward_port(0, "echo").await.expect("a port");
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = dial(&forward).await;
        client.write_all(b"x").await.expect("the system takes it");
        clients.push(client);
    }
    let mut third = clients.pop().expect("three");
    for client in &mut clients {
        assert_eq!(soon("an echo", client.read_u8()).await.expect("served"), b'x');
    }
    assert_eq!(forward.counts().total, 2);
    clients.pop();
    assert_eq!(soon("an echo", third.read_u8()).await.expect("served"), b'x');
}

#[tokio::test]
async fn a_name_and_an_address_are_reached_alike() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("TCP").port();
    let (here, there) = ends();
    for host in ["127.0.0.1", "localhost"] {
        there.factories.insert(host, Target::tcp(format!("{host}:{port}")));
        let mut stream = here.connect(host).await;
        let (mut socket, _) = soon("the target", listener.accept()).await.expect("a client");
        socket.write_all(b"x").await.expect("written");
        assert_eq!(soon("a byte", stream.read_u8()).await.expect("it is connected"), b'x');
    }
}
