//! A forwarded port, seen as streams: every one is a TCP connection to a port that leads to the server.

use std::net::SocketAddr;
use std::sync::Arc;

use amp::multiplex::{Factories, Forward, Multiplexer, Multiplexing, Target};
use amp::{Connection, Server};
use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};

use super::{Opener, raw};
use crate::Error;
use crate::contestants::Served;

const FACTORY: &str = "server";
/// As much as goes over the loopback interface at once (`performance.md`).
const BUFFER: usize = 60_000;

/// Relays connections to an address, until the runtime ends.
async fn relay(to: SocketAddr) -> Result<Served, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let relaying = async move {
        while let Ok((mut from, _)) = listener.accept().await {
            tokio::spawn(async move {
                from.set_nodelay(true)?;
                let mut to = TcpStream::connect(to).await?;
                to.set_nodelay(true)?;
                copy_bidirectional_with_sizes(&mut from, &mut to, BUFFER, BUFFER).await
            });
        }
    };
    Ok((address, Box::pin(relaying)))
}

/// A server and a relay to it.
pub(super) async fn serve_relayed() -> Result<Served, Error> {
    let (address, serving) = raw::serve().await?;
    tokio::spawn(serving);
    relay(address).await
}

/// A server and the far end of a forwarded port that leads to it.
pub(super) async fn serve_ours() -> Result<Served, Error> {
    let (address, serving) = raw::serve().await?;
    tokio::spawn(serving);
    let factories = Factories::new();
    factories.insert(FACTORY, Target::tcp(address.to_string()));
    let server = Server::builder().extension(Multiplexing::new(&factories));
    let server = server.bind_tcp("127.0.0.1:0", |_| ()).await?;
    let address = server.local_addr().ok_or("a TCP server has an address")?;
    let serving = async move {
        server.closed().await;
    };
    Ok((address, Box::pin(serving)))
}

/// Goes through a relay at this end too.
#[derive(Clone)]
pub(super) struct Relayed(raw::Client);

impl Opener for Relayed {
    type Stream = raw::Stream;

    async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let (address, relaying) = relay(address).await?;
        tokio::spawn(relaying);
        Ok(Self(raw::Client::to(address)))
    }

    async fn open(&mut self) -> Result<raw::Stream, Error> {
        self.0.open().await
    }
}

/// Goes through a port that this library forwards.
#[derive(Clone)]
pub(super) struct Ours {
    port: raw::Client,
    _forward: Arc<Forward>,
    _connection: Connection,
}

impl Opener for Ours {
    type Stream = raw::Stream;

    async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let connection = Connection::builder().extension(Multiplexing::default()).connect_tcp(address).await?;
        let multiplexer = Multiplexer::of(&connection).ok_or("it has the extension")?;
        let forward = multiplexer.forward_port(0, FACTORY).await?;
        let port = raw::Client::to(forward.local_addr().ok_or("a port has an address")?);
        Ok(Self { port, _forward: Arc::new(forward), _connection: connection })
    }

    async fn open(&mut self) -> Result<raw::Stream, Error> {
        self.port.open().await
    }
}
