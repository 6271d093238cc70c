//! An HTTP server behind streams of an AMP connection over TCP, and a local port that leads to it.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use amp::multiplex::{Factories, Forward, Multiplexer, Multiplexing, Stream};
use amp::{Connection, Server};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{Mutex, MutexGuard};

use crate::bodies::{Pattern, measured};

pub(crate) struct Scene {
    pub(crate) multiplexer: Multiplexer,
    pub(crate) forward: Forward,
    _connection: Connection,
    _server: Server,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let factories = Factories::new();
        factories.serve("web", serve);
        factories.serve("echo", async |stream| {
            let (mut reader, mut writer) = tokio::io::split(stream);
            // It ends with the connection.
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        });
        let server = Server::builder().extension(Multiplexing::new(&factories));
        let server = server.bind_tcp("127.0.0.1:0", |_| ()).await.unwrap();
        let builder = Connection::builder().extension(Multiplexing::default());
        let connection = builder.connect_tcp(server.local_addr().unwrap()).await.unwrap();
        let multiplexer = Multiplexer::of(&connection).unwrap();
        let forward = multiplexer.forward_port(0, "web").await.unwrap();
        Self { multiplexer, forward, _connection: connection, _server: server }
    }

    /// An HTTP client with a connection of its own.
    pub(crate) async fn client<B>(&self) -> SendRequest<B>
    where
        B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
    {
        let socket = TcpStream::connect(self.forward.local_addr().unwrap()).await.unwrap();
        let (client, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

pub(crate) fn request<B>(method: &str, path: &str, body: B) -> Request<B> {
    Request::builder().method(method).uri(path).header("Host", "behind").body(body).unwrap()
}

async fn serve(stream: Stream) {
    let http = hyper::server::conn::http1::Builder::new();
    // A client that goes away in the middle is its own business.
    let _ = http.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
}

/// `PUT` says what came; `GET /N` gives N bytes of the pattern.
async fn answer(request: Request<Incoming>) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let length = request.uri().path()[1..].parse().unwrap_or(0);
    Ok(Response::new(if request.method() == "PUT" {
        let (length, digest) = measured(request.into_body()).await;
        Full::from(format!("{length} {digest}")).boxed()
    } else {
        Pattern::new(length).boxed()
    }))
}

/// Long enough for a busy machine: it ends what hangs and measures nothing.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(500), future).await.expect("this should have come to an end long ago")
}

/// The process's memory is one test's at a time.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}
