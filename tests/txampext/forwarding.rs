//! "Local proxying": a local port whose clients speak with a server at the other end of the connection.

use std::net::SocketAddr;

use amp::multiplex::{Factories, Multiplexer, Multiplexing, Stream};
use amp::{Connection, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn answer(mut stream: Stream, page: &str) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", page.len());
    drop(stream.write_all(format!("{head}{page}").as_bytes()).await);
}

/// A web server that never listens anywhere.
fn site(factories: &Factories, name: &str, page: &'static str) {
    factories.serve(name, move |stream| answer(stream, page));
}

/// What a browser shows.
async fn get(port: SocketAddr) -> String {
    let mut socket = TcpStream::connect(port).await.expect("the port is open");
    socket.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("it is read");
    let mut response = String::new();
    socket.read_to_string(&mut response).await.expect("a whole response");
    response.split_once("\r\n\r\n").expect("a head").1.to_owned()
}

async fn served(factories: &Factories) -> (Server, Connection, Multiplexer) {
    let server = Server::builder().extension(Multiplexing::new(factories));
    let server = server.bind_tcp("127.0.0.1:0", |_| ()).await.expect("a free port");
    let address = server.local_addr().expect("TCP");
    let client = Connection::builder().extension(Multiplexing::default()).connect_tcp(address).await.expect("a server");
    let streams = Multiplexer::of(&client).expect("it has the extension");
    (server, client, streams)
}

#[tokio::test]
async fn a_local_client_thinks_that_it_speaks_with_a_local_server() {
    let factories = Factories::new();
    site(&factories, "hello", "Hello from the web server!");
    let (_server, _client, streams) = served(&factories).await;
    let forward = streams.forward_port(0, "hello").await.expect("a free port");
    let port = forward.local_addr().expect("TCP");
    assert!(port.ip().is_loopback());
    for _ in 0..3 {
        assert_eq!(get(port).await, "Hello from the web server!");
    }
}

/// txampext 0.0.11: not one factory only.
#[tokio::test]
async fn any_number_of_factories_is_proxied_over_one_connection() {
    let factories = Factories::new();
    let pages = ["one", "two", "three"];
    pages.iter().for_each(|page| site(&factories, page, page));
    let (server, _client, streams) = served(&factories).await;
    let mut forwards = Vec::new();
    for page in pages {
        forwards.push(streams.forward_port(0, page).await.expect("a free port"));
    }
    let ports = forwards.iter().map(|forward| forward.local_addr().expect("TCP"));
    let reading: Vec<_> = ports.map(|port| tokio::spawn(get(port))).collect();
    for (page, reading) in pages.into_iter().zip(reading) {
        assert_eq!(reading.await.expect("no panic"), page);
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_local_client_of_a_factory_that_is_not_there_loses_its_socket_and_nobody_else_does() {
    let factories = Factories::new();
    site(&factories, "hello", "hello");
    let (_server, client, streams) = served(&factories).await;
    let nowhere = streams.forward_port(0, "nowhere").await.expect("a free port");
    let mut socket = TcpStream::connect(nowhere.local_addr().expect("TCP")).await.expect("the port is open");
    let read = socket.read(&mut [0]).await;
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
    let forward = streams.forward_port(0, "hello").await.expect("a free port");
    assert_eq!(get(forward.local_addr().expect("TCP")).await, "hello");
    assert!(!client.is_closed());
}
