//! The scene of txampext's own examples: a web server behind streams, reached through a local port.

use std::convert::Infallible;

use amp::multiplex::Factories;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{ToTwisted, digest, pattern, serving, still_there};
use crate::harness::soon;

#[tokio::test]
async fn a_web_server_of_twisted_is_reached_through_a_local_port_of_rust() {
    let Some(mut peers) = ToTwisted::start().await else { return };
    peers.twisted.say("serve_web()").await;
    let forward = peers.multiplexer.forward_port(0, "hello").await.unwrap();
    let upload = pattern(300_000);
    for _ in 0..10 {
        let socket = TcpStream::connect(forward.local_addr().unwrap()).await.unwrap();
        let (mut client, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
        let connection = tokio::spawn(connection);
        for (method, body, expected) in [
            ("GET", Bytes::new(), "Hello from the web server!".to_owned()),
            ("PUT", upload.clone().into(), digest(&upload)),
        ] {
            let request = Request::builder().method(method).uri("/").header("Host", "behind");
            let answer = soon(client.send_request(request.body(Full::new(body)).unwrap())).await.unwrap();
            assert_eq!(soon(answer.into_body().collect()).await.unwrap().to_bytes(), expected);
        }
        drop(client);
        soon(connection).await.unwrap().unwrap();
    }
    assert_eq!(forward.counts().total, 10);
    peers.nothing_is_left().await;
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new(Full::from("Hello from Rust!")))
}

#[tokio::test]
async fn a_client_at_twisted_reaches_a_web_server_of_rust() {
    let factories = Factories::new();
    factories.serve("hello", async |stream| {
        let http = hyper::server::conn::http1::Builder::new();
        let _ = http.serve_connection(TokioIo::new(stream), service_fn(hello)).await;
    });
    let Some((mut served, multiplexer)) = serving(&factories).await else { return };
    served.twisted.say("dial('hello')").await;
    served.twisted.say(r"say(b'GET / HTTP/1.1\r\nHost: behind\r\nConnection: close\r\n\r\n')").await;
    assert_eq!(served.twisted.say("dialled['it'].ended()").await, "'disconnected'");
    let head = served.twisted.say("dialled['it'].head").await;
    assert!(head.starts_with(r"b'HTTP/1.1 200 OK\r\n"), "{head}");
    still_there(&multiplexer, &mut served.twisted).await;
}
